import CloudStorage
import HTTPTransport
import TestSupport
import Testing

@testable import WebDAVClient

@Suite struct LockTests {
    private static let token = "opaquelocktoken:118730f0-9c0b-42a8-baf7-4fc8ea593fc1"

    private static func lockAnswer(_ seconds: Int = 300) -> ScriptedAnswer {
        .text(
            200,
            """
            <d:prop xmlns:d="DAV:"><d:lockdiscovery><d:activelock><d:timeout>Second-\(seconds)\
            </d:timeout><d:locktoken><d:href>\(token)</d:href></d:locktoken></d:activelock>\
            </d:lockdiscovery></d:prop>
            """, [("Lock-Token", "<\(token)>")])
    }

    private static func discovery(owner: String) -> String {
        """
        <d:lockdiscovery><d:activelock><d:owner>\(owner)</d:owner><d:locktoken>\
        <d:href>\(token)</d:href></d:locktoken></d:activelock></d:lockdiscovery>
        """
    }

    @Test func aLockIsTakenRefreshedUsedAndGivenBack() async throws {
        try await ClientScene.with(.owncloud) { request, _ in
            switch request.method {
            case "LOCK": Self.lockAnswer(60)
            case "UNLOCK", "PUT": .answer(204)
            default: fileAnswer("/dav/a%20b")
            }
        } _: { scene in
            let file = scene.file("/a b")
            try await scene.client.lock(file, seconds: 300)
            #expect(scene.client.capabilities.lockSeconds == 60)
            try await scene.client.lock(file, seconds: 60)
            _ = try await scene.client.upload(try scene.content("abc"), name: "a b", to: scene.top)
            try await scene.client.unlock(file)
            try await scene.client.unlock(file)
            let requests = scene.server.requests
            let locks = requests.filter { $0.method == "LOCK" }
            #expect(locks.count == 2)
            #expect(locks[0].header("Timeout") == "Second-300")
            #expect(locks[0].header("Depth") == "0")
            #expect(String(decoding: locks[0].body, as: UTF8.self).contains("alice on test"))
            #expect(locks[1].header("If") == "(<\(Self.token)>)")
            #expect(locks[1].body.isEmpty)
            #expect(
                requests.first { $0.method == "PUT" }?.header("If")
                    == "<\(scene.server.url)/dav/a%20b> (<\(Self.token)>)")
            let unlocks = requests.filter { $0.method == "UNLOCK" }
            #expect(unlocks.map { $0.header("Lock-Token") } == ["<\(Self.token)>"])
        }
    }

    @Test func aLockFromBeforeACrashIsTakenUpAgain() async throws {
        try await ClientScene.with(.nextcloud) { request, _ in
            switch request.method {
            case "LOCK": request.header("If") == nil ? .text(423, "") : Self.lockAnswer()
            case "UNLOCK": .answer(204)
            default: fileAnswer("/dav/a", extra: Self.discovery(owner: "alice on test"))
            }
        } _: { scene in
            try await scene.client.lock(scene.file("/a"), seconds: 300)
            #expect(scene.server.count("LOCK") == 2)
            #expect(try await !scene.client.item(scene.file("/a")).isLocked)
            try await scene.client.unlock(scene.file("/a"))
            // Not known any more, but still on the server under our name.
            try await scene.client.unlock(scene.file("/a"))
            #expect(scene.server.count("UNLOCK") == 2)
        }
    }

    @Test(arguments: ["alice on test", "bob"])
    func onlyAnOrphanOfOursGivesWayToAnUpload(_ owner: String) async throws {
        try await ClientScene.with(.nextcloud) { request, before in
            switch request.method {
            case "PUT": before == 0 ? .text(423, "") : .answer(204)
            case "UNLOCK" where request.header("Lock-Token") == "<\(Self.token)>": .answer(204)
            default: fileAnswer("/dav/a", extra: Self.discovery(owner: owner))
            }
        } _: { scene in
            let content = try scene.content("abc")
            let kind = try await failureKind {
                _ = try await scene.client.upload(content, name: "a", to: scene.top)
            }
            let isOurs = owner != "bob"
            #expect(kind == (isOurs ? nil : .locked))
            // Nobody asked for that lock any more.
            #expect(scene.server.count("UNLOCK") == (isOurs ? 1 : 0))
            #expect(scene.server.count("PUT") == (isOurs ? 2 : 1))
        }
    }

    @Test func aLockOfSomebodyElseIsLeftAlone() async throws {
        try await ClientScene.with(.nextcloud) { request, _ in
            switch request.method {
            case "LOCK": .text(423, "")
            default: fileAnswer("/dav/a", extra: Self.discovery(owner: "bob"))
            }
        } _: { scene in
            let kind = try await failureKind {
                try await scene.client.lock(scene.file("/a"), seconds: 300)
            }
            #expect(kind == .locked)
            try await scene.client.unlock(scene.file("/a"))
            #expect(scene.server.count("UNLOCK") == 0)
            #expect(try await scene.client.item(scene.file("/a")).lockHolder == "bob")
        }
    }

    @Test func aNameThatIsFreeIsNotLocked() async throws {
        try await ClientScene.with(.nextcloud) { request, _ in
            request.method == "LOCK" ? .answer(201) : .text(404, "")
        } _: { scene in
            let kind = try await failureKind {
                try await scene.client.lock(scene.file("/a"), seconds: 300)
            }
            #expect(kind == .notFound)
            #expect(scene.server.count("LOCK") == 0)
        }
    }

    @Test func aServerOfClass1HasNoLocks() async throws {
        try await ClientScene.with(.nextcloud) {
            $0.supportsLocks = false
        } script: { _, _ in
            fileAnswer("/dav/a")
        } _: { scene in
            #expect(scene.client.capabilities.lockSeconds == nil)
            let kind = try await failureKind {
                try await scene.client.lock(scene.file("/a"), seconds: 300)
            }
            #expect(kind == .unsupported)
            #expect(scene.server.requests.isEmpty)
        }
    }
}
