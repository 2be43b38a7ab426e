import AsyncHTTPClient
import Foundation
import LeitzCloudAPI
import LeitzCloudServer
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization
import Testing

/// A clock that moves only when told to.
final class ManualClock: Sendable {
    private let seconds = Mutex(Int64(Date().timeIntervalSince1970))

    var now: Int64 { seconds.withLock { $0 } }

    func advance(_ by: Int64) { seconds.withLock { $0 += by } }
}

/// An answer, whole.
struct Answer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: ByteBuffer

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(body.readableBytesView))
    }

    /// The status and the `error` word, in one.
    var failure: String {
        let word = (try? decode(WireError.self))?.error ?? "-"
        return "\(status) \(word)"
    }

    var text: String { String(buffer: body) }
}

/// A running server with one person and one root, and a client that trusts it.
final class CloudHarness: Sendable {
    static let email = "anna@example.com"
    static let password = "geheim-1"

    let folder: String
    let clock = ManualClock()
    let client: HTTPClient
    let cloud: EmbeddedCloud
    let person: Int64
    let root: Int64
    let token: String

    /// Runs a body against a fresh server and takes everything down again.
    static func run(
        _ behaviour: ServerBehaviour = ServerBehaviour(), hooks: Bool = false,
        _ body: (CloudHarness) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "ordner-server-" + UUID().uuidString
        let harness = try await CloudHarness(folder: folder, behaviour, hooks: hooks)
        do {
            try await body(harness)
        } catch {
            try await harness.end()
            throw error
        }
        try await harness.end()
    }

    private init(folder: String, _ behaviour: ServerBehaviour, hooks: Bool) async throws {
        self.folder = folder
        cloud = try await Self.start(folder, behaviour, clock, hooks: hooks)
        client = try Self.makeClient(cloud)
        person = try await cloud.ensurePerson(
            email: Self.email, password: Self.password, displayName: "Anna Muster",
            quota: 1 << 40)
        root = try await cloud.ensureRoot(name: "Team", kind: "share")
        try await cloud.subscribe(
            person: person, root: root, permissions: ["FILE_VIEW", "FILE_READ", "FILE_WRITE"])
        token = try await Self.signIn(client, cloud.url, Self.email, Self.password)
    }

    static func start(
        _ folder: String, _ behaviour: ServerBehaviour, _ clock: ManualClock, hooks: Bool = false
    ) async throws -> EmbeddedCloud {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var configuration = EmbeddedCloudConfiguration(
            dataFolder: folder, behaviour: behaviour, logger: logger)
        configuration.clock = { clock.now }
        configuration.faultHooksOverHTTP = hooks
        return try await EmbeddedCloud.start(configuration)
    }

    static func makeClient(_ cloud: EmbeddedCloud) throws -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(cloud.certificatePath)
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(30))
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private func end() async throws {
        try await client.shutdown()
        await cloud.stop()
        try FileManager.default.removeItem(atPath: folder)
    }

    static func signIn(_ client: HTTPClient, _ url: String, _ email: String, _ password: String)
        async throws -> String
    {
        var request = HTTPClientRequest(url: url + "/oauth/token")
        request.method = .POST
        request.body = .bytes(
            ByteBuffer(
                string: encode([
                    ("grant_type", "password"), ("client_id", "anchor"), ("username", email),
                    ("password", password),
                ])))
        let response = try await client.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1 << 20)
        return try JSONDecoder().decode(WireToken.self, from: Data(body.readableBytesView))
            .accessToken
    }

    static func encode(_ fields: [(String, String)]) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        return fields.map { name, value in
            name + "=" + (value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")
        }.joined(separator: "&")
    }

    // MARK: Requests

    func send(_ request: HTTPClientRequest) async throws -> Answer {
        let response = try await client.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 256 << 20)
        return Answer(
            status: Int(response.status.code), headers: response.headers, body: body)
    }

    func request(_ path: String, token: String? = nil, isAnonymous: Bool = false)
        -> HTTPClientRequest
    {
        var request = HTTPClientRequest(url: cloud.url + path)
        if !isAnonymous {
            request.headers.add(name: "authorization", value: "Bearer \(token ?? self.token)")
        }
        return request
    }

    func get(_ path: String, token: String? = nil, headers: [(String, String)] = []) async throws
        -> Answer
    {
        var request = request(path, token: token)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        return try await send(request)
    }

    func post(_ path: String, _ fields: [(String, String)] = [], token: String? = nil) async throws
        -> Answer
    {
        var request = request(path, token: token)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: Self.encode(fields)))
        return try await send(request)
    }

    /// A form post without a bearer token.
    func oauth(_ fields: [(String, String)], path: String = "/oauth/token") async throws -> Answer {
        var request = request(path, isAnonymous: true)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: Self.encode(fields)))
        return try await send(request)
    }

    var files: String { "/api/2/files/\(root)" }

    func upload(
        _ name: String, _ content: some Sequence<UInt8>, folder: Int64? = nil, token: String? = nil
    ) async throws -> Answer {
        let head =
            "--B0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n\r\n"
        return try await uploadRaw(
            Array(head.utf8) + Array(content) + Array("\r\n--B0--\r\n".utf8), folder: folder,
            token: token)
    }

    func uploadRaw(_ body: [UInt8], folder: Int64? = nil, token: String? = nil) async throws
        -> Answer
    {
        var request = uploadRequest(folder: folder, token: token)
        request.body = .bytes(body)
        return try await send(request)
    }

    func uploadRequest(folder: Int64? = nil, token: String? = nil) -> HTTPClientRequest {
        let place = folder.map { "/folder/\($0)" } ?? ""
        var request = request(files + place + "/upload", token: token)
        request.method = .POST
        request.headers.add(name: "content-type", value: "multipart/form-data; boundary=B0")
        return request
    }

    func uploaded(_ name: String, _ content: String = "x", folder: Int64? = nil) async throws
        -> WireItem
    {
        let answer = try await upload(name, content.utf8, folder: folder)
        try #require(answer.status == 200, "\(answer.text)")
        return try answer.decode(WireItem.self)
    }

    func makeFolder(_ name: String, in parent: Int64? = nil) async throws -> WireItem {
        let place = parent.map { "/folder/\($0)" } ?? ""
        let answer = try await post(files + place + "/create_folder", [("name", name)])
        try #require(answer.status == 200, "\(answer.text)")
        return try answer.decode(WireItem.self)
    }

    func listing(_ folder: Int64? = nil, _ query: String = "", token: String? = nil) async throws
        -> WireListing
    {
        let place = folder.map { "/folder/\($0)" } ?? ""
        let answer = try await get(files + place + query, token: token)
        try #require(answer.status == 200, "\(answer.text)")
        return try answer.decode(WireListing.self)
    }

    /// The paths of the children that are not deleted.
    func paths(_ folder: Int64? = nil) async throws -> [String] {
        try await listing(folder, "?include_deleted=false").children?.map(\.path) ?? []
    }

    /// Another person with a subscription to the root; gives the token.
    func other(_ email: String, _ permissions: [String]) async throws -> String {
        let id = try await cloud.ensurePerson(
            email: email, password: "pw-\(email)", displayName: email, quota: 1 << 40)
        try await cloud.subscribe(person: id, root: root, permissions: permissions)
        return try await Self.signIn(client, cloud.url, email, "pw-\(email)")
    }
}

let fullAccess = ["FILE_VIEW", "FILE_READ", "FILE_WRITE"]
