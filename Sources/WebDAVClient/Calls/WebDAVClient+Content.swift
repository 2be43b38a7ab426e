package import CloudStorage
package import FileSystemTypes
import HTTPTransport
import Logging
import Synchronization

// Source: RFC 9110 (GET, PUT, preconditions, ranges).
extension WebDAVClient {
    // MARK: - Download

    package func download(
        _ file: ItemReference, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        try await download(file, revision: nil, range: range, to: sink)
    }

    package func download(
        _ file: ItemReference, revision: String?, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        guard !file.isFolder else {
            throw CloudStorageError(.invalidRequest, "the item is a folder, not a file")
        }
        if let range, range.isEmpty {
            return try sink.begin(offset: range.lowerBound, totalSize: nil)
        }
        let expected = revision.flatMap { ContentRevision($0) }
        var call = HTTPCall("download", .get, url: try url(file))
        call.traffic = .bulk
        if range != nil, let etag = expected?.etag, profile.revisionIsETag {
            // A server that has another content answers with all of it; that is noticed at once.
            call.headers.append(("If-Range", etag.headerValue))
        }
        let asked = self.asked(range)
        let admission: DownloadAdmission = { head throws(CloudStorageError) in
            try Self.check(head, against: expected)
        }
        let transport = transport
        let answer = try await authorized(call) { call throws(CloudStorageError) in
            try await transport.download(call, range: asked, to: sink, admission: admission)
        }
        switch answer.status {
        case 200, 206: if let asked { learnRanges(from: answer, asked: asked) }
        case 416 where range?.lowerBound == 0:
            // Servers have no bytes 0 of an empty file.
            try sink.begin(offset: 0, totalSize: 0)
        default:
            throw answer.isSuccess
                ? CloudStorageError(.invalidAnswer, "a download answered with \(answer.status)")
                : WebDAVErrors.error(for: answer)
        }
    }

    /// sabre/dav takes an end of 0 for none: one byte more is asked for than is needed.
    private func asked(_ range: ByteRange?) -> ByteRange? {
        guard profile.readsZeroEndAsOpen, range == ByteRange(0, 1) else { return range }
        return ByteRange(0, 2)
    }

    /// Holds what the answer's head says of the file against the revision that is wanted. What the
    /// server doesn't say can't be compared.
    static func check(
        _ head: AnswerHead, against expected: ContentRevision?
    ) throws(CloudStorageError) {
        guard let expected else { return }
        let etag = head.header("ETag").flatMap { EntityTag($0) }
        let modified = head.header("Last-Modified").flatMap { HTTPDate.seconds($0) }
        var size = head.status == 200 ? head.header("Content-Length").flatMap { Int64($0) } : nil
        if head.status == 206 {
            size = head.header("Content-Range").flatMap { ContentRange($0) }?.total
        }
        let differs =
            isDifferent(etag?.opaque, expected.etag?.opaque)
            || isDifferent(modified, expected.modified) || isDifferent(size, expected.size)
        if differs {
            throw CloudStorageError(.revisionChanged, "the server has another revision by now")
        }
    }

    static func isDifferent<Value: Equatable>(_ one: Value?, _ other: Value?) -> Bool {
        guard let one, let other else { return false }
        return one != other
    }

    private func learnRanges(from answer: HTTPAnswer, asked range: ByteRange) {
        if answer.status == 200, range.lowerBound == 0,
            let length = answer.header("Content-Length").flatMap({ Int64($0) }),
            length <= range.upperBound
        {
            // The range was the whole file: a server may leave such a one aside.
            return
        }
        state.withLock { $0.capabilities.supportsRanges = answer.status == 206 }
    }

    // MARK: - Upload

    package func upload(
        _ content: LocalContent, name: String, to folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        try await upload(content, name: name, to: folder, onto: .anything)
    }

    package func upload(
        _ content: LocalContent, name: String, to folder: ItemReference, onto target: UploadTarget
    ) async throws(CloudStorageError) -> CloudItem {
        let part = try NewName.checked(name, profile)
        let parent = try folderPath(folder)
        var upload = Upload(
            content: content, path: parent.appending(part), parent: parent, folder: folder,
            target: target)
        if profile.storesChecksums { upload.checksum = try await FileChecksum.sha1(of: content) }
        looks.begin(in: parent)
        let answer: HTTPAnswer
        do throws(CloudStorageError) {
            answer = try await send(upload)
        } catch {
            looks.end(in: parent)
            throw error
        }
        let item = try await stored(upload, answer)
        return try await tryConditions(with: upload, item)
    }

    private func send(_ upload: Upload) async throws(CloudStorageError) -> HTTPAnswer {
        let plan = chunkPlan(for: upload.content)
        if let plan, let answer = try await sendInChunks(upload, plan) { return answer }
        let answer = try await sendWhole(upload)
        // It may have been this one upload that was refused, not all in pieces.
        if plan != nil { state.withLock { $0.refusesChunks = true } }
        return answer
    }

