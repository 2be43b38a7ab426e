import CloudStorage
import HTTPTransport
import Logging
import Synchronization

/// Locks that bear our name and that nobody here knows of: of before a crash, or of a LOCK whose
/// answer was lost.
extension WebDAVClient {
    /// The most locks that are looked at for one refused call.
    private static let maximumOrphans = 100

    /// Ends the orphaned locks that a call was refused for: those on what it touches, and those
    /// that the answer names (RFC 4918 section 16, `lock-token-submitted`). Returns whether there
    /// were any.
    func endOrphanedLocks(
        _ answer: HTTPAnswer, touching paths: [RemotePath], isFolder: Bool
    ) async -> Bool {
        guard profile.supportsLocks else { return false }
        var items = paths.map { item($0, isFolder: isFolder) }
        for href in Self.lockedHrefs(in: answer).prefix(Self.maximumOrphans) {
            guard let path = path(ofLocked: href) else { continue }
            guard paths.contains(where: { $0.contains(path) || path.contains($0) }) else {
                continue
            }
            items.append(item(path, isFolder: DAVHref(href).endsWithSlash))
        }
        var hasEnded = false
        for item in Set(items) where await endOrphanedLock(on: item) { hasEnded = true }
        return hasEnded
    }

    private func endOrphanedLock(on item: ItemReference) async -> Bool {
        do throws(CloudStorageError) {
            let path = try RemotePath(item)
            guard state.withLock({ $0.locks.lock(of: path) }) == nil else { return false }
            let own = try await ownLocks(on: path, item)
            // That of a folder above which is held is no orphan.
            let held = state.withLock { state in
                state.locks.lock(of: path) == nil ? state.locks.tokens : nil
            }
            guard let held, let token = own.compactMap(\.token).first(where: { !held.contains($0) })
            else { return false }
            var call = HTTPCall("unlock", .unlock, url: try url(item), isIdempotent: true)
            call.headers = [("Lock-Token", "<\(token)>")]
            return try await authorized(call).isSuccess
        } catch {
            // The refusal stands, and says why.
            options.logger.debug("No look at locks", metadata: ["error": "\(error.kind)"])
            return false
        }
    }

    /// sabre/dav writes the path from its own top on, which is a folder above the account's files.
    private func path(ofLocked href: String) -> RemotePath? {
        let parsed = DAVHref(href)
        let isRelative = !href.hasPrefix("/") && !href.contains("://")
        let tops = isRelative ? base.indices.map { Array(base[$0...]) } + [[]] : [base]
        return tops.lazy.compactMap { parsed.parts(below: $0) }.first?
            .reduce(RemotePath.top) { $0.appending($1) }
    }

    /// Some servers leave a lock on a name that a MOVE has taken away (wsgidav), where nothing can
    /// end it any more; others refuse to move a folder with locks in it. The lock would end with
    /// the old name in any case.
    func endLocks(below source: RemotePath) async throws(CloudStorageError) {
        let held = state.withLock { state in
            state.locks.concerned(by: [source]).filter { source.contains($0.path) }
        }
        for (path, lock) in held { try await unlock(item(path, isFolder: lock.isFolder)) }
    }

    /// Whether a change was refused for a lock, in part at least.
    static func isRefusedForLock(_ answer: HTTPAnswer) -> Bool {
        // Apache answers 424, with the 423 of what is below a folder inside.
        [423, 424].contains(answer.status)
            || answer.status == 207 && WebDAVErrors.error(for: answer).kind == .locked
    }

    private static func lockedHrefs(in answer: HTTPAnswer) -> [String] {
        let reader = DAVAnswerReader()
        do throws(CloudStorageError) {
            try reader.feed(Array(answer.body))
        } catch {
            return reader.error.lockedHrefs
        }
        let refused = reader.takeResponses().filter { $0.status == 423 }.flatMap(\.hrefs)
        return reader.error.lockedHrefs + refused
    }

    private func item(_ path: RemotePath, isFolder: Bool) -> ItemReference {
        ItemReference(
            root: Self.root, kind: isFolder ? .folder : .file, id: nil, path: path.text)
    }
}
