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

    /// Trying it out with a file's content would overwrite what another client has put there meanwhile.
    @Test(arguments: [true, false])
    func nothingIsSentTwiceToLearn(honoured: Bool) async throws {
        try await withServer(honoured: honoured) { scene in
            for name in ["a", "b", "c"] { try await upload(name, in: scene) }
            #expect(
                scene.server.requests.map(\.line) == [
                    "PROPFIND /dav/a", "PUT /dav/a", "PROPFIND /dav/a",
                    "PROPFIND /dav/b", "PUT /dav/b", "PROPFIND /dav/b",
                    "PROPFIND /dav/c", "PUT /dav/c", "PROPFIND /dav/c",
                ])
            let kind = try await failureKind { try await upload("a", in: scene) }
            #expect(kind == .nameConflict)
            #expect(scene.server.count("PUT") == 3)
        }
    }
}