    private func sendWhole(_ upload: Upload) async throws(CloudStorageError) -> HTTPAnswer {
        let conditions = Self.conditions(of: upload.target)
        if needsLook(upload, conditions) { try await check(upload) }
        var answer = try await put(upload, conditions: conditions)
        if answer.status == 412 {
            if upload.target == .nothing { state.withLock { $0.honoursConditions = true } }
            try await check(upload)
            // The condition holds all the same: servers give a young file a weak ETag, which fits
            // no If-Match.
            let remaining = profile.revisionIsETag ? conditions : []
            answer = try await put(upload, conditions: remaining)
            if answer.status == 412 {
                // Then it is a lock's token that has run out.
                state.withLock { $0.locks.removeAll(below: upload.path) }
                answer = try await put(upload, conditions: remaining)
            }
        }
        guard Self.isSuccess(answer) else { throw await refusal(answer, of: upload) }
        return answer
    }

    /// One upload under way.
    struct Upload: Sendable {
        var content: LocalContent
        var path: RemotePath
        var parent: RemotePath
        var folder: ItemReference
        var target: UploadTarget
        /// SHA-1 in hex, where the server wants it.
        var checksum: String?
    }

    static func conditions(of target: UploadTarget) -> [(String, String)] {
        switch target {
        case .anything: return []
        case .nothing: return [("If-None-Match", "*")]
        case .revision(let text):
            guard let etag = ContentRevision(text)?.etag else { return [] }
            return [("If-Match", etag.headerValue)]
        }
    }

    /// Whether the conditions alone don't keep an upload from replacing what nobody here has seen.
    private func needsLook(_ upload: Upload, _ conditions: [(String, String)]) -> Bool {
        switch upload.target {
        case .anything: false
        case .nothing: !state.withLock { $0.honoursConditions }
        case .revision: conditions.isEmpty || !profile.revisionIsETag
        }
    }

    /// Compares what is on the server with what the upload is to find there.
    func check(_ upload: Upload) async throws(CloudStorageError) {
        let current = try await find(upload.path)
        switch upload.target {
        case .anything: return
        case .nothing:
            if current != nil { throw CloudStorageError(.nameConflict, "the name is taken") }
        case .revision(let revision):
            guard let current else {
                throw CloudStorageError(.revisionChanged, "the file is no longer there")
            }
            guard current.revision == revision else {
                throw CloudStorageError(.revisionChanged, "the server has another revision by now")
            }
        }
    }

    func put(
        _ upload: Upload, conditions: [(String, String)]
    ) async throws(CloudStorageError) -> HTTPAnswer {
        var call = HTTPCall("upload", .put, url: url(upload.path, isFolder: false))
        call.traffic = .upload(of: upload.content.size)
        call.headers = conditions
        if let seconds = storedTime(of: upload.content) {
            call.headers.append(("X-OC-Mtime", String(seconds)))
        }
        if let checksum = upload.checksum {
            call.headers.append(("OC-Checksum", "SHA1:" + checksum))
        }
        call.body = .file(upload.content, type: "application/octet-stream")
        return try await changing(call, touching: upload.path)
    }

    /// The modification time to send; nil where the server would not take it.
    func storedTime(of content: LocalContent) -> Int64? {
        guard profile.storesModificationTime, let seconds = content.modified?.seconds,
            seconds >= profile.firstModificationTime,
            ServerEntry.plausibleSeconds.contains(seconds)
        else { return nil }
        return seconds
    }

    /// What a refused upload means: servers have several statuses for a folder under the name and
    /// for a missing parent (404, 405, 409, nginx 500), and each of them means other things too.
    func refusal(_ answer: HTTPAnswer, of upload: Upload) async -> CloudStorageError {
        let error = WebDAVErrors.error(for: answer)
        guard [403, 404, 405, 409, 500, 501].contains(answer.status) else { return error }
        do throws(CloudStorageError) {
            if let there = try await find(upload.path), there.reference.isFolder {
                return CloudStorageError(.nameConflict, "a folder has the name")
            }
            guard let parent = try await find(upload.parent), parent.reference.isFolder else {
                return CloudStorageError(.notFound, "the folder is not there")
            }
        } catch {
            options.logger.debug("No look after a refusal", metadata: ["error": "\(error.kind)"])
        }
        // lighttpd has no room for its temporary file's name.
        if answer.status == 500, upload.path.parts.last?.count ?? 0 > 240 {
            return CloudStorageError(.nameTooLong, error.message)
        }
        guard answer.status == 409 else { return error }
        return CloudStorageError(.invalidRequest, error.message)
    }
}
