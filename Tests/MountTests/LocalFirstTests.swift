import CloudStorage
import Foundation
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

/// The default mode: programs are answered by this machine, and the cloud follows.
@Suite(.serialized) struct LocalFirstTests {
    private static let options = ["--sync=none"]

    /// What programs do when they save costs as few calls as it can.
    @Test func savesCostFewCalls() async throws {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName = .revision
        try await MountedCloud.with(behaviour, options: Self.options) {
            (mounted) async throws -> Void in
            _ = try await mounted.calls("echo 1 > a; mkdir d; echo 2 > d/b; echo 3 > d/c")
            let vim = try await mounted.calls("mv a a~; echo 4 > a; rm a~")
            #expect(vim == ["POST upload": 1], "vim")
            let office = try await mounted.calls(
                "echo me > .~lock.a#; echo 5 > lu1.tmp; mv lu1.tmp a; rm .~lock.a#")
            #expect(office == ["POST upload": 1], "LibreOffice")
            let rsync = try await mounted.calls(
                "cp -r d $W/s; echo other > $W/s/b; rsync -a $W/s/ d/; rm -r $W/s")
            #expect(rsync == ["POST upload": 1], "rsync")
            #expect(try await mounted.calls("touch a; chmod 600 a; cat a; ls -l") == [:])
            #expect(try await mounted.calls("cat a > $W/a; cat $W/a > a") == [:], "same bytes")
            #expect(try await mounted.calls("echo x > t; mv t u; rm u; mkdir v; rmdir v") == [:])
            #expect(try await mounted.shell("cat a d/b d/c") == "5\nother\n3\n")
        }
    }

    /// A tree arrives with one call a file, many at a time, and goes with one.
    @Test func treesAreSentInParallelAndRemovedInOneCall() async throws {
        try await MountedCloud.with(options: Self.options) { (mounted) async throws -> Void in
            try await mounted.atHome(
                """
                mkdir t; for i in $(seq 1000); do head -c 4096 /dev/zero > t/f$i; done
                tar cf t.tar t
                """)
            // The first file finds out what the server does with a taken name.
            _ = try await mounted.calls("echo 1 > first")
            let made = try await mounted.calls("tar xf $W/t.tar")
            #expect(made["POST upload"] == 1_000)
            #expect(made["POST create_folder"] == 1)
            #expect((mounted.cloud.server.requestPeaks()["POST upload"] ?? 0) >= 8)
            let bob = try await mounted.cloud.client(.bob)
            let top = try await bob.entries(of: .top(of: mounted.cloud.team))
            let tree = try #require(top["t"])
            #expect(try await bob.entries(of: tree.reference).count == 1_000)
            let gone = try await mounted.calls("rm -rf t")
            #expect(gone == ["POST delete": 1])
        }
    }

    /// With `--sync=names` a change of names is done, or refused, by the server when the program
    /// is answered; contents follow.
    @Test(arguments: behaviours)
    func namesMayWaitForTheServer(_ behaviour: ServerBehaviour) async throws {
        try await MountedCloud.with(behaviour, options: ["--sync=names"]) {
            (mounted) async throws -> Void in
            let bob = try await mounted.bob()
            func names() async throws -> [String] {
                try await bob.entries(of: mounted.server.top).keys.sorted()
            }
            try await mounted.shell("mkdir d")
            #expect(try await names() == ["d"])
            try await mounted.shell("echo one > f; mv d e")
            #expect(try await names().contains("e"))
            try await mounted.sync()
            #expect(try await names() == ["e", "f"])
            try await mounted.shell("mv f g")
            #expect(try await names() == ["e", "g"])
            let faults = mounted.cloud.server.faults
            let refusal = FaultAction.status(code: 403, error: "forbidden", retryAfter: nil)
            for kind in ["rename", "move", "delete", "create_folder"] {
                faults.add(FaultRule(refusal, routeKind: kind, times: nil))
            }
            let said = try await mounted.python(
                "print(word(os.rename, 'g', 'h'), word(os.unlink, 'g'), word(os.rmdir, 'e'))")
            #expect(said == "EACCES EACCES EACCES")
            try await mounted.shell("[ \"$(ls | tr '\\n' ' ')\" = 'e g ' ]; [ \"$(cat g)\" = one ]")
            faults.removeAll()
            // The content is not waited for.
            faults.add(FaultRule(.delay(seconds: 600), routeKind: "upload", times: nil))
            try await mounted.shell("echo two > g")
            #expect(try await mounted.status().unsentNames == ["g"])
            faults.removeAll()
            try await mounted.shell("rm g; rmdir e")
            #expect(try await names() == [])
        }
    }

