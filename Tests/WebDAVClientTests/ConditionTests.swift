import CloudStorage
import Synchronization
import TestSupport
import Testing

@testable import WebDAVClient

/// What the client learns of a server's conditions, and what that spares.
@Suite struct ConditionTests {
    /// A server that is empty at first.
    private func withServer(
        honoured: Bool, _ body: @escaping (ClientScene) async throws -> Void
    ) async throws {
        let present = Mutex(Set<String>())
        try await ClientScene.with(.generic) { request, _ in
            let path = request.path
            guard request.method == "PUT" else {
                return present.withLock { $0.contains(path) } ? fileAnswer(path) : .text(404, "")
            }
            let isNew = present.withLock { $0.insert(path).inserted }
            let mustBeNew = request.header("If-None-Match") == "*"
            return !isNew && mustBeNew && honoured ? .text(412, "") : .answer(isNew ? 201 : 204)
        } _: { scene in
            try await body(scene)
        }
    }

    private func upload(_ name: String, in scene: ClientScene) async throws {
        let item = try await scene.client.upload(
            try scene.content("abc"), name: name, to: scene.top, onto: .nothing)
        #expect(item.name == name && item.size == 3)
    }

    @Test func newFilesNeedNoLookWhereConditionsAreHonoured() async throws {
        try await withServer(honoured: true) { scene in
            for name in ["a", "b", "c", "d"] { try await upload(name, in: scene) }
            #expect(
                scene.server.requests.map(\.line) == [
                    "PROPFIND /dav/a", "PUT /dav/a", "PROPFIND /dav/a",
                    // Once it is tried out.
                    "PROPFIND /dav/b", "PUT /dav/b", "PUT /dav/b", "PROPFIND /dav/b",
                    "PUT /dav/c", "PROPFIND /dav/c", "PUT /dav/d", "PROPFIND /dav/d",
                ])
            // A taken name stays taken.
            let kind = try await failureKind { try await upload("a", in: scene) }
            #expect(kind == .nameConflict)
        }
    }

    @Test func everyNewFileIsLookedForWhereTheyAreNot() async throws {
        try await withServer(honoured: false) { scene in
            for name in ["a", "b", "c"] { try await upload(name, in: scene) }
            let lines = scene.server.requests.map(\.line)
            #expect(lines.suffix(3) == ["PROPFIND /dav/c", "PUT /dav/c", "PROPFIND /dav/c"])
            #expect(lines.filter { $0 == "PUT /dav/b" }.count == 2)
            #expect(lines.filter { $0 == "PUT /dav/c" }.count == 1)
            let kind = try await failureKind { try await upload("a", in: scene) }
            #expect(kind == .nameConflict)
            #expect(scene.server.count("PUT") == 4)
        }
    }
}
