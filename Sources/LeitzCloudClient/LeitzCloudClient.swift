package import CloudStorage
import FoundationEssentials
package import HTTPTransport
import LeitzCloudAPI
package import Logging
import Synchronization

/// Settings of a client that are not the account's.
package struct LeitzCloudOptions: Sendable {
    package var logger = Logger(label: "ordner.leitzcloud")
    /// The local clock, in seconds since 1970: for the age of tokens, and where a server sends no
    /// date.
    package var now: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }

    package init() {}
}

/// One account on a server of API v2. Safe from any task.
///
/// The calls of `CloudStorage` are in the extensions by topic, and beside them the calls of the
/// API's File-System chapter that the seam does not have.
package final class LeitzCloudClient: CloudStorage {
    package let address: ServerAddress
    let transport: HTTPTransport
    let options: LeitzCloudOptions
    let state = Mutex(ClientState())
    private let tokens: TokenKeeper

    /// - Parameters:
    ///   - store: read at the first call, written whenever the server gives new tokens.
    ///   - transport: may be shared with other accounts of the same server.
    package init(
        address: ServerAddress, credentials store: any CredentialStore, transport: HTTPTransport,
        options: LeitzCloudOptions = LeitzCloudOptions()
    ) {
        self.address = address
        self.transport = transport
        self.options = options
        self.tokens = TokenKeeper(
            store: store, exchange: TokenExchange(address: address, transport: transport),
            now: options.now)
    }

    package var capabilities: Capabilities { state.withLock { $0.capabilities } }

    /// Whether the server can be reached.
    package var health: ConnectionHealth { transport.health }

    /// The API version the server names, e.g. `2.0.9`; needs no sign-in.
    package func version() async throws(CloudStorageError) -> String {
        guard let version = try await LeitzCloudSignIn.detect(address, transport: transport) else {
            throw CloudStorageError(.invalidAnswer, "\(address) is no server of API v2")
        }
        return version
    }

    /// Sends a call with the access token; where the server refuses the token, once more with a
    /// new one.
    func authorized(
        _ call: HTTPCall, _ perform: (HTTPCall) async throws(CloudStorageError) -> HTTPAnswer
    ) async throws(CloudStorageError) -> HTTPAnswer {
        let token = try await tokens.token()
        let answer = try await perform(Self.bearing(token, call))
        guard answer.status == 401 else { return answer }
        let fresh = try await tokens.replacement(for: token)
        return try await perform(Self.bearing(fresh, call))
    }

    func authorized(_ call: HTTPCall) async throws(CloudStorageError) -> HTTPAnswer {
        let transport = transport
        return try await authorized(call) { call throws(CloudStorageError) in
            try await transport.send(call)
        }
    }

    /// Sends a call whose answer must be a success.
    func succeeding(
        _ call: HTTPCall, subject: AnswerErrors.Subject
    ) async throws(CloudStorageError) -> HTTPAnswer {
        let answer = try await authorized(call)
        guard answer.isSuccess else { throw AnswerErrors.error(for: answer, of: subject) }
        return answer
    }

    private static func bearing(_ token: String, _ call: HTTPCall) -> HTTPCall {
        var call = call
        call.headers.append(("Authorization", "Bearer \(token)"))
        return call
    }

    // MARK: - Addresses

    /// The API's address of an item.
    func itemAddress(_ reference: ItemReference) throws(CloudStorageError) -> ItemAddress {
        let root = try Self.number(reference.root.rawValue)
        switch reference.kind {
        case .root: return .root(root)
        case .folder: return .folder(root: root, folder: try Self.number(reference.id))
        case .file: return .file(root: root, file: try Self.number(reference.id))
        }
    }

    func folderAddress(_ reference: ItemReference) throws(CloudStorageError) -> ItemAddress {
        guard reference.isFolder else {
            throw CloudStorageError(.invalidRequest, "the item is a file, not a folder")
        }
        return try itemAddress(reference)
    }

    private static func number(_ id: String?) throws(CloudStorageError) -> Int64 {
        guard let id, let number = Int64(id), number >= 0 else {
            throw CloudStorageError(.invalidRequest, "the item has no id of this server")
        }
        return number
    }

    // MARK: - Items

    /// The checks for one answer, with what is known of the person and of our locks.
    func checks(for root: RootIdentifier) -> ItemChecks {
        let user = tokens.current?.user.lowercased()
        return state.withLock { state in
            if let user { state.identity.emails.insert(user) }
            var checks = ItemChecks(root: root, identity: state.identity)
            checks.ownLocks = state.ownLocks
            return checks
        }
    }

    /// Says in the log what was mended in an answer; paths and names only by id.
    func report(_ findings: [ItemChecks.Finding], in root: RootIdentifier) {
        guard !findings.isEmpty else { return }
        options.logger.debug(
            "The server's answer needed mending",
            metadata: [
                "root": "\(root)", "count": "\(findings.count)",
                "first": "\(findings.prefix(5))",
            ])
    }

    /// A file or folder object of an answer, as an item of the seam.
    func checkedItem(_ wire: WireItem, root: RootIdentifier) -> CloudItem {
        var checks = checks(for: root)
        let item = checks.item(wire, in: nil)
        report(checks.findings, in: root)
        return state.withLock { $0.named(item) }
    }
}
