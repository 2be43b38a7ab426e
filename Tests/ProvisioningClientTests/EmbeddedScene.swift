import CloudStorage
import FoundationEssentials
import HTTPTransport
import LeitzCloudClient
import LeitzCloudServer
import TestSupport

@testable import ProvisioningClient

/// An embedded cloud with one administrator, and clients of its provisioning API.
final class EmbeddedScene: Sendable {
    static let administrator = "admin@example.com"
    static let password = "secret of the administrator"

    let cloud: EmbeddedCloud
    let transport: HTTPTransport
    private let folder: TemporaryFolder

    static func with(_ body: (EmbeddedScene) async throws -> Void) async throws {
        let scene = try await EmbeddedScene()
        do {
            try await body(scene)
        } catch {
            await scene.stop()
            throw error
        }
        await scene.stop()
    }

    private init() async throws {
        folder = try TemporaryFolder("ordner-provisioning")
        var configuration = EmbeddedCloudConfiguration(dataFolder: folder.file("data"))
        configuration.isPlain = true
        cloud = try await EmbeddedCloud.start(configuration)
        let person = try await cloud.ensurePerson(
            email: Self.administrator, password: Self.password, displayName: "Admin",
            quota: 1 << 30)
        try await cloud.setAdministrator(person: person)
        transport = try HTTPTransport()
    }

    private func stop() async {
        await transport.shutdown()
        await cloud.stop()
    }

    func client(
        _ dialect: ProvisioningDialect, user: String = administrator, password: String = password
    ) throws -> ProvisioningClient {
        ProvisioningClient(
            try ServerAddress(cloud.url), dialect: dialect, user: user, password: password,
            transport: transport)
    }

    /// A client of LeitzCloud's own API.
    func leitzCloud(
        user: String = administrator, password: String = password
    ) async throws -> LeitzCloudClient {
        let store = MemoryCredentialStore()
        let address = try ServerAddress(cloud.url)
        store.credentials = try await LeitzCloudSignIn.signIn(
            SignInRequest(address: address, user: user, password: password),
            transport: transport)
        return LeitzCloudClient(address: address, credentials: store, transport: transport)
    }

    /// Sends a request as a document has it.
    func send(_ example: DocumentExample) async throws -> HTTPAnswer {
        let method = HTTPCall.Method(rawValue: example.method) ?? .get
        var call = HTTPCall("example", method, url: cloud.url + example.path)
        call.headers = [
            ("OCS-APIRequest", "true"),
            ("Authorization", Self.authorization(Self.administrator, Self.password)),
        ]
        if !example.body.isEmpty {
            let isJSON = example.body.hasPrefix("{")
            call.body = .bytes(
                Array(example.body.utf8),
                type: isJSON ? "application/json" : "application/x-www-form-urlencoded")
        }
        return try await transport.send(call)
    }

    /// The status of a look at a user's files, as that user.
    func signInStatus(user: String, password: String) async throws -> Int {
        var call = HTTPCall(
            "files", .propfind,
            url: cloud.url + "/remote.php/dav/files/\(FormEncoding.encode(user))/")
        call.headers = [("Authorization", Self.authorization(user, password)), ("Depth", "0")]
        return try await transport.send(call).status
    }

    private static func authorization(_ user: String, _ password: String) -> String {
        "Basic " + Data((user + ":" + password).utf8).base64EncodedString()
    }
}
