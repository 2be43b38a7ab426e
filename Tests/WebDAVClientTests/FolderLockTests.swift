import CloudStorage
import HTTPTransport
import TestSupport
import Testing

@testable import WebDAVClient

/// A folder's lock covers what is below it, whose `lockdiscovery` names it as well.
@Suite struct FolderLockTests {
    private static let token = "opaquelocktoken:118730f0-9c0b-42a8-baf7-4fc8ea593fc1"

    /// How a server tells what a lock is on: not at all, or in one of these forms.
    enum LockRoot: String, CaseIterable {
        case none = ""
        case path = "/dav/d/"
        case url = "http://localhost/dav/d"
        /// As sabre/dav writes it behind another path.
        case relative = "files/alice/d"

        var element: String {
            self == .none ? "" : "<d:lockroot><d:href>\(rawValue)</d:href></d:lockroot>"
        }
    }

    private static func discovery(_ root: LockRoot) -> String {
        """
        <d:lockdiscovery><d:activelock><d:owner>alice on test</d:owner>\(root.element)\
        <d:locktoken><d:href>\(token)</d:href></d:locktoken></d:activelock></d:lockdiscovery>
        """
    }

    /// - Parameter answersWithFolders: whether a LOCK with the folder's token is answered with that.
    private static func script(
        _ root: LockRoot, answersWithFolders: Bool = false
    ) -> ScriptedServer.Script {
        { request, _ in
            let isFolder = request.path.hasSuffix("/d/")
            switch request.method {
            case "LOCK"
            where isFolder
                || (request.body.isEmpty || answersWithFolders)
                    && request.header("If") == "(<\(token)>)":
                return .text(200, "", [("Lock-Token", "<\(token)>")])
            case "LOCK", "PUT": return .text(423, "")
            case "UNLOCK": return .answer(204)
            default:
                return isFolder
                    ? folderAnswer("/dav/d/") : fileAnswer("/dav/d/x", extra: discovery(root))
            }
        }
    }

    private static func folder() -> ItemReference {
        ItemReference(root: WebDAVClient.root, kind: .folder, id: nil, path: "/d")
    }

    @Test(arguments: LockRoot.allCases, [false, true])
    func aFilesUnlockDoesNotEndTheLockOfItsFolder(
        _ root: LockRoot, answersWithFolders: Bool
    ) async throws {
        let script = Self.script(root, answersWithFolders: answersWithFolders)
        try await ClientScene.with(.owncloud, script: script) { scene in
            try await scene.client.lock(Self.folder(), seconds: 300)
            try await scene.client.lock(scene.file("/d/x"), seconds: 300)
            try await scene.client.lock(scene.file("/d/x"), seconds: 300)
            try await scene.client.unlock(scene.file("/d/x"))
            #expect(scene.server.count("UNLOCK") == 0)
            try await scene.client.unlock(Self.folder())
            let unlocks = scene.server.requests.filter { $0.method == "UNLOCK" }
            #expect(unlocks.map(\.path) == ["/dav/d/"])
        }
    }

    @Test(arguments: LockRoot.allCases)
    func aFoldersLockIsNoOrphanOfItsFiles(_ root: LockRoot) async throws {
        try await ClientScene.with(.owncloud, script: Self.script(root)) { scene in
            try await scene.client.lock(Self.folder(), seconds: 300)
            let content = try scene.content("abc")
            let folder = Self.folder()
            let kind = try await failureKind {
                _ = try await scene.client.upload(content, name: "x", to: folder)
            }
            #expect(kind == .locked)
            #expect(scene.server.count("UNLOCK") == 0)
        }
    }

    /// Of a run that has crashed; nobody else can take it before it ends.
    @Test func anEarlierRunsLockOfTheFolderIsNotTheFiles() async throws {
        try await ClientScene.with(.owncloud, script: Self.script(.path)) { scene in
            try await scene.client.lock(scene.file("/d/x"), seconds: 300)
            try await scene.client.unlock(scene.file("/d/x"))
            #expect(scene.server.count("UNLOCK") == 0)
        }
    }

    @Test(arguments: ["/dav/a", "http://localhost/dav/a/", "files/alice/a"])
    func aFilesOwnLockIsKnownByWhatItIsOn(_ root: String) async throws {
        let discovery = """
            <d:lockdiscovery><d:activelock><d:owner>alice on test</d:owner><d:lockroot><d:href>\
            \(root)</d:href></d:lockroot><d:locktoken><d:href>\(Self.token)</d:href>\
            </d:locktoken></d:activelock></d:lockdiscovery>
            """
        try await ClientScene.with(.owncloud) { request, _ in
            switch request.method {
            case "LOCK" where request.header("If") == nil: .text(423, "")
            case "LOCK": .text(200, "", [("Lock-Token", "<\(Self.token)>")])
            case "UNLOCK": .answer(204)
            default: fileAnswer("/dav/a", extra: discovery)
            }
        } _: { scene in
            try await scene.client.lock(scene.file("/a"), seconds: 300)
            try await scene.client.unlock(scene.file("/a"))
            #expect(scene.server.count("UNLOCK") == 1)
        }
    }
}
