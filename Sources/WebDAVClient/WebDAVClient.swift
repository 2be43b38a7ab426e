package import CloudStorage
import FoundationEssentials
package import HTTPTransport
package import Logging
import Synchronization

/// Settings of a client that are not the account's.
package struct WebDAVOptions: Sendable {
    package var logger = Logger(label: "ordner.webdav")
    /// What others see as the holder of this client's locks. By it a client that has lost its
    /// tokens knows its locks again: no two mounts may share it.
    package var lockOwner: String
    /// Waits before a call is repeated; throws when the task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    /// What pauses are measured by.
    package var now: @Sendable () -> ContinuousClock.Instant = { .now }

    package init(lockOwner: String) { self.lockOwner = lockOwner }
}

/// One account on a WebDAV server. Safe from any task.
///
/// Items are addressed by path. Where the server has ids (`oc:fileid`) references carry them, and
/// an item found under a path with another id counts as not found.
package final class WebDAVClient: CloudStorage {
    /// The account's one root.
    package static let root = RootIdentifier("files")
    /// Seconds a lock is asked for; servers cut it to what they allow.
    static let lockSeconds = 1_800
    /// No pause keeps a call waiting longer; it fails with the time that is left.
    static let longestWait = Duration.seconds(30)
    /// How often a call is sent again to a server that says it is busy.
    private static let maximumRepeats = 4
    /// From sending a change of the namespace to its answer: what is below a folder counts.
    static let changeDeadline = Duration.seconds(300)

    struct State {
        var capabilities: Capabilities
        var cookies: CookieJar
        var locks = LockTable()
        /// The server no longer takes the credentials: asking again would only have the account
        /// blocked.
        var isRefused = false
        var pausedUntil: ContinuousClock.Instant?
        /// If-None-Match is known to work.
        var honoursConditions: Bool
        /// It has been tried whether it works.
        var hasTriedConditions = false
        /// The server finds no token in a list that names its resource (nginx, where an address
        /// has escapes).
        var wantsPlainTokens = false
        /// The server cuts the target of a MOVE at a `;` or `?` (wsgidav).
        var cutsTargets = false
        /// The server offers uploads in pieces and takes none.
        var refusesChunks = false
    }

    let server: WebDAVServer
    let profile: WebDAVProfile
    let address: ServerAddress
    let transport: HTTPTransport
    let options: WebDAVOptions
    let state: Mutex<State>
    let looks: FolderLooks
    /// The decoded path of the account's files.
    let base: [[UInt8]]
    let credentials: WebDAVCredentials
    private let authorization: String

    /// - Throws: `invalidRequest` where the server's address may not be used.
    package init(
        server: WebDAVServer, credentials: WebDAVCredentials, transport: HTTPTransport,
        options: WebDAVOptions
    ) throws(CloudStorageError) {
        self.server = server
        self.profile = server.profile
        self.address = try server.address
        self.transport = transport
        self.options = options
        self.looks = FolderLooks(sleep: options.sleep)
        self.base = DAVHref(address.prefix).parts
        self.credentials = credentials
        self.authorization = Self.authorization(credentials)
        self.state = Mutex(
            State(
                capabilities: server.profile.capabilities,
                cookies: CookieJar(isSecure: address.scheme == "https"),
                honoursConditions: server.profile.honoursConditions))
    }

    package var capabilities: Capabilities { state.withLock { $0.capabilities } }

    /// Whether the server can be reached.
    package var health: ConnectionHealth { transport.health }

    /// The `Authorization` header of Basic authentication (RFC 7617).
    static func authorization(_ credentials: WebDAVCredentials) -> String {
        let pair = Data((credentials.user + ":" + credentials.password).utf8)
        return "Basic " + pair.base64EncodedString()
    }

    // MARK: - Sending

    typealias Sending = (HTTPCall) async throws(CloudStorageError) -> HTTPAnswer

    /// Sends a call with the credentials and cookies, waits out a pause the server has asked for,
    /// and stops at the first refused sign-in.
    func authorized(
        _ call: HTTPCall, _ send: Sending
    ) async throws(CloudStorageError) -> HTTPAnswer {
        var attempt = 0
        var waited = try await waitOutPause()
        while true {
            let answer = try await send(prepared(call))
            let pause = note(answer, attempt: attempt)
            guard let pause, attempt < Self.maximumRepeats, waited + pause <= Self.longestWait
            else { return answer }
            attempt += 1
            waited += try await waitOutPause()
        }
    }

    /// The call with what every call carries.
    private func prepared(_ call: HTTPCall) throws(CloudStorageError) -> HTTPCall {
        var call = call
        call.repeatsWhenBusy = false
        call.headers.append(("Authorization", authorization))
        // Compressed answers have other lengths and ETags than the file.
        call.headers.append(("Accept-Encoding", "identity"))
        let path = String(call.url.dropFirst(address.origin.count))
        let (isRefused, cookies) = state.withLock { ($0.isRefused, $0.cookies.header(path: path)) }
        guard !isRefused else {
            throw CloudStorageError(.signInRequired, "the server does not take the password")
        }
        if let cookies { call.headers.append(("Cookie", cookies)) }
        return call
    }

    func authorized(_ call: HTTPCall) async throws(CloudStorageError) -> HTTPAnswer {
        let transport = transport
        return try await authorized(call) { call throws(CloudStorageError) in
            try await transport.send(call)
        }
    }

    /// Sends a change of the namespace or of content with the tokens of our locks that it needs,
    /// again where the server was only busy with another change of the same file.
    /// - Parameter paths: what the change touches.
    func changing(
        _ call: HTTPCall, touching paths: RemotePath...
    ) async throws(CloudStorageError) -> HTTPAnswer {
        let answer = try await sentWithTokens(call, paths)
        guard call.method != .lock, Self.isRefusedForLock(answer),
            await endOrphanedLocks(answer, touching: paths, isFolder: call.url.hasSuffix("/"))
        else { return answer }
        return try await sentWithTokens(call, paths)
    }

    private func sentWithTokens(
        _ call: HTTPCall, _ paths: [RemotePath]
    ) async throws(CloudStorageError) -> HTTPAnswer {
        let (locks, isPlain) = state.withLock {
            ($0.locks.concerned(by: paths), $0.wantsPlainTokens)
        }
        let answer = try await patiently(adding(locks, to: call, isPlain: isPlain))
        guard !locks.isEmpty, !isPlain, answer.status == 423 else { return answer }
        let second = try await patiently(adding(locks, to: call, isPlain: true))
        if Self.isSuccess(second) { state.withLock { $0.wantsPlainTokens = true } }
        return second
    }

    private func adding(
        _ locks: [(path: RemotePath, lock: LockTable.Lock)], to call: HTTPCall, isPlain: Bool
    ) -> HTTPCall {
        guard !locks.isEmpty else { return call }
        let lists = locks.map { path, lock in
            (isPlain ? "" : "<\(url(path, isFolder: lock.isFolder))> ") + "(<\(lock.token)>)"
        }
        var call = call
        call.headers.append(("If", lists.joined(separator: " ")))
        return call
    }

    private func patiently(_ call: HTTPCall) async throws(CloudStorageError) -> HTTPAnswer {
        var attempt = 0
        while true {
            let answer = try await authorized(call)
            guard profile.hasTransientLocks, attempt < 4, WebDAVErrors.isTransientLock(answer)
            else { return answer }
            do {
                try await options.sleep(.milliseconds(250 << attempt))
            } catch {
                throw CloudStorageError(.cancelled, "cancelled between two attempts")
            }
            attempt += 1
        }
    }

    /// Whether a change has been done: a multistatus answer to one tells what has not.
    static func isSuccess(_ answer: HTTPAnswer) -> Bool {
        answer.isSuccess && answer.status != 207
    }

    /// Learns from an answer; how long all calls are to pause, where the server is busy.
    private func note(_ answer: HTTPAnswer, attempt: Int) -> Duration? {
        let now = options.now()
        let isBusy = answer.status == 429 || answer.status == 503
        let asked = answer.retryAfter.map { Duration.seconds(min($0, 86_400)) }
        let pause = isBusy ? asked ?? .milliseconds(500 << min(attempt, 8)) : nil
        state.withLock { state in
            state.cookies.take(answer.headers)
            if answer.status == 401 { state.isRefused = true }
            if let pause { state.pausedUntil = max(state.pausedUntil ?? now, now + pause) }
        }
        return pause
    }

    /// While the server wants to be left alone, no call goes out: short pauses are waited for.
    /// Answers how long that took.
    private func waitOutPause() async throws(CloudStorageError) -> Duration {
        let now = options.now()
        let pause = state.withLock { $0.pausedUntil.map { now.duration(to: $0) } } ?? .zero
        guard pause > .zero else { return .zero }
        guard pause <= Self.longestWait else {
            throw CloudStorageError(
                .temporarilyUnavailable, "the server has asked to be left alone for a while",
                retryAfter: Double(pause.components.seconds))
        }
        do {
            try await options.sleep(pause)
        } catch {
            throw CloudStorageError(.cancelled, "cancelled while the server wanted a pause")
        }
        return pause
    }

    // MARK: - Addresses and items

    func url(_ path: RemotePath, isFolder: Bool) -> String {
        address.url(path.escaped(isFolder: isFolder))
    }

    func url(_ reference: ItemReference) throws(CloudStorageError) -> String {
        url(try RemotePath(reference), isFolder: reference.isFolder)
    }

    func folderPath(_ reference: ItemReference) throws(CloudStorageError) -> RemotePath {
        guard reference.isFolder else {
            throw CloudStorageError(.invalidRequest, "the item is a file, not a folder")
        }
        return try RemotePath(reference)
    }

    /// The checks for one answer, with what is known of our locks.
    func checks() -> ItemChecks {
        var checks = ItemChecks(profile: profile, base: base)
        checks.ownTokens = state.withLock { $0.locks.tokens }
        checks.ownLockOwner = options.lockOwner
        return checks
    }

    /// Says in the log what was mended in an answer.
    func report(_ findings: [ItemChecks.Finding]) {
        guard !findings.isEmpty else { return }
        options.logger.debug(
            "The server's answer needed mending",
            metadata: ["count": "\(findings.count)", "first": "\(findings.prefix(5))"])
    }
}
