package import CloudStorage
import HTTPTransport
import Logging
import Synchronization

// Source: RFC 4918 section 9.8 (COPY).
extension WebDAVClient {
    package func copy(
        _ file: ItemReference, revision: String, to folder: ItemReference, name: String
    ) async throws(CloudStorageError) -> CloudItem {
        guard file.kind == .file else {
            throw CloudStorageError(.unsupported, "only files are copied")
        }
        let source = try RemotePath(file)
        let parent = try folderPath(folder)
        let target = parent.appending(try NewName.checked(name, profile))
        guard target != source else {
            throw CloudStorageError(.nameConflict, "a file can't be copied onto itself")
        }
        guard Self.cut(target) == nil else {
            // Some servers would store the copy under a part of the name.
            throw CloudStorageError(.unsupported, "not every server copies to this name")
        }
        // Some servers copy into a folder of the name.
        if profile.kind == .generic, try await find(target) != nil {
            throw CloudStorageError(.nameConflict, "the name is taken")
        }
        let answer = try await changing(
            copying(file, from: source, revision, to: target), touching: target)
        guard Self.isSuccess(answer) else {
            throw await refusal(answer, ofCopying: file, from: source, revision, to: target)
        }
        return try await copied(file, from: source, revision, to: target)
    }

    private func copying(
        _ file: ItemReference, from source: RemotePath, _ revision: String, to target: RemotePath
    ) -> HTTPCall {
        var call = HTTPCall("copy", .copy, url: url(source, isFolder: false))
        call.deadline = Self.changeDeadline
        call.headers = [
            ("Destination", url(target, isFolder: false)), ("Overwrite", "F"), ("Depth", "0"),
        ]
        if profile.revisionIsETag, let etag = ContentRevision(revision)?.etag {
            call.headers.append(("If-Match", etag.headerValue))
        }
        return call
    }

    private func refusal(
        _ answer: HTTPAnswer, ofCopying file: ItemReference, from source: RemotePath,
        _ revision: String, to target: RemotePath
    ) async -> CloudStorageError {
        let error = WebDAVErrors.error(for: answer)
        guard !error.mayHaveHappened else { return error }
        if answer.status == 405 || answer.status == 501 {
            state.withLock { $0.capabilities.copiesOnServer = false }
            return CloudStorageError(.unsupported, "the server does not copy files")
        }
        if answer.status == 404 || answer.status == 412 {
            do throws(CloudStorageError) {
                let current = try await self.item(file)
                if current.revision != revision {
                    return CloudStorageError(
                        .revisionChanged, "the server has another revision by now")
                }
            } catch {
                return error
            }
        }
        return await namingRefusal(answer, at: target, in: target.parent ?? .top)
    }

    /// The copy, once it is known to be one of the revision that was meant: the source is looked at
    /// after it was copied, since few servers hold a condition against the source of a COPY.
    private func copied(
        _ file: ItemReference, from source: RemotePath, _ revision: String, to target: RemotePath
    ) async throws(CloudStorageError) -> CloudItem {
        do throws(CloudStorageError) {
            let copy = try await properties(
                of: target, isFolder: false, PropertyRequest.items(profile)
            ).item
            let original = try await find(source)
            let isSame =
                original?.revision == revision && original?.size == copy.size
                && (file.id == nil || original?.reference.id == file.id)
            guard !copy.reference.isFolder else {
                throw CloudStorageError(.invalidAnswer, "a folder has the name of the copy")
            }
            if isSame { return copy }
            try await delete(copy.reference, revision: copy.revision)
        } catch {
            throw CloudStorageError(
                error.kind, error.message, retryAfter: error.retryAfter, mayHaveHappened: true)
        }
        throw CloudStorageError(.revisionChanged, "the file was changed while it was copied")
    }
}
