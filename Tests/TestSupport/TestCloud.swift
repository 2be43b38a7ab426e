package import CloudStorage
package import HTTPTransport
package import LeitzCloudClient
package import LeitzCloudServer
import Logging
import Synchronization

/// A server of the real protocol on loopback with three persons and a team root, for one test or
/// one suite.
///
/// `alice` and `bob` may write in the team root, `reader` may only read there; Alice also has a
/// root of her own.
package final class TestCloud: Sendable {
    package enum Person: String, Sendable, CaseIterable {
        case alice, bob, reader

        package var email: String { "\(rawValue)@example.com" }
        package var password: String { "secret of \(rawValue)" }
    }

    package static let teamRootName = "Team"

    package let server: EmbeddedCloud
    /// The root that all three persons share.
    package let team: RootIdentifier
    /// Alice's own root.
    package let own: RootIdentifier
    private let people: [Person: Int64]
    private let folder: TemporaryFolder
    private let transports = Mutex<[HTTPTransport]>([])

    private init(
        server: EmbeddedCloud, people: [Person: Int64], roots: (team: Int64, own: Int64),
        folder: TemporaryFolder
    ) {
        self.server = server
        self.people = people
        team = RootIdentifier(String(roots.team))
        own = RootIdentifier(String(roots.own))
        self.folder = folder
    }

    /// Starts a server, hands it over, and stops it again whatever happens.
    package static func with<Result>(
        _ behaviour: ServerBehaviour = ServerBehaviour(), tellsChanges: Bool = false,
        hasPlainPush: Bool = false, _ body: (TestCloud) async throws -> Result
    ) async throws -> Result {
        let cloud = try await start(
            behaviour, tellsChanges: tellsChanges, hasPlainPush: hasPlainPush)
        do {
            let result = try await body(cloud)
            await cloud.stop()
            return result
        } catch {
            await cloud.stop()
            throw error
        }
    }

    /// Starts a server; `stop` must be called in the end.
    package static func start(
        _ behaviour: ServerBehaviour = ServerBehaviour(), tellsChanges: Bool = false,
        hasPlainPush: Bool = false
    ) async throws -> TestCloud {
        let folder = try TemporaryFolder("ordner-cloud")
        var logger = Logger(label: "test.server")
        logger.logLevel = .error
        var configuration = EmbeddedCloudConfiguration(
            dataFolder: folder.file("data"), behaviour: behaviour, logger: logger)
        configuration.tellsChanges = tellsChanges
        configuration.hasPlainPush = hasPlainPush
        let server = try await EmbeddedCloud.start(configuration)
        let team = try await server.ensureRoot(name: teamRootName, kind: "share")
        var ids: [Person: Int64] = [:]
        for person in Person.allCases {
            let id = try await server.ensurePerson(
                email: person.email, password: person.password, displayName: person.rawValue,
                quota: 1 << 31)
            ids[person] = id
            let words = ["FILE_VIEW", "FILE_READ"] + (person == .reader ? [] : ["FILE_WRITE"])
            try await server.subscribe(person: id, root: team, permissions: words)
        }
        let own = try await server.ensureOwnRoot(person: ids[.alice] ?? 0)
        return TestCloud(
            server: server, people: ids, roots: (team, own), folder: folder)
    }

    /// Stops the server.
    /// - Parameter closingClients: also shuts the transports down, so that the server need not wait
    ///   for their connections; clients are of no use afterwards.
    package func stop(closingClients: Bool = true) async {
        if closingClients {
            for transport in transports.withLock({ $0 }) { await transport.shutdown() }
        }
        await server.stop()
    }

    /// Sets what a person may do in the team root from now on; nothing ends the subscription.
    package func permit(_ person: Person, _ permissions: [String]) async throws {
        try await server.subscribe(
            person: try id(of: person), root: try Self.number(team.rawValue),
            permissions: permissions)
    }

    /// Sets how many bytes a person's files may take.
    package func setQuota(_ person: Person, bytes: Int64) async throws {
        _ = try await server.ensurePerson(
            email: person.email, password: person.password, displayName: person.rawValue,
            quota: bytes)
    }

    /// Deletes the team root for good: 410 `root_deleted` from now on.
    package func deleteTeam() async throws {
        try await server.deleteRoot(try Self.number(team.rawValue))
    }

    /// Puts empty files into a folder of the team root by the database alone.
    package func fill(_ folder: ItemReference, files: Int) async throws {
        try await server.fill(
            folder: try Self.number(folder.id ?? ""), root: try Self.number(team.rawValue),
            person: try id(of: .alice), files: files)
    }

    private func id(of person: Person) throws -> Int64 {
        guard let id = people[person] else { throw NoSuchPerson(person: person) }
        return id
    }

    private static func number(_ text: String) throws -> Int64 {
        guard let number = Int64(text) else {
            throw CloudStorageError(.invalidAnswer, "'\(text)' is no number of this server")
        }
        return number
    }

    private struct NoSuchPerson: Error {
        let person: Person
    }

    /// The server's address.
    package var address: ServerAddress {
        get throws { try ServerAddress(server.url) }
    }

    /// A transport that trusts the server.
    package func transport(
        _ change: (inout TransportConfiguration) -> Void = { _ in }
    ) throws -> HTTPTransport {
        var configuration = TransportConfiguration()
        configuration.certificateAuthorityFile = server.certificatePath
        configuration.retry.baseDelay = .milliseconds(1)
        change(&configuration)
        let transport = try HTTPTransport(configuration)
        transports.withLock { $0.append(transport) }
        return transport
    }

    /// Fresh credentials of a person, as a sign-in with the password gives them.
    package func credentials(
        of person: Person, transport: HTTPTransport
    ) async throws -> LeitzCloudCredentials {
        try await LeitzCloudSignIn.signIn(
            SignInRequest(
                address: try address, user: person.email, password: person.password),
            transport: transport)
    }

    /// A signed-in client of whoever has that password.
    package func client(user: String, password: String) async throws -> LeitzCloudClient {
        let transport = try transport()
        let store = MemoryCredentialStore()
        store.credentials = try await LeitzCloudSignIn.signIn(
            SignInRequest(address: try address, user: user, password: password),
            transport: transport)
        return LeitzCloudClient(
            address: try address, credentials: store, transport: transport)
    }

    /// A client of Alice as the administrator of the server's first organization.
    package func administrator() async throws -> LeitzCloudClient {
        try await server.setAdministrator(person: try id(of: .alice))
        return try await client(.alice)
    }

    /// A signed-in client with connections of its own.
    /// - Parameters:
    ///   - store: where its credentials are kept; the sign-in puts them there.
    ///   - change: to the transport's configuration.
    package func client(
        _ person: Person, store: MemoryCredentialStore = MemoryCredentialStore(),
        options: LeitzCloudOptions = LeitzCloudOptions(),
        _ change: (inout TransportConfiguration) -> Void = { _ in }
    ) async throws -> LeitzCloudClient {
        store.credentials = try await credentials(of: person, transport: try transport())
        return LeitzCloudClient(
            address: try address, credentials: store, transport: try transport(change),
            options: options)
    }
}
