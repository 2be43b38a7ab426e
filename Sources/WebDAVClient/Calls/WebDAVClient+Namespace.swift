package import CloudStorage
import FoundationEssentials
import HTTPTransport
import Logging
import Synchronization

// Source: RFC 4918 sections 9.3 (MKCOL), 9.6 (DELETE), 9.9 (MOVE).
extension WebDAVClient {
    package func createFolder(
        name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        let part = try NewName.checked(name, profile)
        let parent = try folderPath(folder)
        let path = parent.appending(part)
        // Some servers answer 201 for a folder that was there (rclone).
        if profile.kind == .generic, try await find(path) != nil {
            throw CloudStorageError(.nameConflict, "the name is taken")
        }
        let call = HTTPCall("create-folder", .mkcol, url: url(path, isFolder: true))
        let answer = try await changing(call, touching: path)
        guard Self.isSuccess(answer) else {
            throw await namingRefusal(answer, at: path, in: parent)
        }
        let item: CloudItem
        do throws(CloudStorageError) {
            item = try await properties(
                of: path, isFolder: true, PropertyRequest.items(profile)
            ).item
        } catch {
            throw CloudStorageError(
                error.kind, error.message, retryAfter: error.retryAfter, mayHaveHappened: true)
        }
        guard item.reference.isFolder else {
            throw CloudStorageError(
                .invalidAnswer, "MKCOL has made no folder", mayHaveHappened: true)
        }
        return item
    }

    /// What a refused MKCOL or MOVE means: servers have several statuses for a taken name and for
    /// a missing parent (403, 405, 409, 412), and each of them means other things too.
    func namingRefusal(
        _ answer: HTTPAnswer, at path: RemotePath, in parent: RemotePath
    ) async -> CloudStorageError {
        let error = WebDAVErrors.error(for: answer)
        guard [403, 404, 405, 409, 412, 415, 500, 502].contains(answer.status) else {
            return error
        }
        do throws(CloudStorageError) {
            if try await find(path) != nil {
                return CloudStorageError(.nameConflict, "the name is taken")
            }
            guard let folder = try await find(parent), folder.reference.isFolder else {
                return CloudStorageError(.notFound, "the folder is not there")
            }
        } catch {
            options.logger.debug("No look after a refusal", metadata: ["error": "\(error.kind)"])
        }
        guard answer.status == 409 || answer.status == 412 else { return error }
        return CloudStorageError(.invalidRequest, error.message)
    }

    package func relocate(
        _ item: ItemReference, to destination: RelocationTarget
    ) async throws(CloudStorageError) -> CloudItem {
        guard item.kind != .root else {
            throw CloudStorageError(.unsupported, "a root can't be renamed or moved")
        }
        guard destination.folder.map({ $0.root == item.root }) ?? true else {
            throw CloudStorageError(.unsupported, "nothing can be moved between two roots")
        }
        let source = try RemotePath(item)
        guard var parent = source.parent, var part = source.parts.last else {
            throw CloudStorageError(.unsupported, "a root can't be renamed or moved")
        }
        if let folder = destination.folder { parent = try folderPath(folder) }
        if let name = destination.name { part = try NewName.checked(name, profile) }
        let target = parent.appending(part)
        guard target != source else { return try await self.item(item) }
        guard !source.contains(target) else {
            throw CloudStorageError(.invalidRequest, "a folder can't be moved into itself")
        }
        do throws(CloudStorageError) {
            try await move(item, from: source, to: target)
        } catch {
            guard error.mayHaveHappened else { throw error }
            return try await moved(item, from: source, to: target, after: error)
        }
        return try await relocated(item, from: source, to: target)
    }

    private func move(
        _ item: ItemReference, from source: RemotePath, to target: RemotePath
    ) async throws(CloudStorageError) {
        if Self.cut(target) != nil, state.withLock({ $0.cutsTargets }) {
            throw CloudStorageError(.invalidName, "the server can't rename to this name")
        }
        var call = HTTPCall("move", .move, url: url(source, isFolder: item.isFolder))
        call.deadline = Self.changeDeadline
        call.headers = [
            ("Destination", url(target, isFolder: item.isFolder)), ("Overwrite", "F"),
        ]
        if profile.kind == .generic { try await endLocks(below: source) }
        var answer = try await changing(call, touching: source, target)
        if answer.status == 412, state.withLock({ $0.locks.lock(of: source) }) != nil,
            try await find(target) == nil
        {
            // Go's library wants both names to be locked, if one is. The lock ends with the old
            // name in any case.
            try await unlock(item)
            answer = try await changing(call, touching: source, target)
        }
        guard Self.isSuccess(answer) else {
            let refusal = WebDAVErrors.error(for: answer)
            guard !refusal.mayHaveHappened else { throw refusal }
            if refusal.kind == .notFound, try await find(source) == nil { throw refusal }
            throw await namingRefusal(answer, at: target, in: target.parent ?? .top)
        }
        state.withLock { $0.locks.removeAll(below: source) }
    }

