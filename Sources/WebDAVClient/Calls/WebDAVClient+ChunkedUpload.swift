import CloudStorage
import FileSystemTypes
import FoundationEssentials
import HTTPTransport
import Logging
import Synchronization

// Source: Nextcloud's developer manual, "Chunked file upload", version 2; ownCloud 10 takes the same
// requests.
extension WebDAVClient {
    /// Pieces on their way at a time: what a broken connection costs is that many.
    private static let chunksAtOnce = 3
    /// How often the server is asked whether it has put the pieces together, when it did not say so.
    private static let assemblyLooks = 8

    /// How a file is sent in pieces; nil where it goes as a whole.
    func chunkPlan(for content: LocalContent) -> ChunkPlan? {
        guard let largest = profile.largestChunk, chunkArea != nil,
            !state.withLock({ $0.refusesChunks })
        else { return nil }
        return ChunkPlan(size: content.size, largest: largest)
    }

    /// Where the pieces of uploads are kept, without a `/` at its end.
    private var chunkArea: String? {
        let files = "/remote.php/dav/files/"
        guard let found = server.filesURL.ranges(of: files).last else { return nil }
        // The account may be shown from a folder of its own on.
        let user = server.filesURL[found.upperBound...].prefix { $0 != "/" }
        return server.filesURL[..<found.lowerBound] + "/remote.php/dav/uploads/" + user
    }

    /// Sends a file in pieces. Those that an earlier try has left there are not sent again: the name
    /// of their folder tells the file, its version and where it goes. Nil where the server does not
    /// take pieces at all.
    func sendInChunks(
        _ upload: Upload, _ plan: ChunkPlan
    ) async throws(CloudStorageError) -> HTTPAnswer? {
        try await check(upload)
        let target = url(upload.path, isFolder: false)
        let name = try await FileChecksum.uploadName(
            of: upload.content, parts: [target, String(plan.chunkSize)])
        let transfer = ChunkedTransfer(
            folder: (chunkArea ?? "") + "/" + name, target: target, upload: upload, plan: plan)
        do throws(CloudStorageError) {
            guard let missing = try await begin(transfer) else { return nil }
            try await send(missing, of: transfer)
            // It took its time: the target may be another one by now.
            try await check(upload)
            return try await assemble(transfer)
        } catch {
            // What the server will not take is not kept there; anything else goes on next time.
            if error.failureClass == .giveUp, error.kind != .cancelled, error.kind != .localFile {
                await remove(transfer)
            }
            throw error
        }
    }

    /// Makes the folder of the pieces, or finds what is in it. Returns the pieces still to be sent;
    /// nil where the server makes no such folder.
    private func begin(
        _ transfer: ChunkedTransfer
    ) async throws(CloudStorageError) -> [Int]? {
        var call = HTTPCall("begin-chunks", .mkcol, url: transfer.folder)
        call.headers = [("Destination", transfer.target)]
        let answer = try await authorized(call)
        if answer.isSuccess { return Array(0..<transfer.plan.count) }
        guard [403, 404, 405, 501].contains(answer.status) else {
            throw WebDAVErrors.error(for: answer)
        }
        // 405: it is there, or the method is not.
        guard answer.status == 405, let present = try await presentPieces(transfer) else {
            return nil
        }
        let (missing, foreign) = transfer.plan.rest(present)
        for name in foreign {
            let call = HTTPCall(
                "remove-chunk", .delete,
                url: transfer.folder + "/" + PercentCoding.encode(name.utf8),
                isIdempotent: true)
            let answer = try await authorized(call)
            guard answer.isSuccess || answer.status == 404 else {
                throw WebDAVErrors.error(for: answer)
            }
        }
        options.logger.info(
            "A large upload is taken up again",
            metadata: ["missing": "\(missing.count)", "of": "\(transfer.plan.count)"])
        return missing
    }

