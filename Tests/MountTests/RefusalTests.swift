import CloudStorage
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

/// What programs hear when another client was faster or the server no longer lets them: the errno
/// of the failure, at once, and nothing is lost. The mount asks for no changes meanwhile.
@Suite(.serialized) struct RefusalTests {
    private static let options = MountedCloud.serverFirst + ["--poll", "3600"]

    /// Mounts what `prepare` made, with no content on this machine and no lock on files.
    private func mountedWith(
        _ behaviour: ServerBehaviour, options: [String] = [], prepare: String,
        _ body: (MountedCloud, LeitzCloudClient) async throws -> Void
    ) async throws {
        try await MountedCloud.with(behaviour, options: Self.options + options) {
            (mounted) async throws -> Void in
            try await mounted.shell(prepare)
            try await mounted.unmount()
            try await mounted.atHome("rm -rf cache")
            try await mounted.mount()
            try await mounted.shell("ls -l > /dev/null")
            try await body(mounted, try await mounted.cloud.client(.bob))
        }
    }

    private func item(
        _ name: String, _ mounted: MountedCloud, _ client: LeitzCloudClient
    ) async throws -> ItemReference {
        let items = try await client.entries(of: .top(of: mounted.cloud.team))
        return try #require(items[name]).reference
    }

    private func content(
        of name: String, _ mounted: MountedCloud, _ client: LeitzCloudClient
    ) async throws -> String? {
        let items = try await client.entries(of: .top(of: mounted.cloud.team))
        guard let item = items[name] else { return nil }
        return String(decoding: try await client.bytes(of: item), as: UTF8.self)
    }

    @Test(arguments: behaviours)
    func whatAnotherClientDeletedIsGone(_ behaviour: ServerBehaviour) async throws {
        try await mountedWith(
            behaviour,
            prepare:
                "mkdir d e; echo 1 > d/x; for i in seen read held write drop move; do echo $i > $i; done"
        ) { mounted, bob in
            let said = try await mounted.python(
                """
                held = os.open("held", os.O_RDONLY)
                pause()
                print(in_the_end(os.listdir, "d"), in_the_end(os.listdir, "e"), word(os.mkdir, "e/new"),
                    word(load, "read"), word(os.read, held, 10), word(store, "write", b"x"),
                    word(os.unlink, "drop"), word(os.rename, "move", "moved"),
                    word(os.stat, "d/x"))
                """
            ) {
                for name in ["d", "e", "read", "held", "write", "drop", "move"] {
                    try await bob.delete(try await item(name, mounted, bob))
                }
            }
            #expect(said == "ENOENT ENOENT ENOENT ESTALE ESTALE ENOENT ok ENOENT ENOENT")
            let status = try await mounted.status()
            #expect(status.unsentNames == [])
            let items = try await bob.entries(of: .top(of: mounted.cloud.team))
            #expect(items.keys.sorted() == ["seen"])
            try await mounted.shell("[ \"$(cat seen)\" = seen ]")
        }
    }

    @Test(arguments: behaviours)
    func aFileDeletedWhileItIsWrittenIsStoredAgain(_ behaviour: ServerBehaviour) async throws {
        try await mountedWith(behaviour, options: ["--lock=off"], prepare: "echo old > a") {
            mounted, bob in
            let said = try await mounted.python(
                """
                file = os.open("a", os.O_WRONLY); os.write(file, b"precious\\n")
                pause()
                print(word(os.close, file))
                """
            ) { try await bob.delete(try await item("a", mounted, bob)) }
            #expect(said == "ok")
            #expect(try await content(of: "a", mounted, bob) == "precious\n")
            try await mounted.shell("[ \"$(cat a)\" = precious ]")
        }
    }

    @Test(arguments: behaviours)
    func namesThatAnotherClientTookAreTaken(_ behaviour: ServerBehaviour) async throws {
        try await mountedWith(behaviour, prepare: "echo mine > mine; mkdir f") { mounted, bob in
            let files = try TemporaryFolder()
            let top = ItemReference.top(of: mounted.cloud.team)
            let said = try await mounted.python(
                """
                file = os.open("new", os.O_WRONLY | os.O_CREAT | os.O_EXCL); os.write(file, b"mine\\n")
                pause()
                print(word(os.rename, "mine", "taken"),
                    word(os.rename, "f", "d"), word(os.mkdir, "d"), word(os.close, file))
                """
            ) {
                let theirs = try await bob.createFolder(name: "d", in: top)
                for (name, folder) in [("x", theirs.reference), ("taken", top), ("new", top)] {
                    _ = try await bob.upload(
                        Array("theirs\n".utf8), name: name, to: folder, from: files)
                }
            }
            // Whether the folder's entry is known by then is a matter of time.
            #expect(
                ["EEXIST EEXIST EEXIST ok", "EEXIST ENOTEMPTY EEXIST ok"].contains(said), "\(said)")
            // The local ones are still here; both contents of the name written twice are stored.
            let status = try await mounted.status()
            #expect(status.unsentNames == [])
            let copy = try #require(status.conflicts.first?.copy.split(separator: "/").last)
            #expect(copy.hasPrefix("new (conflict "))
            try await mounted.shell("[ \"$(cat mine '\(copy)')\" = 'mine\nmine' ]; [ -d f ]")
            #expect(try await content(of: String(copy), mounted, bob) == "mine\n")
            for name in ["new", "taken"] {
                #expect(try await content(of: name, mounted, bob) == "theirs\n")
                try await mounted.shell("[ \"$(cat \(name))\" = theirs ]")
            }
            try await mounted.shell("[ \"$(ls d)\" = x ]")
        }
    }
}
