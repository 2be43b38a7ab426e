import CloudStorage
import HTTPTransport
import TestSupport
import Testing

@testable import WebDAVClient

/// What the client makes of the answers to COPY.
@Suite struct CopyTests {
    private func copy(_ scene: ClientScene) async throws -> CloudItem {
        let file = try await scene.client.item(scene.file("/a"))
        return try await scene.client.copy(
            file.reference, revision: try #require(file.revision), to: scene.top, name: "b")
    }

    /// The server holds no condition against the source: that it was changed is seen afterwards, and
    /// the copy goes.
    @Test func aCopyOfAnotherRevisionIsTakenBack() async throws {
        try await ClientScene.with(.generic) { request, before in
            switch request.line {
            case "COPY /dav/a": .text(201, "")
            case "PROPFIND /dav/a": fileAnswer("/dav/a", etag: before == 0 ? "\"e1\"" : "\"e2\"")
            case "PROPFIND /dav/b":
                before == 0 ? .text(404, "") : fileAnswer("/dav/b", etag: "\"e3\"")
            case "DELETE /dav/b": .text(204, "")
            default: .text(404, "")
            }
        } _: { scene in
            let kind = try await failureKind { _ = try await copy(scene) }
            #expect(kind == .revisionChanged)
            #expect(scene.server.count("DELETE") == 1)
            let request = try #require(scene.server.requests.first { $0.method == "COPY" })
            #expect(request.header("Overwrite") == "F")
            #expect(request.header("Depth") == "0")
            #expect(request.header("Destination")?.hasSuffix("/dav/b") == true)
            #expect(request.header("If-Match") == nil)
        }
    }

    @Test func nextcloudIsToldTheRevision() async throws {
        try await ClientScene.with(.nextcloud) { request, _ in
            switch request.line {
            case "COPY /dav/a": .text(201, "")
            case "PROPFIND /dav/a": fileAnswer("/dav/a")
            case "PROPFIND /dav/b": fileAnswer("/dav/b", etag: "\"e3\"")
            default: .text(404, "")
            }
        } _: { scene in
            #expect(try await copy(scene).name == "b")
            let request = try #require(scene.server.requests.first { $0.method == "COPY" })
            #expect(request.header("If-Match") == "\"e1\"")
        }
    }

    @Test(arguments: [405, 501])
    func aServerWithoutCopiesIsAskedOnce(_ status: Int) async throws {
        try await ClientScene.with(.generic) { request, _ in
            switch request.line {
            case "COPY /dav/a": .text(status, "")
            case "PROPFIND /dav/a": fileAnswer("/dav/a")
            default: .text(404, "")
            }
        } _: { scene in
            #expect(scene.client.capabilities.copiesOnServer)
            let kind = try await failureKind { _ = try await copy(scene) }
            #expect(kind == .unsupported)
            #expect(!scene.client.capabilities.copiesOnServer)
        }
    }

    /// The connection ends with no answer: the copy may be there, now or later.
    @Test func aLostAnswerIsSaidToBeOne() async throws {
        try await ClientScene.with(.generic) { request, _ in
            switch request.line {
            case "COPY /dav/a": .hangUp
            case "PROPFIND /dav/a": fileAnswer("/dav/a")
            default: .text(404, "")
            }
        } _: { scene in
            do {
                _ = try await copy(scene)
                Issue.record("a copy without an answer")
            } catch let error as CloudStorageError {
                #expect(error.mayHaveHappened)
            }
            #expect(scene.server.count("COPY") == 1)
        }
    }
}
