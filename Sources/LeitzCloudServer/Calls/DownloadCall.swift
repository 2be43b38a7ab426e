import GRDB
import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// Sends a file's content or a folder as a zip archive, streamed from disk.
struct DownloadCall: Sendable {
    let services: CloudServices
    let context: CallContext

    func run(_ address: ItemAddress, range: String?) async throws -> Response {
        let context = context
        switch address {
        case .file(let root, let id):
            let file = try await services.database.read { db in
                let tree = try Tree(db, context)
                let access = try tree.root(root)
                try access.require(PermissionWord.read)
                return try tree.liveFile(id, in: access)
            }
            return try await send(file, range: range)
        case .folder, .root:
            return try await ZipDownload(services: services, context: context).run(address)
        }
    }

    private func send(_ file: FileRow, range header: String?) async throws -> Response {
        let isRanged = context.behaviour.supportsRanges
        var headers: HTTPFields = [.contentType: "application/octet-stream"]
        if isRanged { headers[.acceptRanges] = "bytes" }
        switch isRanged ? ByteRangeHeader(header, length: file.size) : .whole {
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(file.size)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        case .whole:
            return Response(
                status: .ok, headers: headers, body: try await body(file, 0..<file.size))
        case .part(let range):
            headers[.contentRange] =
                "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.size)"
            return Response(
                status: .partialContent, headers: headers, body: try await body(file, range))
        }
    }

    /// The bytes of a range of a file, streamed where they are many.
    func body(_ file: FileRow, _ range: Range<Int64>) async throws -> ResponseBody {
        let store = services.content
        if range.isEmpty { return ResponseBody() }
        let open = try await store.open(file.revision, size: file.size)
        if range.count <= ContentStore.pieceSize {
            return ResponseBody(
                byteBuffer: try await store.read(open, at: range.lowerBound, count: range.count))
        }
        return ResponseBody(contentLength: range.count) { writer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let count = min(ContentStore.pieceSize, Int(range.upperBound - offset))
                try await writer.write(try await store.read(open, at: offset, count: count))
                offset += Int64(count)
            }
            try await writer.finish(nil)
        }
    }
}
