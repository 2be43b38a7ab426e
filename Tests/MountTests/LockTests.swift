import CloudStorage
import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// Nobody overwrites a colleague: the server's locks through real mounts.
@Suite(.serialized) struct LockTests {
    private static let kinds: [CloudKind] = [.leitzCloud(ServerBehaviour()), .nextcloud]
    /// Locks of others are seen soon.
    private static let options = ["--poll=0.2"]

    private func bobsItems(_ mounted: MountedCloud) async throws -> [String: CloudItem] {
        try await mounted.bob().entries(of: mounted.server.top)
    }

    private func store(_ script: String, in mounted: MountedCloud) async throws {
        try await mounted.shell(script)
        let outcome = try await mounted.home.run("sync", mounted.point)
        #expect(outcome.exitCode == 0, "\(outcome.error)")
    }

    /// The names in the folder, as a listing shows them, once they are these.
    private func names(_ expected: String, in mounted: MountedCloud) async throws {
        try await eventually(within: .seconds(30), "ls -A gives \(expected)") {
            try await mounted.shell("ls -A | LC_ALL=C sort | tr '\\n' ' '") == expected
        }
    }

    @Test(arguments: kinds)
    func aColleaguesLockIsShownToOfficePrograms(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: Self.options) { (mounted) async throws -> Void in
            try await store("echo text > document.docx; echo text > plain", in: mounted)
            let bob = try await mounted.bob()
            let item = try #require(try await bobsItems(mounted)["document.docx"])
            try await bob.lock(item.reference, seconds: 600)
            let plain = try #require(try await bobsItems(mounted)["plain"])
            try await bob.lock(plain.reference, seconds: 600)
            try await names(
                ".~lock.document.docx# document.docx plain ~$cument.docx ", in: mounted)
            try await eventually(within: .seconds(30), "the other lock is known") {
                try await mounted.attempt("[ \"$(stat -c %a plain)\" = 444 ]").exitCode == 0
            }
            try await mounted.shell(
                """
                grep -qi bob '.~lock.document.docx#'; grep -qi bob '~$cument.docx'
                [ "$(stat -c %s '~$cument.docx')" = 162 ]
                [ "$(cat document.docx)" = text ]
                """)
            let said = try await mounted.python(
                """
                store("new", b"new")
                print(word(os.open, "document.docx", os.O_RDWR),
                    word(os.open, "plain", os.O_RDWR),
                    word(os.open, "document.docx", os.O_WRONLY | os.O_TRUNC),
                    word(os.truncate, "document.docx", 0), word(os.unlink, "document.docx"),
                    word(os.rename, "document.docx", "b"), word(os.rename, "new", "document.docx"),
                    word(os.open, ".~lock.document.docx#", os.O_CREAT | os.O_EXCL | os.O_RDWR),
                    word(os.unlink, "~$cument.docx"))
                """)
            #expect(said == "EBUSY EBUSY EBUSY EBUSY EBUSY EBUSY EBUSY EEXIST EBUSY")
            let listed = try await mounted.home.run("locks", mounted.point)
            #expect(listed.output.lowercased().contains("document.docx: locked by bob"))
            for locked in [item, plain] { try await bob.unlock(locked.reference) }
            try await names("document.docx new plain ", in: mounted)
            try await eventually(within: .seconds(30), "it may be written again") {
                try await mounted.attempt("[ \"$(stat -c %a plain)\" = 644 ]").exitCode == 0
            }
            try await mounted.shell("echo more >> document.docx")
        }
    }

    @Test(arguments: kinds)
    func anOwnerFileKeepsColleaguesOut(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: Self.options) { (mounted) async throws -> Void in
            try await store("echo text > a.odt", in: mounted)
            let bob = try await mounted.bob()
            try await mounted.shell("echo 'Alice,alice,here,,;' > '.~lock.a.odt#'")
            let item = try #require(try await bobsItems(mounted)["a.odt"])
            #expect(item.isLocked)
            await #expect(throws: CloudStorageError.self) {
                try await bob.lock(item.reference, seconds: 60)
            }
            // As LibreOffice saves: in place, or a new file over the old one.
            try await store("echo second > a.odt", in: mounted)
            #expect(try #require(try await bobsItems(mounted)["a.odt"]).isLocked)
            try await store("echo third > lu1.tmp; mv lu1.tmp a.odt", in: mounted)
            #expect(try #require(try await bobsItems(mounted)["a.odt"]).isLocked)
            let status = try await mounted.home.run("locks", mounted.point, "--json")
            #expect(status.output.contains("office"), "\(status.output)")
            try await mounted.shell("rm '.~lock.a.odt#'")
            try await eventually(within: .seconds(30), "the lock is given back") {
                try await bobsItems(mounted)["a.odt"]?.isLocked == false
            }
            let stored = try await bobsItems(mounted)
            #expect(stored.keys.sorted() == ["a.odt"])
            #expect(
                try await bob.bytes(of: try #require(stored["a.odt"])) == Array("third\n".utf8))
        }
    }

    @Test(arguments: kinds)
    func lockAndUnlockByCommandAndAttribute(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: Self.options) { (mounted) async throws -> Void in
            try await store("mkdir d; echo 1 > d/x; echo 2 > a", in: mounted)
            let bob = try await mounted.bob()
            let team = "\(mounted.point)/\(mounted.server.teamPath)"
            for name in ["a", "d"] {
                let taken = try await mounted.home.run("lock", "\(team)/\(name)")
                #expect(taken.exitCode == 0, "\(taken.error)")
                let item = try #require(try await bobsItems(mounted)[name])
                await #expect(throws: CloudStorageError.self) {
                    try await bob.delete(item.reference, revision: item.revision)
                }
            }
            let listed = try await mounted.home.run("locks").output
            #expect(listed.contains("/a: yours, by ordner lock"), "\(listed)")
            // Its own changes pass.
            try await store("echo 3 > d/x; echo 4 > a", in: mounted)
            for name in ["a", "d"] {
                let item = try #require(try await bobsItems(mounted)[name])
                await #expect(throws: CloudStorageError.self) {
                    try await bob.delete(item.reference, revision: item.revision)
                }
            }
            for name in ["a", "d"] {
                let given = try await mounted.home.run("unlock", "\(team)/\(name)")
                #expect(given.exitCode == 0, "\(given.error)")
                let item = try #require(try await bobsItems(mounted)[name])
                try await bob.lock(item.reference, seconds: 60)
                let refused = try await mounted.home.run("lock", "\(team)/\(name)")
                #expect(refused.exitCode == 1)
                #expect(refused.error.contains("locked by"), "\(refused.error)")
                try await bob.unlock(item.reference)
            }
            _ = try await mounted.python(
                """
                os.setxattr("a", "user.ordner.lock", b"600"); pause()
                os.removexattr("a", "user.ordner.lock")
                """
            ) {
                let isLocked = try await bobsItems(mounted)["a"]?.isLocked
                #expect(isLocked == true)
            }
            #expect(try await bobsItems(mounted)["a"]?.isLocked == false)
        }
    }

    /// A kill at a random moment of lock, edit, upload, unlock.
    @Test(arguments: kinds)
    func aKilledDriverLeavesNoLock(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: Self.options) { (mounted) async throws -> Void in
            try await store("echo text > a.odt", in: mounted)
            let kills = [
                "exec 5<>a.odt", "exec 5<>a.odt; echo 1 >&5", "echo more > a.odt",
                "echo me > '.~lock.a.odt#'; echo other > a.odt",
                "echo me > '.~lock.a.odt#'; echo new > t; mv t a.odt; rm '.~lock.a.odt#'",
            ]
            for script in kills {
                try await mounted.shell(script)
                await mounted.killDriver()
                try await mounted.mount()
                let sync = try await mounted.home.run("sync", mounted.point)
                #expect(sync.exitCode == 0, "\(script): \(sync.error)")
                try await eventually(within: .seconds(30), "no lock after \(script)") {
                    try await bobsItems(mounted)["a.odt"]?.isLocked == false
                }
                try await mounted.shell("rm -f '.~lock.a.odt#'")
            }
            let names = try await bobsItems(mounted).keys.filter { $0.hasPrefix("a") }
            #expect(names.sorted() == ["a.odt"])
            try await mounted.shell("[ \"$(cat a.odt)\" = new ]")
        }
    }
}
