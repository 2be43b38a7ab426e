import CloudStorage
import Synchronization
import TestSupport
import Testing

@testable import WebDAVClient

/// What the client learns of a server's conditions, and what that spares.
@Suite struct ConditionTests {
    /// How a server deals with what the client tries.
    struct Ways: Sendable {
        var honours = true
        var locks = true
        /// Another client is quicker than the lock.
        var isOvertaken = false
        /// Whatever carries a lock's token is refused.
        var refusesTokens = false
    }

    /// A server that is empty at first.
    private func withServer(
        _ ways: Ways, _ body: @escaping (ClientScene) async throws -> Void
    ) async throws {
        let present = Mutex<[String: Int]>([:])
        try await ClientScene.with(.generic) { request, _ in
            let path = request.path
            let version = present.withLock { $0[path] }
            switch request.method {
            case "PROPFIND":
                return version.map { fileAnswer(path, etag: "\"e\($0)\"") } ?? .text(404, "")
            case "UNLOCK": return .answer(204)
            case "LOCK":
                if ways.isOvertaken { present.withLock { $0[path, default: 0] += 1 } }
                let token = [("Lock-Token", "<opaquelocktoken:1>")]
                return ways.locks ? .answer(200, headers: token) : .text(403, "")
            default: break
            }
            if ways.refusesTokens, request.header("If") != nil { return .text(412, "") }
            let mustBeNew = request.header("If-None-Match") == "*"
            if version != nil, mustBeNew, ways.honours { return .text(412, "") }
            present.withLock { $0[path, default: 0] += 1 }
            return .answer(version == nil ? 201 : 204)
        } _: { scene in
            try await body(scene)
        }
    }

    private func upload(_ name: String, in scene: ClientScene) async throws -> CloudItem {
        let item = try await scene.client.upload(
            try scene.content("abc"), name: name, to: scene.top, onto: .nothing)
        #expect(item.name == name && item.size == 3)
        return item
    }

    private let look = ["PROPFIND /dav/b", "PUT /dav/b", "PROPFIND /dav/b"]
    private let trial = ["PROPFIND /dav/a", "LOCK /dav/a", "PROPFIND /dav/a"]
    private let first = ["PROPFIND /dav/a", "PUT /dav/a", "PROPFIND /dav/a"]

    @Test func whatTheServerHeedsSparesTheLook() async throws {
        try await withServer(Ways()) { scene in
            let item = try await upload("a", in: scene)
            _ = try await upload("b", in: scene)
            #expect(
                scene.server.requests.map(\.line) == first + trial
                    + ["PUT /dav/a", "PUT /dav/a", "PROPFIND /dav/a", "UNLOCK /dav/a"]
                    + ["PUT /dav/b", "PROPFIND /dav/b"])
            // What was sent again has another version.
            #expect(item.revision?.hasSuffix(" e2") == true)
            // The name is taken, and the server says so.
            let kind = try await failureKind { _ = try await upload("a", in: scene) }
            #expect(kind == .nameConflict)
            let refused = scene.server.requests.filter { $0.line == "PUT /dav/a" }.last
            #expect(refused?.header("If-None-Match") == "*")
        }
    }

    @Test func whatTheServerDoesNotHeedIsTriedOnce() async throws {
        try await withServer(Ways(honours: false)) { scene in
            let item = try await upload("a", in: scene)
            _ = try await upload("b", in: scene)
            #expect(
                scene.server.requests.map(\.line) == first + trial
                    + ["PUT /dav/a", "PROPFIND /dav/a", "UNLOCK /dav/a"] + look)
            #expect(item.revision?.hasSuffix(" e2") == true)
            let kind = try await failureKind { _ = try await upload("a", in: scene) }
            #expect(kind == .nameConflict)
        }
    }

    /// A token that is not taken is refused with the same status.
    @Test func aRefusedTokenTeachesNothing() async throws {
        try await withServer(Ways(honours: false, refusesTokens: true)) { scene in
            _ = try await upload("a", in: scene)
            _ = try await upload("b", in: scene)
            #expect(scene.server.requests.map(\.line).suffix(3) == look)
        }
    }

    /// Trying it out without a lock, or too late, would overwrite what another client has put there.
    @Test(arguments: [Ways(locks: false), Ways(isOvertaken: true)])
    func nothingIsSentTwiceThatIsNotHeld(_ ways: Ways) async throws {
        try await withServer(ways) { scene in
            _ = try await upload("a", in: scene)
            _ = try await upload("b", in: scene)
            #expect(scene.server.requests.filter { $0.line == "PUT /dav/a" }.count == 1)
            #expect(scene.server.requests.map(\.line).suffix(3) == look)
        }
    }
}