    /// Sizes of the pieces on the server, by name; nil where their folder is not there.
    private func presentPieces(
        _ transfer: ChunkedTransfer
    ) async throws(CloudStorageError) -> [String: Int64]? {
        var call = HTTPCall("list-chunks", .propfind, url: transfer.folder + "/")
        call.headers = [("Depth", "1")]
        call.body = .bytes(PropertyRequest.sizes, type: PropertyRequest.type)
        let entries: [ServerEntry]
        do throws(CloudStorageError) {
            entries = try await multistatus(call)
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
        var sizes: [String: Int64] = [:]
        for entry in entries where !entry.isFolder {
            // The virtual result is listed beside its pieces.
            guard let part = entry.href.parts.last, let name = ShownName.shown(part),
                name != ".file"
            else { continue }
            sizes[name] = entry.size ?? -1
        }
        return sizes
    }

    private func send(
        _ missing: [Int], of transfer: ChunkedTransfer
    ) async throws(CloudStorageError) {
        let failure = await withTaskGroup(of: CloudStorageError?.self) { group in
            var waiting = missing[...]
            var failure: CloudStorageError?
            for _ in 0..<Self.chunksAtOnce {
                guard let next = waiting.popFirst() else { break }
                group.addTask { await self.sendChunk(next, of: transfer) }
            }
            while let ended = await group.next() {
                if let error = ended, failure == nil {
                    failure = error
                    group.cancelAll()
                }
                guard failure == nil, let next = waiting.popFirst() else { continue }
                group.addTask { await self.sendChunk(next, of: transfer) }
            }
            return failure
        }
        // Pieces are no file yet.
        if let failure { throw failure.asNotHappened }
    }

    private func sendChunk(_ index: Int, of transfer: ChunkedTransfer) async -> CloudStorageError? {
        var call = HTTPCall(
            "upload-chunk", .put, url: transfer.folder + "/" + transfer.plan.name(index),
            isIdempotent: true)
        call.traffic = .bulk
        call.headers = [
            ("Destination", transfer.target), ("OC-Total-Length", String(transfer.plan.size)),
        ]
        call.body = .filePart(
            transfer.upload.content, transfer.plan.range(index), type: "application/octet-stream")
        do throws(CloudStorageError) {
            let answer = try await authorized(call)
            if answer.isSuccess { return nil }
            // The server has lost the upload: the next try begins anew.
            if [404, 409, 412].contains(answer.status) {
                return CloudStorageError(.temporarilyUnavailable, "the server has lost the upload")
            }
            return WebDAVErrors.error(for: answer)
        } catch {
            return error
        }
    }

    /// Has the pieces put together. That may take longer than any proxy waits: then the result is
    /// looked for, and not asked for again before nothing has come of it.
    private func assemble(
        _ transfer: ChunkedTransfer
    ) async throws(CloudStorageError) -> HTTPAnswer {
        let known = try await find(transfer.upload.path)?.revision
        var failure = CloudStorageError(.timedOut, "the server has not put the upload together")
        for look in 0..<Self.assemblyLooks {
            if look > 0 {
                try await pause(look)
                let found = try await find(transfer.upload.path)
                if let found, found.revision != known, found.size == transfer.plan.size {
                    return HTTPAnswer(status: 201, headers: [], body: Data())
                }
                // Gone without a result: it is being worked on.
                guard try await presentPieces(transfer) != nil else { continue }
            }
            do throws(CloudStorageError) {
                let answer = try await changing(
                    assembling(transfer), touching: transfer.upload.path)
                if Self.isSuccess(answer) { return answer }
                guard [404, 423, 500, 502, 503, 504].contains(answer.status) else {
                    if answer.status == 412 { try await check(transfer.upload) }
                    throw await refusal(answer, of: transfer.upload)
                }
                failure = WebDAVErrors.error(for: answer)
            } catch {
                guard error.mayHaveHappened else { throw error }
                failure = error
            }
        }
        throw CloudStorageError(failure.kind, failure.message, mayHaveHappened: true)
    }

    private func pause(_ look: Int) async throws(CloudStorageError) {
        do {
            try await options.sleep(.milliseconds(500 << min(look, 6)))
        } catch {
            throw CloudStorageError(.cancelled, "cancelled while the server assembles a file")
        }
    }

    private func assembling(_ transfer: ChunkedTransfer) -> HTTPCall {
        let upload = transfer.upload
        var call = HTTPCall("assemble", .move, url: transfer.folder + "/.file")
        call.deadline = Self.changeDeadline
        call.headers = [
            ("Destination", transfer.target), ("OC-Total-Length", String(transfer.plan.size)),
            ("Overwrite", upload.target == .nothing ? "F" : "T"),
        ]
        if let seconds = storedTime(of: upload.content) {
            call.headers.append(("X-OC-Mtime", String(seconds)))
        }
        if let checksum = upload.checksum {
            call.headers.append(("OC-Checksum", "SHA1:" + checksum))
        }
        let isLocked = state.withLock { !$0.locks.concerned(by: [upload.path]).isEmpty }
        if case .revision(let text) = upload.target, !isLocked, profile.revisionIsETag,
            let etag = ContentRevision(text)?.etag
        {
            // If-Match would speak of the pieces.
            call.headers.append(("If", "<\(transfer.target)> ([\(etag.headerValue)])"))
        }
        return call
    }

    private func remove(_ transfer: ChunkedTransfer) async {
        let call = HTTPCall("remove-chunks", .delete, url: transfer.folder, isIdempotent: true)
        do throws(CloudStorageError) {
            _ = try await authorized(call)
        } catch {
            // The server throws it away by itself after a day.
            options.logger.debug("Pieces are left", metadata: ["error": "\(error.kind)"])
        }
    }
}

/// A chunked upload under way.
private struct ChunkedTransfer: Sendable {
    /// The address of the pieces' folder.
    var folder: String
    /// The address of the file.
    var target: String
    var upload: WebDAVClient.Upload
    var plan: ChunkPlan
}

extension CloudStorageError {
    fileprivate var asNotHappened: CloudStorageError {
        CloudStorageError(kind, message, retryAfter: retryAfter)
    }
}
