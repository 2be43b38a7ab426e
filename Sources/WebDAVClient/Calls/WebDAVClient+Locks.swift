package import CloudStorage
import FoundationEssentials
import HTTPTransport
import Logging
import Synchronization

// Source: RFC 4918 sections 6, 7, 9.10 (LOCK), 9.11 (UNLOCK).
extension WebDAVClient {
    package func lock(_ item: ItemReference, seconds: Int) async throws(CloudStorageError) {
        let path = try lockable(item)
        let timeout = max(1, min(seconds, 86_400))
        if let held = state.withLock({ $0.locks.lock(of: path) }) {
            if try await refresh(held, item, path, timeout) { return }
            state.withLock { $0.locks.remove(path) }
        }
        // LOCK on a name that is free makes an empty file.
        _ = try await self.item(item)
        let answer = try await take(item, path, timeout)
        if answer.isSuccess {
            guard let token = Self.token(of: answer) else {
                throw CloudStorageError(
                    .invalidAnswer, "a LOCK answered without a token", mayHaveHappened: true)
            }
            noteDuration(of: answer, asked: timeout)
            return keep(token, item, path)
        }
        let error = WebDAVErrors.error(for: answer)
        guard error.kind == .locked else { throw error }
        let all = try await locks(on: path, item)
        let own = all.filter { isOurs($0) }
        guard let token = own.first(where: { isLock($0, on: path) })?.token else {
            // Ours on a folder above keeps others out as well; it is not this file's to give back.
            // Some servers (rclone, wsgidav) don't tell of it here.
            let isCovered = all.isEmpty && state.withLock { $0.locks.isCovered(path) }
            guard isCovered || !own.isEmpty else { throw error }
            return
        }
        // Ours from before a crash, or from a LOCK whose answer was lost.
        let lock = LockTable.Lock(token: token, isFolder: item.isFolder)
        guard try await refresh(lock, item, path, timeout) else { throw error }
        keep(token, item, path)
    }

    package func unlock(_ item: ItemReference) async throws(CloudStorageError) {
        let path = try lockable(item)
        var token = state.withLock { $0.locks.lock(of: path)?.token }
        if token == nil { token = try await ownToken(on: path, item) }
        guard let token else { return }
        var call = HTTPCall("unlock", .unlock, url: try url(item), isIdempotent: true)
        call.headers = [("Lock-Token", "<\(token)>")]
        let answer = try await authorized(call)
        if answer.isSuccess || [400, 404, 409, 412, 423].contains(answer.status) {
            // After the refusals it is not there any more, or not ours.
            state.withLock { $0.locks.remove(path) }
            return
        }
        // Nextcloud answers 500 where the token is none of the resource's.
        if answer.status == 500, try await !isHeld(token, on: path, item) {
            state.withLock { $0.locks.remove(path) }
            return
        }
        throw WebDAVErrors.error(for: answer)
    }

    private func lockable(_ item: ItemReference) throws(CloudStorageError) -> RemotePath {
        guard profile.supportsLocks else {
            throw CloudStorageError(.unsupported, "the server has no locks")
        }
        return try RemotePath(item)
    }

    private func keep(_ token: String, _ item: ItemReference, _ path: RemotePath) {
        state.withLock { state in
            // A server may answer with the folder's lock, whose token it was sent.
            guard !state.locks.hasToken(token, notOf: path) else { return }
            state.locks.add(LockTable.Lock(token: token, isFolder: item.isFolder), to: path)
        }
    }

    private func take(
        _ item: ItemReference, _ path: RemotePath, _ seconds: Int
    ) async throws(CloudStorageError) -> HTTPAnswer {
        // A second LOCK of the same owner is refused, and then the first one is found.
        var call = HTTPCall("lock", .lock, url: try url(item), isIdempotent: true)
        call.headers = [
            ("Depth", item.isFolder ? "infinity" : "0"), ("Timeout", "Second-\(seconds)"),
        ]
        let body = """
            <?xml version="1.0" encoding="utf-8"?>
            <d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope>\
            <d:locktype><d:write/></d:locktype><d:owner>\(Self.escaped(options.lockOwner))\
            </d:owner></d:lockinfo>
            """
        call.body = .bytes(Array(body.utf8), type: PropertyRequest.type)
        return try await changing(call, touching: path)
    }

