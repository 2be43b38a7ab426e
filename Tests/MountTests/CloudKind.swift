import CloudStorage
import HTTPTransport
import LeitzCloudServer
import Synchronization
import TestSupport
import Testing
import WebDAVClient

/// The sort of cloud that is mounted.
enum CloudKind: Sendable, CustomTestStringConvertible {
    case leitzCloud(ServerBehaviour)
    case webDAV(WebDAVTestServer.Kind)
    /// The embedded cloud's WebDAV face, which is as Nextcloud's.
    case nextcloud
    /// As `nextcloud`, with the app notify_push.
    case tellingNextcloud

    var testDescription: String {
        switch self {
        case .leitzCloud(let behaviour): "LeitzCloud, \(behaviour.uploadOntoName)"
        case .webDAV(let kind): "WebDAV, \(kind)"
        case .nextcloud: "Nextcloud"
        case .tellingNextcloud: "Nextcloud with notify_push"
        }
    }
}

/// Every cloud that people's ordinary work is tested on.
let clouds: [CloudKind] =
    behaviours.map { .leitzCloud($0) } + [.webDAV(.apache), .webDAV(.wsgidav), .nextcloud]

/// A server with a folder `Team` that Alice and Bob share.
protocol MountableServer: Sendable {
    /// What `ordner login NAME` is told besides the password.
    func loginArguments(of person: TestCloud.Person) -> [String]
    func password(of person: TestCloud.Person) -> String
    /// Another client of the server.
    func anyClient(_ person: TestCloud.Person) async throws -> any CloudStorage
    /// The shared folder.
    var top: ItemReference { get }
    /// Its path on the mount.
    var teamPath: String { get }
}

extension MountableServer {
    var teamPath: String { TestCloud.teamRootName }
}

extension TestCloud: MountableServer {
    func loginArguments(of person: Person) -> [String] {
        [server.url, "--ca", server.certificatePath, "--user", person.email]
    }

    func password(of person: Person) -> String { person.password }

    func anyClient(_ person: Person) async throws -> any CloudStorage {
        try await client(person)
    }

    var top: ItemReference { .top(of: team) }
}

/// The embedded cloud as those see it who speak WebDAV with it; `cloud` looks at it from elsewhere.
struct NextcloudFace: MountableServer {
    let cloud: TestCloud

    /// A folder in the account's files.
    var teamPath: String { "Files/\(TestCloud.teamRootName)" }

    func loginArguments(of person: TestCloud.Person) -> [String] {
        cloud.loginArguments(of: person) + ["--type", "nextcloud"]
    }

    func password(of person: TestCloud.Person) -> String { cloud.password(of: person) }

    func anyClient(_ person: TestCloud.Person) async throws -> any CloudStorage {
        try await cloud.anyClient(person)
    }

    var top: ItemReference { cloud.top }
}

/// A WebDAV server and the connections of those who look at it from elsewhere.
final class WebDAVCloud: MountableServer {
    let server: WebDAVTestServer
    private let transports = Mutex<[HTTPTransport]>([])

    private init(_ server: WebDAVTestServer) { self.server = server }

    static func with(
        _ kind: WebDAVTestServer.Kind, _ body: (WebDAVCloud) async throws -> Void
    ) async throws {
        let cloud = WebDAVCloud(try await WebDAVTestServer.start(kind))
        do {
            try await body(cloud)
        } catch {
            await cloud.stop()
            throw error
        }
        await cloud.stop()
    }

    private func stop() async {
        for transport in transports.withLock({ $0 }) { await transport.shutdown() }
        await server.stop()
    }

    func loginArguments(of person: TestCloud.Person) -> [String] {
        [server.url, "--user", person.rawValue]
    }

    func password(of person: TestCloud.Person) -> String { WebDAVTestServer.password }

    func anyClient(_ person: TestCloud.Person) async throws -> any CloudStorage {
        let transport = try HTTPTransport()
        transports.withLock { $0.append(transport) }
        let credentials = WebDAVCredentials(
            user: person.rawValue, password: WebDAVTestServer.password)
        let found = try await WebDAVDetection.detect(
            try ServerAddress(server.url), credentials: credentials, transport: transport)
        return try WebDAVClient(
            server: found, credentials: credentials, transport: transport,
            options: WebDAVOptions(lockOwner: "\(person) elsewhere"))
    }

    var top: ItemReference { .top(of: WebDAVClient.root) }
}
