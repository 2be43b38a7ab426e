import CloudStorage
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

/// What programs hear when a right, a lock or a whole root is taken from them while they work, and
/// that what they wrote stays here until the server takes it.
@Suite(.serialized) struct WithdrawalTests {
    private static let options = MountedCloud.serverFirst + ["--poll", "3600"]

    private func content(
        of name: String, in mounted: MountedCloud, _ client: LeitzCloudClient
    ) async throws -> String? {
        let items = try await client.entries(of: .top(of: mounted.cloud.team))
        guard let item = items[name] else { return nil }
        return String(decoding: try await client.bytes(of: item), as: UTF8.self)
    }

    /// The content is on this machine, and `ordner status` says that it is only there, and why.
    private func expectKept(
        _ name: String, _ text: String, in mounted: MountedCloud
    ) async throws {
        try await mounted.shell("[ \"$(cat \(name))\" = '\(text)' ]")
        let status = try await mounted.status()
        #expect(status.unsentNames == [name])
        #expect(status.unsent.allSatisfy { $0.error != nil })
    }

    @Test(arguments: behaviours)
    func aRightTakenAwayIsDenied(_ behaviour: ServerBehaviour) async throws {
        try await MountedCloud.with(behaviour, options: Self.options) {
            (mounted) async throws -> Void in
            try await mounted.shell("mkdir d; for i in a b c; do echo old > $i; done")
            let said = try await mounted.python(
                """
                file = os.open("a", os.O_WRONLY | os.O_TRUNC); os.write(file, b"precious\\n")
                pause()
                print(word(os.mkdir, "new"), word(os.rename, "b", "moved"),
                    word(os.rename, "b", "d/b"), word(os.unlink, "c"), word(os.rmdir, "d"),
                    word(os.close, file))
                """
            ) { try await mounted.cloud.permit(.alice, ["FILE_VIEW", "FILE_READ"]) }
            #expect(said == "EACCES EACCES EACCES EACCES EACCES EACCES")
            try await expectKept("a", "precious", in: mounted)
            let bob = try await mounted.cloud.client(.bob)
            #expect(try await content(of: "a", in: mounted, bob) == "old\n")
            try await mounted.shell("[ \"$(ls)\" = 'a\nb\nc\nd' ]; [ \"$(cat b c)\" = 'old\nold' ]")
            try await mounted.cloud.permit(.alice, ["FILE_VIEW", "FILE_READ", "FILE_WRITE"])
            // What was refused for good is tried again by the next mount.
            try await mounted.unmount()
            try await mounted.mount()
            try await eventually(within: .seconds(30), "the next try") {
                try await content(of: "a", in: mounted, bob) == "precious\n"
            }
            try await eventually("no unsent file") {
                try await mounted.status().unsentNames.isEmpty
            }
        }
    }

    @Test(arguments: behaviours)
    func aLockTakenMeanwhileIsBusy(_ behaviour: ServerBehaviour) async throws {
        try await MountedCloud.with(behaviour, options: Self.options + ["--lock=off"]) {
            (mounted) async throws -> Void in
            let bob = try await mounted.cloud.client(.bob)
            try await mounted.shell("mkdir d; echo 1 > d/x; echo old > a")
            let items = try await bob.entries(of: .top(of: mounted.cloud.team))
            let locked = [try #require(items["a"]).reference, try #require(items["d"]).reference]
            let said = try await mounted.python(
                """
                file = os.open("a", os.O_WRONLY | os.O_TRUNC); os.write(file, b"precious\\n")
                pause()
                print(word(os.mkdir, "d/new"), word(os.rename, "d/x", "d/y"),
                    word(os.rename, "a", "b"), word(os.unlink, "d/x"), word(os.rename, "d", "e"),
                    word(os.close, file))
                """
            ) { for item in locked { try await bob.lock(item, seconds: 600) } }
            #expect(said == "EBUSY EBUSY EBUSY EBUSY EBUSY EBUSY")
            try await expectKept("a", "precious", in: mounted)
            #expect(try await content(of: "a", in: mounted, bob) == "old\n")
            for item in locked { try await bob.unlock(item) }
            try await eventually(within: .seconds(30), "the next try") {
                try await content(of: "a", in: mounted, bob) == "precious\n"
            }
            try await mounted.shell("mv d/x d/y; mkdir d/new; mv d e; [ \"$(cat e/y)\" = 1 ]")
        }
    }

    @Test(arguments: behaviours)
    func aDeletedRootIsGoneAndItsUnsentFilesAreKept(_ behaviour: ServerBehaviour) async throws {
        try await MountedCloud.with(behaviour, options: Self.options) {
            (mounted) async throws -> Void in
            try await mounted.shell("mkdir d; echo 1 > d/x; echo old > a; echo held > h")
            try await mounted.unmount()
            try await mounted.atHome("rm -rf cache")
            try await mounted.mount()
            let said = try await mounted.python(
                """
                file = os.open("a", os.O_WRONLY | os.O_TRUNC); os.write(file, b"precious\\n")
                held = os.open("h", os.O_RDONLY)
                pause()
                print(word(os.read, held, 10), word(os.mkdir, "new"), in_the_end(os.listdir, "d"),
                    word(os.stat, "d/x"), word(os.close, file))
                """
            ) { try await mounted.cloud.deleteTeam() }
            #expect(said == "ESTALE ENOENT ENOENT ENOENT ESTALE")
            try await expectKept("a", "precious", in: mounted)
        }
    }
}
