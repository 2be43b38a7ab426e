import CloudStorage
import Foundation
import HTTPTransport
import LeitzCloudServer
import Synchronization
import TestSupport
import Testing
import WebDAVClient

/// A server that tells of changes: a mount need not ask.
@Suite(.serialized) struct PushTests {
    private static let options = ["--poll", "3600"]
    private static let team = "mount/Files/\(TestCloud.teamRootName)"

    @Test func anotherClientsChangeIsSeenLongBeforeThePoll() async throws {
        try await MountedCloud.with(.tellingNextcloud, options: Self.options) {
            (mounted) async throws -> Void in
            let bob = try await mounted.bob()
            let top = mounted.cloud.top
            let folder = try TemporaryFolder()
            try await eventually("a connection") {
                mounted.cloud.server.requestCounts()["POST push-token"] == 1
            }
            try await mounted.atHome("mkdir \(Self.team)/d; echo mine > \(Self.team)/d/f")
            try await mounted.sync()
            for round in 1...3 {
                let items = try await bob.entries(of: top)
                let d = try #require(items["d"]).reference
                _ = try await bob.upload([1], name: "new\(round)", to: d, from: folder)
                try await eventually(within: .seconds(20), "Bob's file") {
                    try await Shell.run(
                        "ls '\(mounted.home.path)/\(Self.team)/d/new\(round)'",
                        scratch: mounted.home.path, seconds: 10
                    ).exitCode == 0
                }
            }
        }
    }

    /// The password is not told to the push server where it takes a token.
    @Test func aWrongTokenIsRefused() async throws {
        try await TestCloud.with(tellsChanges: true) { cloud in
            let address = try #require(cloud.server.pushAddress)
            let socket = try ServerAddress("http" + address.dropFirst(2))
            let transport = try cloud.transport()
            let person = TestCloud.Person.alice
            let greetings = [
                ["", "wrong"], [person.email, "wrong"], ["nobody@example.com", person.password],
            ]
            for greeting in greetings {
                #expect(
                    try await Self.firstMessage(greeting, socket, transport)
                        == "err: Invalid credentials")
            }
            #expect(
                try await Self.firstMessage([person.email, person.password], socket, transport)
                    == "authenticated")
            let elsewhere = try ServerAddress(cloud.server.url + "/elsewhere")
            await #expect(throws: CloudStorageError.self) {
                try await transport.messages(of: WebSocketCall(elsewhere, greeting: [])) { _ in }
            }
        }
    }

    /// An HTTPS server that would have us hear of changes without TLS is not told who we are: it is
    /// asked for changes as any other.
    @Test(arguments: [false, true])
    func noConnectionInTheClearWhereTheServerIsSafe(hasPlainPush: Bool) async throws {
        try await TestCloud.with(tellsChanges: true, hasPlainPush: hasPlainPush) { cloud in
            let scheme = try #require(cloud.server.pushAddress).prefix { $0 != ":" }
            #expect(scheme == (hasPlainPush ? "ws" : "wss"))
            let transport = try cloud.transport()
            let person = TestCloud.Person.alice
            let credentials = WebDAVCredentials(user: person.email, password: person.password)
            let client = try WebDAVClient(
                server: try await WebDAVDetection.detect(
                    try cloud.address, credentials: credentials, transport: transport),
                credentials: credentials, transport: transport,
                options: WebDAVOptions(lockOwner: "test"))
            let listener = ConnectionCount()
            let hearing = Task { () async -> CloudStorageError? in
                do throws(CloudStorageError) {
                    try await client.hearChanges(listener)
                    return nil
                } catch {
                    return error
                }
            }
            if hasPlainPush {
                #expect(await hearing.value?.kind == .unsupported)
                #expect(cloud.server.requestCounts()["POST push-token"] == nil)
                #expect(listener.count == 0)
            } else {
                try await eventually("a connection") { listener.count == 1 }
                hearing.cancel()
                _ = await hearing.value
            }
        }
    }

    private final class ConnectionCount: ChangeListener {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func connected() { value.withLock { $0 += 1 } }
        func changed() {}
    }

    private struct Ended: Error {}

    private static func firstMessage(
        _ greeting: [String], _ socket: ServerAddress, _ transport: HTTPTransport
    ) async throws -> String? {
        let first = Mutex<String?>(nil)
        do {
            try await transport.messages(of: WebSocketCall(socket, greeting: greeting)) {
                text throws(CloudStorageError) in
                first.withLock { $0 = text }
                throw CloudStorageError(.cancelled, "heard enough")
            }
        } catch {
            guard error.kind == .cancelled else { throw error }
        }
        return first.withLock { $0 }
    }
}