    /// False where the server does not know the lock any more.
    private func refresh(
        _ lock: LockTable.Lock, _ item: ItemReference, _ path: RemotePath, _ seconds: Int
    ) async throws(CloudStorageError) -> Bool {
        var call = HTTPCall("lock", .lock, url: try url(item), isIdempotent: true)
        call.headers = [("Timeout", "Second-\(seconds)"), ("If", "(<\(lock.token)>)")]
        let answer = try await authorized(call)
        if answer.isSuccess {
            noteDuration(of: answer, asked: seconds)
            return true
        }
        guard [400, 403, 404, 409, 412, 423].contains(answer.status) else {
            throw WebDAVErrors.error(for: answer)
        }
        return false
    }

    /// Remembers where a server grants less time than it is asked for (nginx: a minute).
    private func noteDuration(of answer: HTTPAnswer, asked: Int) {
        let reader = DAVAnswerReader()
        do throws(CloudStorageError) {
            try reader.feed(Array(answer.body))
        } catch {
            options.logger.debug("A LOCK answered with no XML")
        }
        let granted = reader.locks.compactMap { Self.seconds($0.timeout) }.min()
        guard let granted, granted > 0, granted < asked else { return }
        state.withLock { state in
            state.capabilities.lockSeconds = min(state.capabilities.lockSeconds ?? granted, granted)
        }
    }

    /// Of a `timeout` element: `Second-300`; nil for `Infinite`.
    static func seconds(_ timeout: String?) -> Int? {
        guard let timeout, timeout.hasPrefix("Second-") else { return nil }
        return Int(timeout.dropFirst("Second-".count))
    }

    /// The token of a lock on the item that bears our name, those on folders above left out.
    private func ownToken(
        on path: RemotePath, _ item: ItemReference
    ) async throws(CloudStorageError) -> String? {
        try await ownLocks(on: path, item).first { isLock($0, on: path) }?.token
    }

    /// The locks on the item, and on folders above it, that bear our name.
    func ownLocks(
        on path: RemotePath, _ item: ItemReference
    ) async throws(CloudStorageError) -> [ActiveLock] {
        try await locks(on: path, item).filter { isOurs($0) }
    }

    private func isOurs(_ lock: ActiveLock) -> Bool {
        lock.token != nil && lock.owner == options.lockOwner
    }

    /// Whether a lock that covers an item was taken on the item itself, as far as it is known.
    private func isLock(_ lock: ActiveLock, on path: RemotePath) -> Bool {
        if let token = lock.token, state.withLock({ $0.locks.hasToken(token, notOf: path) }) {
            return false
        }
        // Not every server tells it.
        guard let root = lock.root, !root.isEmpty else { return true }
        let parts = DAVHref(root).parts.map { String(decoding: $0, as: UTF8.self) }
        let top = base.map { String(decoding: $0, as: UTF8.self) }
        let wanted = path.parts.map { String(decoding: $0, as: UTF8.self) }
        if parts.starts(with: top) { return Array(parts.dropFirst(top.count)) == wanted }
        // sabre/dav writes it from its own top on, and proxies may map paths.
        return parts.suffix(wanted.count).elementsEqual(wanted)
    }

    private func isHeld(
        _ token: String, on path: RemotePath, _ item: ItemReference
    ) async throws(CloudStorageError) -> Bool {
        try await locks(on: path, item).contains { $0.token == token }
    }

    private func locks(
        on path: RemotePath, _ item: ItemReference
    ) async throws(CloudStorageError) -> [ActiveLock] {
        try await properties(of: path, isFolder: item.isFolder, PropertyRequest.locks).entry.locks
    }

    /// From the `Lock-Token` header, or from the body.
    static func token(of answer: HTTPAnswer) -> String? {
        if let header = answer.header("Lock-Token"), header.hasPrefix("<"), header.hasSuffix(">") {
            return checked(String(header.dropFirst().dropLast()))
        }
        let reader = DAVAnswerReader()
        do throws(CloudStorageError) {
            try reader.feed(Array(answer.body))
        } catch {
            return nil
        }
        return reader.locks.lazy.compactMap(\.token).compactMap(checked).first
    }

    /// A token goes into headers: an absolute URI, nothing else.
    private static func checked(_ token: String) -> String? {
        let isPlausible =
            (1...500).contains(token.utf8.count)
            && token.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">")
            }
        return isPlausible ? token : nil
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
