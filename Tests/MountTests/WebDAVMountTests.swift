import CloudStorage
import Foundation
import TestSupport
import Testing

/// What is particular to servers that know items by path only.
@Suite(.serialized) struct WebDAVMountTests {
    private static let servers: [WebDAVTestServer.Kind] = [.apache, .wsgidav]
    private static let options = ["--sync=none", "--poll", "1"]

    /// Runs a test on a mount and hands over the server.
    private static func with(
        _ kind: WebDAVTestServer.Kind, options: [String] = Self.options,
        _ body: (MountedCloud, WebDAVTestServer) async throws -> Void
    ) async throws {
        try await MountedCloud.with(.webDAV(kind), options: options) { mounted in
            let cloud = try #require(mounted.server as? WebDAVCloud)
            try await body(mounted, cloud.server)
        }
    }

    /// A folder takes its new path to all that is below it: open files, unsent ones, later ones.
    @Test(arguments: servers)
    func workGoesOnBelowARenamedFolder(_ kind: WebDAVTestServer.Kind) async throws {
        try await Self.with(kind) { mounted, _ in
            try await mounted.compareWithLocalDisk(
                """
                mkdir -p a/b/c; for i in 1 2 3 4; do echo $i > a/b/c/$i; echo $i > a/$i; done
                """)
            try await mounted.sync()
            try await mounted.compareWithLocalDisk(
                """
                exec 5>> a/b/c/1; mv a/b moved; echo more >&5; exec 5>&-
                cat moved/c/2; echo new > moved/c/new; mv moved/c/3 a/b; echo x >> moved/c/4
                mkdir a/c; mv moved a/c/d; mv a e; rm e/c/d/c/2; mv e/c/d/c/new e/new; mkdir a
                echo other > a/1
                """)
            try await mounted.sync()
            try await mounted.unmount()
            try await mounted.atHome("rm -rf cache")
            try await mounted.mount()
            try await mounted.compareWithLocalDisk(
                "mv e/c/d f; for i in f/c/*; do echo again >> $i; done; mv a/1 f; rm -r e")
            try await mounted.sync()
            try await mounted.compareWithLocalDisk("ls -R")
        }
    }

    /// Without its server the mount goes on; when that is back, everything goes up.
    @Test(arguments: servers)
    func aServerGoesAndComesBack(_ kind: WebDAVTestServer.Kind) async throws {
        try await Self.with(kind) { mounted, server in
            try await mounted.shell("mkdir d; echo one > d/a; echo two > d/b; cat d/a d/b")
            try await mounted.sync()
            await server.stop()
            try await mounted.shell(
                """
                [ "$(cat d/a)" = one ]; echo three > d/c; mkdir d/e; mv d/b d/e/b; rm d/a
                echo four >> d/e/b; mv d f; [ "$(cat f/e/b)" = "two
                four" ]
                """, seconds: 30)
            await mounted.killDriver()
            try await mounted.clearDeadMount()
            try await mounted.mount()
            try await mounted.shell("[ \"$(cat f/c)\" = three ]; [ ! -e d ]", seconds: 30)
            try await server.startAgain()
            try await eventually(within: .seconds(60), "the changes on the server") {
                try await mounted.status().unsent.isEmpty
            }
            try await mounted.downloadAll()
            try await mounted.atHome(
                """
                [ "$(cd remote; find . -type f | sort | tr '\\n' ' ')" = "./f/c ./f/e/b " ]
                [ "$(cat remote/f/c remote/f/e/b | tr '\\n' ' ')" = "three two four " ]
                """)
        }
    }

    /// Another client's work is seen within a poll, and a name it gives away means the new file.
    @Test(arguments: servers)
    func whatOthersDoIsSeen(_ kind: WebDAVTestServer.Kind) async throws {
        try await Self.with(kind) { mounted, _ in
            try await mounted.shell("echo mine > a; echo kept > b; mkdir d; echo in > d/f")
            try await mounted.sync()
            let bob = try await mounted.bob()
            let folder = try TemporaryFolder()
            let top = mounted.server.top
            let items = try await bob.entries(of: top)
            _ = try await bob.relocate(
                try #require(items["a"]).reference, to: RelocationTarget(name: "c"))
            _ = try await bob.upload(Array("theirs\n".utf8), name: "a", to: top, from: folder)
            _ = try await bob.upload(Array("longer\n".utf8), name: "b", to: top, from: folder)
            _ = try await bob.relocate(
                try #require(items["d"]).reference, to: RelocationTarget(name: "e"))
            try await eventually(within: .seconds(30), "another client's changes") {
                let seen = try await mounted.attempt("ls; cat a b c e/f")
                return seen.output == "a\nb\nc\ne\ntheirs\nlonger\nmine\nin\n"
            }
        }
    }

    /// Another client's lock keeps this one out, and this one's lock keeps the other out.
    @Test(arguments: servers)
    func locksHoldBothWays(_ kind: WebDAVTestServer.Kind) async throws {
        try await Self.with(kind) { mounted, _ in
            try await mounted.shell("echo mine > a; echo mine > b")
            try await mounted.sync()
            let bob = try await mounted.bob()
            let top = mounted.server.top
            let items = try await bob.entries(of: top)
            let (a, b) = (try #require(items["a"]).reference, try #require(items["b"]).reference)
            try await bob.lock(a, seconds: 600)
            let refused = try await mounted.attempt("LC_ALL=C; echo x >> a")
            #expect(refused.error.contains("busy"), "\(refused.error)")
            try await bob.unlock(a)
            try await mounted.shell("echo more >> a")
            _ = try await mounted.python(
                """
                file = os.open("b", os.O_WRONLY | os.O_APPEND); os.write(file, b"open\\n"); pause()
                os.close(file)
                """
            ) {
                await #expect(throws: CloudStorageError.self) {
                    try await bob.lock(b, seconds: 60)
                }
            }
            try await mounted.sync()
            try await eventually("the lock is given back") {
                let locked = try await bob.entries(of: top)["b"]?.isLocked
                return locked == false
            }
            #expect(
                try await bob.bytes(of: try #require(try await bob.entries(of: top)["b"])).count
                    == 10)
        }
    }

    /// Names that differ only in their Unicode normal form are two files; what no URL or no Linux
    /// name holds as it is comes and goes unchanged.
    @Test(arguments: servers)
    func namesStayWhatTheyAre(_ kind: WebDAVTestServer.Kind) async throws {
        try await Self.with(kind) { mounted, server in
            let long = String(repeating: "ü", count: 120) + ".txt"
            let script = """
                nfc="$(printf 'caf\\xc3\\xa9')"; nfd="$(printf 'cafe\\xcc\\x81')"
                echo composed > "$nfc"; echo decomposed > "$nfd"; mkdir 'a b%20#?&'
                echo 1 > 'a b%20#?&/\(long)'; mv "$nfc" 'a b%20#?&/'; echo 2 > "$nfc"
                """
            try await mounted.shell(script)
            try await mounted.atHome("mkdir local; cd local; \(script)")
            try await mounted.sync()
            try await mounted.atHome("diff -r -x .DAV local '\(server.dataFolder)'")
            try await mounted.unmount()
            try await mounted.atHome("rm -rf cache")
            try await mounted.mount()
            try await mounted.shell("diff -r . $W/local; [ \"$(ls | wc -l)\" = 3 ]")
        }
    }
}
