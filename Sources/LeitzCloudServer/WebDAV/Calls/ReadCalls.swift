import Crypto
import GRDB
import HTTPTypes
import HummingbirdCore
import NIOCore

/// GET and HEAD, and the PATCH by which a client has a checksum made.
struct ReadCalls: Sendable {
    let services: CloudServices
    let context: CallContext
    let request: DAVRequest

    func get() async throws -> Response {
        let node = try await node()
        guard let file = node.file else {
            let text =
                "This is the WebDAV interface. It can only be accessed by WebDAV clients such as "
                + "the Nextcloud desktop sync client."
            return Response(
                status: .ok, headers: [.contentType: "text/html; charset=UTF-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
        guard node.canRead else { throw DAVError.forbidden("You may not read this file") }
        if isUnchanged(node) {
            return Response(status: .notModified, headers: [.eTag: node.etag])
        }
        var headers = Self.headers(node, file)
        let range = isRanged(node) ? ByteRangeHeader(wantedRange, length: file.size) : .whole
        switch range {
        case .unsatisfiable where file.size > 0:
            let start = wantedRange?.dropFirst(6).prefix { $0 != "-" } ?? ""
            var error = DAVError(
                416, "Sabre\\DAV\\Exception\\RequestedRangeNotSatisfiable",
                "The start offset (\(start)) exceeded the size of the entity (\(file.size))")
            error.headers = headers
            error.headers[.contentRange] = "bytes */\(file.size)"
            throw error
        case .part(let part):
            headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.size)"
            return try await send(file, part, .partialContent, headers)
        case .whole, .unsatisfiable:
            return try await send(file, 0..<file.size, .ok, headers)
        }
    }

    /// PATCH with `X-Recalculate-Hash`: 204 with the checksum, which is also stored.
    func recalculateChecksum() async throws -> Response {
        guard let wish = request.header("X-Recalculate-Hash")?.lowercased(),
            ["sha1", "sha256", "md5"].contains(wish)
        else { throw DAVError.badRequest("X-Recalculate-Hash names no algorithm that is known") }
        let node = try await node()
        guard let file = node.file else { throw DAVError.methodNotAllowed("This is a folder") }
        let digest =
            switch wish {
            case "sha1": try await digest(file, Insecure.SHA1())
            case "md5": try await digest(file, Insecure.MD5())
            default: try await digest(file, SHA256())
            }
        let checksum = wish.uppercased() + ":" + digest
        let (request, context) = (request, context)
        try await services.database.write { db in
            let tree = try DAVTree(db, request.caller, context)
            let current = try tree.node(request.path)
            guard current.etag == node.etag else {
                throw DAVError.conflict("The file has changed meanwhile")
            }
            _ = try tree.tree.writableRoot(current.root.id)
            try tree.tree.run("UPDATE files SET checksum = ? WHERE id = ?", [checksum, file.id])
        }
        var response = Response(status: .noContent)
        response.headers[.ocChecksum] = checksum
        return response
    }

    private func digest<Hash: HashFunction & SendableMetatype>(_ file: FileRow, _ hash: Hash)
        async throws -> String
    {
        var hash = hash
        if file.size > 0 {
            let open = try await services.content.open(file.revision, size: file.size)
            var offset: Int64 = 0
            while offset < file.size {
                let count = min(ContentStore.pieceSize, Int(file.size - offset))
                let piece = try await services.content.read(open, at: offset, count: count)
                piece.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
                offset += Int64(count)
            }
        }
        return TokenHash.hex(Array(hash.finalize()))
    }

    private func node() async throws -> DAVNode {
        let (request, context) = (request, context)
        return try await services.database.read { db in
            let tree = try DAVTree(db, request.caller, context)
            let node = try tree.node(request.path)
            // A GET is answered with 304 and not 412 where its tag is the current one.
            if let ifMatch = request.conditions.ifMatch, !ifMatch.isAny,
                !ifMatch.contains(node.etag)
            {
                try request.conditions.check(etag: node.etag, isFolder: node.isFolder)
            }
            return node
        }
    }

    private func isUnchanged(_ node: DAVNode) -> Bool {
        if let tags = request.conditions.ifNoneMatch {
            return tags.isAny || tags.contains(node.etag)
        }
        return request.header("If-Modified-Since") == HTTPDate.format(max(0, node.modified))
    }

    /// Whether the `Range` header counts: with `If-Range` only for the same content.
    private func isRanged(_ node: DAVNode) -> Bool {
        guard let validator = request.header("If-Range") else { return true }
        return validator == node.etag || validator == HTTPDate.format(max(0, node.modified))
    }

    /// sabre/dav takes an end of 0 for none (FACTS 2.6); so does this, for clients to be tested
    /// with it.
    private var wantedRange: String? {
        let header = request.header("Range")
        return header == "bytes=0-0" ? "bytes=0-" : header
    }

    private static func headers(_ node: DAVNode, _ file: FileRow) -> HTTPFields {
        let type = MediaType.of(node.name)
        let quoted = DAVTarget.encode(node.name)
        var headers: HTTPFields = [
            .contentType: type.hasPrefix("text/") ? type + ";charset=UTF-8" : type,
            .lastModified: HTTPDate.format(max(0, file.modified)), .eTag: node.etag,
            .ocETag: node.etag, .acceptRanges: "bytes",
            .contentDisposition: "attachment; filename*=UTF-8''\(quoted)",
        ]
        headers[.ocChecksum] = file.checksum
        return headers
    }

    private func send(
        _ file: FileRow, _ range: Range<Int64>, _ status: HTTPResponse.Status,
        _ headers: HTTPFields
    ) async throws -> Response {
        if request.method == "HEAD" {
            return Response(
                status: status, headers: headers,
                body: ResponseBody(contentLength: range.count) { try await $0.finish(nil) })
        }
        let body = try await DownloadCall(services: services, context: context).body(file, range)
        return Response(status: status, headers: headers, body: body)
    }
}

extension HTTPField.Name {
    private static func named(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .via }

    static let dav = named("DAV")
    static let lockToken = named("Lock-Token")
    static let ocETag = named("OC-ETag")
    static let ocFileID = named("OC-FileId")
    static let ocChecksum = named("OC-Checksum")
    static let ocModified = named("X-OC-MTime")
    static let ownerID = named("X-NC-OwnerId")
    static let permissions = named("X-NC-Permissions")
    static let userID = named("X-User-Id")
    static let msAuthor = named("MS-Author-Via")
}
