import CloudStorage
import FileSystemTypes
import HTTPTransport
import TestSupport
import Testing

@testable import WebDAVClient

/// What the client sends, and what it makes of answers that fail.
@Suite struct ClientTests {
    @Test func aRefusedPasswordIsTriedOnce() async throws {
        try await ClientScene.with(.nextcloud) { _, _ in
            .text(401, "", [("WWW-Authenticate", "Basic realm=\"Nextcloud\"")])
        } _: { scene in
            for _ in 0..<3 {
                let kind = try await failureKind { _ = try await scene.client.account() }
                #expect(kind == .signInRequired)
            }
            #expect(scene.server.requests.count == 1)
            // alice:pässwörd in UTF-8.
            #expect(
                scene.server.requests.first?.header("Authorization")
                    == "Basic YWxpY2U6cMOkc3N3w7ZyZA==")
        }
    }

    @Test func theSessionCookieIsSentAgain() async throws {
        try await ClientScene.with(.nextcloud) { _, before in
            guard case .answer(let status, _, let body) = folderAnswer("/dav/") else {
                return .hangUp
            }
            return .answer(
                status, headers: [("Set-Cookie", "session=s\(before); Path=/; HttpOnly")],
                body: body)
        } _: { scene in
            for _ in 0..<3 { _ = try await scene.client.account() }
            #expect(
                scene.server.requests.map { $0.header("Cookie") }
                    == [nil, "session=s0", "session=s1"])
        }
    }

    @Test func maintenanceStopsEverythingForAsLongAsTold() async throws {
        try await ClientScene.with(.nextcloud) { _, before in
            before == 0
                ? .text(503, "", [("Retry-After", "120")]) : folderAnswer("/dav/")
        } _: { scene in
            for _ in 0..<2 {
                do throws(CloudStorageError) {
                    _ = try await scene.client.account()
                    Issue.record("a server in maintenance mode answered")
                } catch {
                    #expect(error.kind == .temporarilyUnavailable)
                    #expect(error.retryAfter == 120)
                }
            }
            #expect(scene.server.requests.count == 1)
            scene.clock.advance(by: .seconds(100))
            // The rest is short enough to wait for.
            _ = try await scene.client.account()
            #expect(scene.clock.slept == .seconds(120))
            #expect(scene.server.requests.count == 2)
        }
    }

    @Test func aBusyServerIsAskedAgainAndThenGivenUp() async throws {
        try await ClientScene.with(.generic) { request, before in
            switch request.path {
            case "/dav/soon":
                before < 2 ? .text(429, "", [("Retry-After", "3")]) : fileAnswer("/dav/soon")
            default: .text(503, "")
            }
        } _: { scene in
            _ = try await scene.client.item(scene.file("/soon"))
            #expect(scene.clock.slept == .seconds(6))
            let kind = try await failureKind { _ = try await scene.client.item(scene.file("/x")) }
            #expect(kind == .temporarilyUnavailable)
            #expect(scene.server.requests.count == 3 + 5)
            #expect(scene.clock.slept == .seconds(6) + .milliseconds(500 + 1_000 + 2_000 + 4_000))
        }
    }

    @Test func anUnchangedFolderIsOneSmallRequest() async throws {
        try await ClientScene.with(.nextcloud) { _, _ in
            folderAnswer("/dav/", etag: "\"f1\"", file: "a")
        } _: { scene in
            guard
                case .entries(let items, let validator, _) = try await scene.client.list(
                    scene.top, validator: nil),
                case .notModified = try await scene.client.list(scene.top, validator: validator),
                case .entries = try await scene.client.list(scene.top, validator: "other")
            else {
                Issue.record("the listing is not what the validator says")
                return
            }
            #expect(validator == "f1")
            #expect(items.map(\.name) == ["a"])
            #expect(scene.server.requests.map { $0.header("Depth") } == ["1", "0", "0", "1"])
        }
    }

    @Test func anAnswerThatBreaksOffIsAskedForAgain() async throws {
        try await ClientScene.with(.generic) { _, before in
            guard before == 0, case .answer(_, _, let body) = folderAnswer("/dav/", file: "a")
            else { return folderAnswer("/dav/", file: "b") }
            return .answer(207, headers: [("Connection", "close")], body: body.dropLast(40))
        } _: { scene in
            // A body that is complete but no document is not repeated; it may never be one.
            let kind = try await failureKind {
                _ = try await scene.client.list(scene.top, validator: nil)
            }
            #expect(kind == .invalidAnswer)
            #expect(try await scene.client.entries(of: scene.top).keys.sorted() == ["b"])
        }
    }

    @Test func nextcloudsOwnAnswerToAnUploadIsEnough() async throws {
        try await ClientScene.with(.nextcloud) { request, _ in
            .answer(
                request.header("If-Match") == nil ? 201 : 204,
                headers: [
                    ("X-OC-MTime", "accepted"), ("OC-FileId", "00000386ocinstance01"),
                    ("ETag", "\"ef32\""), ("X-NC-Permissions", "RGDNVW"),
                ])
        } _: { scene in
            let first = try await scene.client.upload(
                try scene.content("abc", modified: 1_600_000_000), name: "e\u{301}.txt",
                to: scene.top, onto: .nothing)
            #expect(first.reference == scene.file("/\u{E9}.txt", id: "386"))
            #expect(first.revision == "\"ef32\"")
            #expect(first.modified == FileTime(seconds: 1_600_000_000))
            _ = try await scene.client.upload(
                try scene.content("abc", modified: 1_600_000_001), name: "\u{E9}.txt",
                to: scene.top, onto: .revision("\"ef32\""))
            let requests = scene.server.requests
            #expect(requests.map(\.line) == Array(repeating: "PUT /dav/%C3%A9.txt", count: 2))
            #expect(requests[0].header("If-None-Match") == "*")
            #expect(requests[0].header("X-OC-Mtime") == "1600000000")
            #expect(requests[0].header("Content-Length") == "3")
            #expect(
                requests[0].header("OC-Checksum")
                    == "SHA1:a9993e364706816aba3e25717850c26c9cd0d89d")
            #expect(requests[1].header("If-Match") == "\"ef32\"")
            #expect(requests[1].header("If-None-Match") == nil)
            #expect(requests[0].body == Array("abc".utf8))
        }
    }

    @Test(arguments: [
        (WebDAVProfile.Kind.nextcloud, Int64(86_400), nil), (.nextcloud, -1, nil),
        (.nextcloud, 86_401, "86401"), (.owncloud, 0, nil), (.owncloud, 1, "1"),
        (.generic, 1_600_000_000, nil),
    ])
    func onlyTimesThatTheServerTakesAreSent(
        kind: WebDAVProfile.Kind, seconds: Int64, header: String?
    ) async throws {
        try await ClientScene.with(kind) { request, before in
            switch request.method {
            case "PUT": .answer(201)
            default: fileAnswer("/dav/a")
            }
        } _: { scene in
            _ = try await scene.client.upload(
                try scene.content("abc", modified: seconds), name: "a", to: scene.top)
            let put = scene.server.requests.first { $0.method == "PUT" }
            #expect(put?.header("X-OC-Mtime") == header)
            #expect(
                scene.client.capabilities.setsModificationTime == (kind != .generic))
        }
    }

    @Test(arguments: [
        (WebDAVProfile.Kind.nextcloud, "\"e1\"", 1), (.nextcloud, "not a revision", 0),
        (.owncloud, "3 784111777 e1", 0), (.generic, "3 784111777 e1", 0),
    ])
    func aChangedFileIsNotReplaced(
        kind: WebDAVProfile.Kind, revision: String, uploads: Int
    ) async throws {
        try await ClientScene.with(kind) { request, _ in
            request.method == "PUT" ? .text(412, "") : fileAnswer("/dav/a", etag: "\"e2\"")
        } _: { scene in
            let failure = try await failureKind {
                _ = try await scene.client.upload(
                    try scene.content("abc"), name: "a", to: scene.top, onto: .revision(revision))
            }
            #expect(failure == .revisionChanged)
            #expect(scene.server.count("PUT") == uploads)
        }
    }

    @Test func aServerWithoutConditionsIsLookedAtFirst() async throws {
        try await ClientScene.with(.generic) { request, _ in
            request.method == "PUT" ? .answer(204) : fileAnswer("/dav/a", etag: "W/\"e1\"")
        } _: { scene in
            let content = try scene.content("abc")
            for target in [UploadTarget.nothing, .revision("3 784111777 e0"), .revision("4 1 e1")] {
                let kind = try await failureKind {
                    _ = try await scene.client.upload(
                        content, name: "a", to: scene.top, onto: target)
                }
                #expect(kind == (target == .nothing ? .nameConflict : .revisionChanged))
            }
            #expect(scene.server.count("PUT") == 0)
            let item = try await scene.client.upload(
                content, name: "a", to: scene.top, onto: .revision("3 784111777 e1"))
            #expect(item.revision == "3 784111777 e1")
            #expect(scene.server.count("PUT") == 1)
        }
    }

    @Test func shortLocksOfTheServerAreWaitedFor() async throws {
        let busy = try Sample.bytes("nextcloud/dav3_put_while_other_put.xml")
        let held = try Sample.bytes("nextcloud/dav2_lock_put_notoken.xml")
        try await ClientScene.with(.nextcloud) { request, before in
            switch (request.method, request.path) {
            case ("PUT", "/dav/busy"):
                before < 2 ? .answer(423, body: busy) : .answer(201)
            case ("PUT", _): .answer(423, body: held)
            default: fileAnswer("/dav/busy")
            }
        } _: { scene in
            let content = try scene.content("abc")
            _ = try await scene.client.upload(content, name: "busy", to: scene.top)
            #expect(scene.clock.slept == .milliseconds(750))
            let kind = try await failureKind {
                _ = try await scene.client.upload(content, name: "held", to: scene.top)
            }
            #expect(kind == .locked)
            #expect(scene.clock.slept == .milliseconds(750))
        }
    }

    @Test func aMoveWhoseAnswerWasLostIsFoundOut() async throws {
        try await ClientScene.with(.generic) { request, before in
            switch request.line {
            case "MOVE /dav/a", "MOVE /dav/stays": .hangUp
            case "PROPFIND /dav/b", "PROPFIND /dav/stays": fileAnswer(request.path)
            default: .text(404, "")
            }
        } _: { scene in
            let moved = try await scene.client.relocate(
                scene.file("/a"), to: RelocationTarget(name: "b"))
            #expect(moved.reference.path == "/b")
            do throws(CloudStorageError) {
                _ = try await scene.client.relocate(
                    scene.file("/stays"), to: RelocationTarget(name: "c"))
                Issue.record("a move without an answer succeeded")
            } catch {
                #expect(error.kind == .unreachable)
                #expect(!error.mayHaveHappened)
            }
            #expect(scene.server.count("MOVE") == 2)
        }
    }

    @Test func aDeleteWhoseAnswerWasLostIsFoundOut() async throws {
        try await ClientScene.with(.nextcloud) { request, before in
            switch request.method {
            case "DELETE": before < 2 ? .hangUp : .text(404, "")
            default: before == 0 ? fileAnswer("/dav/a") : .text(404, "")
            }
        } _: { scene in
            try await scene.client.delete(scene.file("/a"))
            try await scene.client.delete(scene.file("/a"), revision: "\"e1\"")
            #expect(scene.server.requests.last?.header("If-Match") == "\"e1\"")
        }
    }

    @Test func anotherItemUnderThePathIsNotTheOneMeant() async throws {
        try await ClientScene.with(.nextcloud) { request, _ in
            fileAnswer("/dav/a", extra: "<oc:fileid>7</oc:fileid>")
        } _: { scene in
            #expect(try await scene.client.item(scene.file("/a", id: "7")).reference.id == "7")
            for call in 0..<2 {
                let kind = try await failureKind {
                    if call == 0 {
                        _ = try await scene.client.item(scene.file("/a", id: "8"))
                    } else {
                        try await scene.client.delete(scene.file("/a", id: "8"))
                    }
                }
                #expect(kind == .notFound)
            }
            #expect(scene.server.count("DELETE") == 0)
        }
    }

    @Test func rangesAreAskedForAsTheServerReadsThem() async throws {
        try await ClientScene.with(.nextcloud) { request, _ in
            guard let range = request.header("Range") else { return .text(200, "hello") }
            switch range {
            case "bytes=0-1":
                return .text(206, "he", [("Content-Range", "bytes 0-1/5"), ("ETag", "\"e1\"")])
            case "bytes=2-3":
                // Another part than the one asked for.
                return .text(206, "he", [("Content-Range", "bytes 0-1/5")])
            default: return .text(416, "")
            }
        } _: { scene in
            let sink = RecordingSink()
            try await scene.client.download(
                scene.file("/a"), revision: "\"e1\"", range: ByteRange(0, 1), to: sink)
            #expect(sink.bytes == Array("he".utf8))
            #expect(scene.server.requests.first?.header("If-Range") == "\"e1\"")
            #expect(scene.server.requests.first?.header("Accept-Encoding") == "identity")
            for (range, wanted) in [
                (ByteRange(2, 4), CloudStorageError.Kind.invalidAnswer),
                (ByteRange(9, 11), .revisionChanged),
            ] {
                let sink = RecordingSink()
                let kind = try await failureKind {
                    try await scene.client.download(scene.file("/a"), range: range, to: sink)
                }
                #expect(kind == wanted)
                #expect(sink.beginCount == 0)
            }
        }
    }
}
