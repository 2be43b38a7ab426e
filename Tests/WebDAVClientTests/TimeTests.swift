import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

@testable import WebDAVClient

/// What the client makes of the answers to PROPPATCH. The samples' time is 784111777.
@Suite struct TimeTests {
    private static let answeredTime: Int64 = 784_111_777

    private func set(_ scene: ClientScene, _ seconds: Int64) async throws -> CloudItem {
        let file = try await scene.client.item(scene.file("/a"))
        return try await scene.client.setModificationTime(
            FileTime(seconds: seconds), of: file.reference,
            revision: try #require(file.revision))
    }

    @Test func nextcloudIsToldTimeAndRevision() async throws {
        try await ClientScene.with(.nextcloud) { request, before in
            switch request.line {
            case "PROPPATCH /dav/a": .text(207, "")
            case "PROPFIND /dav/a": fileAnswer("/dav/a", etag: before == 0 ? "\"e1\"" : "\"e2\"")
            default: .text(404, "")
            }
        } _: { scene in
            let item = try await set(scene, Self.answeredTime)
            #expect(item.revision == "\"e2\"")
            let request = try #require(scene.server.requests.first { $0.method == "PROPPATCH" })
            #expect(request.header("If-Match") == "\"e1\"")
            #expect(
                String(decoding: request.body, as: UTF8.self)
                    .contains("<d:lastmodified>784111777</d:lastmodified>"))
        }
    }

    @Test func anotherTimeIsARefusal() async throws {
        try await ClientScene.with(.nextcloud) { request, _ in
            switch request.line {
            case "PROPPATCH /dav/a": .text(207, "")
            case "PROPFIND /dav/a": fileAnswer("/dav/a")
            default: .text(404, "")
            }
        } _: { scene in
            let kind = try await failureKind { _ = try await set(scene, Self.answeredTime + 1) }
            #expect(kind == .unsupported)
        }
    }

    @Test func anothersChangeIsNotTakenForTheTime() async throws {
        try await ClientScene.with(.nextcloud) { request, before in
            switch request.line {
            case "PROPPATCH /dav/a": .text(207, "")
            case "PROPFIND /dav/a": fileAnswer("/dav/a", etag: before == 0 ? "\"e1\"" : "\"e2\"")
            default: .text(404, "")
            }
        } _: { scene in
            let kind = try await failureKind { _ = try await set(scene, Self.answeredTime + 1) }
            #expect(kind == .revisionChanged)
        }
    }

    @Test(arguments: [
        (412, CloudStorageError.Kind.revisionChanged), (405, .unsupported), (423, .locked),
        (403, .forbidden), (404, .notFound),
    ])
    func refusalsAreTold(_ status: Int, _ expected: CloudStorageError.Kind) async throws {
        try await ClientScene.with(.nextcloud) { request, _ in
            switch request.line {
            case "PROPPATCH /dav/a": .text(status, "")
            case "PROPFIND /dav/a": fileAnswer("/dav/a")
            default: .text(404, "")
            }
        } _: { scene in
            let kind = try await failureKind { _ = try await set(scene, Self.answeredTime) }
            #expect(kind == expected)
        }
    }

    /// Nextcloud stores times from the second day on; other servers none.
    @Test(arguments: [
        (WebDAVProfile.Kind.nextcloud, Int64(86_400)), (.owncloud, 0), (.generic, 784_111_777),
    ])
    func whatTheServerDoesNotKeepIsNotSent(
        _ kind: WebDAVProfile.Kind, _ seconds: Int64
    ) async throws {
        try await ClientScene.with(kind) { request, _ in
            request.line == "PROPFIND /dav/a" ? fileAnswer("/dav/a") : .text(404, "")
        } _: { scene in
            let failure = try await failureKind { _ = try await set(scene, seconds) }
            #expect(failure == .unsupported)
            #expect(scene.server.count("PROPPATCH") == 0)
        }
    }
}