    /// Without a server the mount starts, shows and reads what it knows, and takes changes, which
    /// go up by themselves.
    @Test func offlineWorkGoesUpByItself() async throws {
        var behaviour = ServerBehaviour()
        behaviour.excludedExtensions = [".exe"]
        try await MountedCloud.with(behaviour, options: Self.options) {
            (mounted) async throws -> Void in
            let size = try await mounted.shell("df --output=size .")
            try await mounted.shell("mkdir d; echo one > d/a; echo two > d/b; cat d/a d/b")
            try await mounted.unmount()
            mounted.cloud.server.faults.add(FaultRule(.resetBeforeAnswer, times: nil))
            try await mounted.mount()
            try await mounted.shell(
                """
                [ "$(ls d)" = "a
                b" ]; [ "$(cat d/a)" = one ]
                echo three > d/c; mkdir d/e; mv d/b d/e/b; rm d/a; echo four >> d/e/b
                [ "$(cat d/e/b)" = "two
                four" ]; df . > /dev/null
                """, seconds: 30)
            // What the account may do is known, too.
            #expect(try await mounted.shell("df --output=size .") == size)
            #expect(try await mounted.python("print(word(store, 'a.exe', b'x'))") == "EPERM")
            let failing = try await mounted.home.run("sync", mounted.point)
            #expect(failing.exitCode == 1)
            await mounted.killDriver()
            try await mounted.clearDeadMount()
            try await mounted.mount()
            try await mounted.shell("[ \"$(cat d/c)\" = three ]; [ ! -e d/a ]", seconds: 30)
            mounted.cloud.server.faults.removeAll()
            let bob = try await mounted.cloud.client(.bob)
            try await eventually(within: .seconds(60), "the changes on the server") {
                try await mounted.status().unsent.isEmpty
            }
            let path = mounted.home.path + "/remote"
            let top = try await bob.entries(of: .top(of: mounted.cloud.team))
            _ = try await RemoteTree.download(bob, try #require(top["d"]).reference, to: path)
            try await mounted.atHome(
                """
                [ "$(cd remote; find . -type f | sort | tr '\\n' ' ')" = "./c ./e/b " ]
                [ "$(cat remote/c remote/e/b | tr '\\n' ' ')" = "three two four " ]
                """)
        }
    }

    /// Both contents exist afterwards, and a person decides.
    @Test(arguments: clouds)
    func twoClientsKeepBothContents(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: Self.options + ["--lock=off"]) {
            (mounted) async throws -> Void in
            try await mounted.shell("echo base > a.txt")
            try await mounted.sync()
            let bob = try await mounted.bob()
            let top = mounted.server.top
            let folder = try TemporaryFolder()
            _ = try await mounted.python(
                """
                file = os.open("a.txt", os.O_WRONLY | os.O_APPEND)
                os.write(file, b"mine\\n"); pause(); os.close(file)
                """
            ) {
                let old = try #require(try await bob.entries(of: top)["a.txt"])
                try await bob.delete(old.reference)
                _ = try await bob.upload(
                    Array("theirs\n".utf8), name: "a.txt", to: top, from: folder)
            }
            try await mounted.sync()
            let names = try await bob.entries(of: top).keys.sorted()
            #expect(names.count == 2, "\(names)")
            let copy = try #require(names.first { $0 != "a.txt" })
            #expect(copy.hasPrefix("a (conflict "))
            let listed = try await mounted.home.run("conflicts")
            #expect(listed.output.contains(copy))
            let path = "\(mounted.point)/\(mounted.server.teamPath)/\(copy)"
            let kept = try await mounted.home.run("conflicts", "keep", "mine", path)
            #expect(kept.exitCode == 0, "\(kept.error)")
            try await mounted.sync()
            #expect(try await mounted.shell("cat a.txt") == "base\nmine\n")
            #expect(try await bob.entries(of: top).keys.sorted() == ["a.txt"])
            #expect(try await mounted.home.run("conflicts").output == "No conflicts.\n")
        }
    }
}