    private func relocated(
        _ item: ItemReference, from source: RemotePath, to target: RemotePath
    ) async throws(CloudStorageError) -> CloudItem {
        do throws(CloudStorageError) {
            let moved = try await properties(
                of: target, isFolder: item.isFolder, PropertyRequest.items(profile)
            ).item
            try Self.check(moved, is: item)
            return moved
        } catch {
            if error.kind == .notFound { try await undoCut(of: item, from: source, to: target) }
            throw CloudStorageError(
                error.kind, error.message, retryAfter: error.retryAfter, mayHaveHappened: true)
        }
    }

    /// Brings back an item that the server has given a shorter name than it was told.
    /// - Throws: `invalidName` once it is back.
    private func undoCut(
        of item: ItemReference, from source: RemotePath, to target: RemotePath
    ) async throws(CloudStorageError) {
        // The server replaces nothing: what is there now is what was moved.
        guard let cut = Self.cut(target), let there = try await find(cut),
            there.reference.isFolder == item.isFolder, try await find(source) == nil
        else { return }
        try await move(there.reference, from: cut, to: source)
        state.withLock { $0.cutsTargets = true }
        throw CloudStorageError(.invalidName, "the server can't rename to this name")
    }

    /// The path as far as a server reads it that takes a `;` or `?` of a name for the URL's own;
    /// nil where there is none.
    static func cut(_ path: RemotePath) -> RemotePath? {
        guard let part = path.parts.last, let parent = path.parent,
            let end = part.firstIndex(where: { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: "?") }
            ),
            end > 0
        else { return nil }
        return parent.appending(Array(part[..<end]))
    }

    /// Finds out whether a move whose answer was lost has happened: then the source is gone and
    /// the target is there.
    private func moved(
        _ item: ItemReference, from source: RemotePath, to target: RemotePath,
        after error: CloudStorageError
    ) async throws(CloudStorageError) -> CloudItem {
        let before: CloudItem?
        let after: CloudItem?
        do throws(CloudStorageError) {
            before = try await find(source)
            after = try await find(target)
        } catch {
            throw CloudStorageError(
                error.kind, error.message, retryAfter: error.retryAfter, mayHaveHappened: true)
        }
        if before == nil, let after {
            try Self.check(after, is: item)
            state.withLock { $0.locks.removeAll(below: source) }
            return after
        }
        guard before != nil, after == nil else { throw error }
        throw CloudStorageError(error.kind, error.message, retryAfter: error.retryAfter)
    }

    package func delete(_ item: ItemReference) async throws(CloudStorageError) {
        try await delete(item, revision: nil)
    }

    package func delete(
        _ item: ItemReference, revision: String?
    ) async throws(CloudStorageError) {
        guard item.kind != .root else {
            throw CloudStorageError(.unsupported, "a root can't be deleted")
        }
        let path = try RemotePath(item)
        let etag = item.isFolder ? nil : revision.flatMap { ContentRevision($0) }?.etag
        var isChecked = false
        if etag == nil || !profile.revisionIsETag {
            // A DELETE takes whatever is under the path, a folder with all that is in it.
            try await check(item, revision)
            isChecked = true
        }
        var answer = try await remove(item, path, etag)
        if answer.status == 412 {
            if !isChecked || etag != nil { try await check(item, revision) }
            state.withLock { $0.locks.removeAll(below: path) }
            answer = try await remove(item, path, nil)
        }
        let isGone = answer.status == 404 && answer.attempts > 1
        guard isGone || Self.isSuccess(answer) else { throw WebDAVErrors.error(for: answer) }
        state.withLock { $0.locks.removeAll(below: path) }
    }

    private func check(_ item: ItemReference, _ revision: String?) async throws(CloudStorageError) {
        let current = try await self.item(item)
        guard revision == nil || item.isFolder || current.revision == revision else {
            throw CloudStorageError(.revisionChanged, "the server has another revision by now")
        }
    }

    private func remove(
        _ item: ItemReference, _ path: RemotePath, _ etag: EntityTag?
    ) async throws(CloudStorageError) -> HTTPAnswer {
        var call = HTTPCall("delete", .delete, url: url(path, isFolder: item.isFolder))
        call.deadline = Self.changeDeadline
        if let etag {
            call.headers.append(("If-Match", etag.headerValue))
            // What comes under the path later has another ETag.
            call.isIdempotent = true
        }
        do throws(CloudStorageError) {
            return try await changing(call, touching: path)
        } catch {
            guard error.mayHaveHappened, try await find(path) == nil else { throw error }
            return HTTPAnswer(status: 204, headers: [], body: .init())
        }
    }
}
