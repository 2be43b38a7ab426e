import CloudStorage
import FileSystemTypes
import FoundationEssentials
import HTTPTransport
import Synchronization
import TestSupport

@testable import WebDAVClient

/// A client of a scripted server, with a clock of its own.
struct ClientScene: Sendable {
    var server: ScriptedServer
    var client: WebDAVClient
    var files: TemporaryFolder
    var clock: PauseClock

    static let alice = WebDAVCredentials(user: "alice", password: "pässwörd")

    /// Runs `body` with a client of the given kind whose files are below `/dav`.
    /// - Parameter pauses: whether its pauses end; at once, then.
    static func with(
        _ kind: WebDAVProfile.Kind, pauses: Bool = true,
        _ change: (inout WebDAVProfile) -> Void = { _ in },
        script: @escaping ScriptedServer.Script, _ body: (ClientScene) async throws -> Void
    ) async throws {
        var profile = WebDAVProfile.known(kind, rootName: "Files", userID: "alice")
        profile.supportsLocks = true
        change(&profile)
        try await ScriptedServer.with(script) { [profile] server in
            var configuration = TransportConfiguration()
            configuration.retry.baseDelay = .milliseconds(1)
            let transport = try HTTPTransport(configuration)
            let clock = PauseClock()
            var options = WebDAVOptions(lockOwner: "alice on test")
            options.now = { clock.now }
            options.sleep = { duration in
                guard pauses else { throw CancellationError() }
                clock.advance(by: duration)
            }
            let client = try WebDAVClient(
                server: WebDAVServer(filesURL: server.url + "/dav", profile: profile),
                credentials: alice, transport: transport, options: options)
            try await body(
                ClientScene(
                    server: server, client: client, files: try TemporaryFolder(), clock: clock))
            await transport.shutdown()
        }
    }

    var top: ItemReference { .top(of: WebDAVClient.root) }

    func file(_ path: String, id: String? = nil) -> ItemReference {
        ItemReference(root: WebDAVClient.root, kind: .file, id: id, path: path)
    }

    func content(_ text: String, modified: Int64? = nil) throws -> LocalContent {
        let path = try files.write(Array(text.utf8), to: "u\(UInt64.random(in: 0 ... .max))")
        return LocalContent(
            path: path, size: Int64(text.utf8.count),
            modified: modified.map { .init(seconds: $0) })
    }
}

/// A clock that runs only while somebody sleeps.
final class PauseClock: Sendable {
    private let start = ContinuousClock.now
    private let passed = Mutex<Duration>(.zero)

    var now: ContinuousClock.Instant { start + passed.withLock { $0 } }
    var slept: Duration { passed.withLock { $0 } }
    func advance(by duration: Duration) { passed.withLock { $0 += duration } }
}

/// The multistatus answer about one file.
func fileAnswer(
    _ href: String, etag: String = "\"e1\"", size: Int = 3, extra: String = ""
) -> ScriptedAnswer {
    .text(
        207,
        """
        <d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:response>\
        <d:href>\(href)</d:href><d:propstat><d:prop><d:resourcetype/>\
        <d:getcontentlength>\(size)</d:getcontentlength><d:getetag>\(etag)</d:getetag>\
        <d:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</d:getlastmodified>\(extra)</d:prop>\
        <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>
        """)
}

/// The multistatus answer about one folder, empty or with one file in it.
func folderAnswer(_ href: String, etag: String = "\"f1\"", file: String? = nil) -> ScriptedAnswer {
    let child = file.map {
        "<d:response><d:href>\(href)\($0)</d:href><d:propstat><d:prop><d:resourcetype/></d:prop>"
            + "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    }
    return .text(
        207,
        """
        <d:multistatus xmlns:d="DAV:"><d:response><d:href>\(href)</d:href><d:propstat><d:prop>\
        <d:resourcetype><d:collection/></d:resourcetype><d:getetag>\(etag)</d:getetag></d:prop>\
        <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>\(child ?? "")</d:multistatus>
        """)
}
