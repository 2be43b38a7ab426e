import CloudStorage
import FileSystemTypes
import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// A mount of the embedded cloud's WebDAV face, with ids, folder ETags and uploads in pieces.
@Suite(.serialized) struct NextcloudTests {
    private static let team = "mount/Files/\(TestCloud.teamRootName)"

    /// Of the large upload; 300 for a nightly run.
    private static let mebibytes =
        ProcessInfo.processInfo.environment["ORDNER_UPLOAD_MEBIBYTES"].flatMap { Int($0) } ?? 96

    /// A large upload that a kill ends at 95 % goes on there: only the pieces that were on their way,
    /// three at most, are sent again. That is less than a tenth of 300 MiB.
    @Test func aLargeUploadGoesOnAfterKill() async throws {
        try await MountedCloud.with(.nextcloud) { (mounted) async throws -> Void in
            let server = mounted.cloud.server
            let pieces = (Self.mebibytes + 7) / 8
            let bytes = Self.mebibytes << 20
            server.faults.add(
                FaultRule(.delay(seconds: 0.05), routeKind: Self.chunks, times: nil))
            try await mounted.atHome(
                "head -c \(bytes) /dev/urandom > big; cp big \(Self.team)/big")
            try await eventually(within: .seconds(120), "95 % of the pieces") {
                (server.requestCounts()["PUT \(Self.chunks)"] ?? 0) >= pieces * 95 / 100
            }
            await mounted.killDriver()
            try await mounted.clearDeadMount()
            try await mounted.mount()
            try await mounted.sync()
            let again = (server.requestCounts()["PUT \(Self.chunks)"] ?? 0) - pieces
            #expect(again >= 0)
            #expect(again <= 3, "\(again) of \(pieces) pieces were sent again")
            let bob = try await mounted.bob()
            let top = try await bob.entries(of: mounted.cloud.top)
            #expect(Set(top.keys) == ["big"])
            let big = try #require(top["big"])
            #expect(big.size == Int64(bytes))
            _ = try await RemoteTree.download(
                bob, mounted.cloud.top, to: mounted.home.path + "/back")
            try await mounted.atHome("cmp big back/big; cmp big \(Self.team)/big")
        }
    }

    private static let chunks = "dav-upload"

    /// Where the server makes no folder for pieces, large files go as a whole, and it is not asked
    /// again before the next mount.
    @Test(arguments: [403, 404, 405, 501])
    func aServerThatTakesNoPiecesGetsTheWhole(_ status: Int) async throws {
        try await MountedCloud.with(.nextcloud) { (mounted) async throws -> Void in
            let server = mounted.cloud.server
            server.faults.add(
                FaultRule(
                    .status(code: status, error: "refused", retryAfter: nil), method: "MKCOL",
                    routeKind: Self.chunks, times: nil))
            try await mounted.atHome("head -c 20971520 /dev/urandom > big; cp big \(Self.team)/a")
            try await mounted.sync()
            try await mounted.atHome("cp big \(Self.team)/b")
            try await mounted.sync()
            #expect(server.requestCounts()["MKCOL \(Self.chunks)"] == 1)
            #expect(server.requestCounts()["PUT \(Self.chunks)"] == nil)
            try await mounted.downloadAll()
            try await mounted.atHome("cmp big remote/a; cmp big remote/b")
        }
    }

    /// What another client stores during a large upload is not overwritten by its end.
    @Test func aLargeUploadOverwritesNothingUnseen() async throws {
        try await MountedCloud.with(.nextcloud, options: ["--lock=off"]) {
            (mounted) async throws -> Void in
            let server = mounted.cloud.server
            try await mounted.atHome("echo one > \(Self.team)/file")
            try await mounted.sync()
            server.faults.add(
                FaultRule(.delay(seconds: 0.2), routeKind: Self.chunks, times: nil))
            try await mounted.atHome(
                "head -c 41943040 /dev/urandom > big; cp big \(Self.team)/file")
            try await eventually(within: .seconds(60), "the first pieces") {
                (server.requestCounts()["PUT \(Self.chunks)"] ?? 0) >= 2
            }
            let bob = try await mounted.bob()
            let path = mounted.home.path + "/theirs"
            try await mounted.atHome("echo theirs > theirs")
            let content = LocalContent(path: path, size: 7)
            let old = try #require(try await bob.entries(of: mounted.cloud.top)["file"])
            try await bob.delete(old.reference)
            _ = try await bob.upload(content, name: "file", to: mounted.cloud.top)
            try await mounted.sync()
            let sizes = try await bob.entries(of: mounted.cloud.top).values.map(\.size).sorted()
            #expect(sizes == [7, 41_943_040])
        }
    }

    /// Ordinary work: trees, names, changes, another client's changes.
    @Test func ordinaryWorkReachesBothSides() async throws {
        try await MountedCloud.with(.nextcloud) { (mounted) async throws -> Void in
            try await mounted.atHome(
                """
                cd \(Self.team); mkdir -p a/b; for i in $(seq 40); do echo $i > a/b/f$i; done
                mv a/b/f1 a/moved; rm a/b/f2; echo more >> a/b/f3; mv a/b c
                """)
            try await mounted.sync()
            let bob = try await mounted.bob()
            let top = try await bob.entries(of: mounted.cloud.top)
            #expect(Set(top.keys) == ["a", "c"])
            let moved = try await bob.entries(of: try #require(top["c"]).reference)
            #expect(moved.count == 38)
            #expect(moved["f3"]?.size == 7)
            _ = try await bob.createFolder(name: "theirs", in: mounted.cloud.top)
            try await eventually(within: .seconds(60), "the other client's folder") {
                try await Shell.run(
                    "ls -d '\(mounted.home.path)/\(Self.team)/theirs'", scratch: mounted.home.path,
                    seconds: 10
                ).exitCode == 0
            }
        }
    }

    /// The time that a program has set goes along with the content, whole or in pieces.
    @Test func aFileKeepsItsTimeOnTheServer() async throws {
        try await MountedCloud.with(.nextcloud) { (mounted) async throws -> Void in
            try await mounted.shell(
                """
                echo kept > small; head -c 41943040 /dev/urandom > large
                touch -d @1500000000 small large
                """)
            try await mounted.sync()
            let bob = try await mounted.bob()
            let there = try await bob.entries(of: mounted.cloud.top)
            for name in ["small", "large"] {
                #expect(there[name]?.modified?.seconds == 1_500_000_000)
            }
            #expect(try await mounted.shell("stat -c %Y small") == "1500000000\n")
        }
    }

    /// As above, of files that the server has already; another client sees it, nothing is sent twice.
    @Test func aFileGetsItsTimeLater() async throws {
        try await MountedCloud.with(.nextcloud) { (mounted) async throws -> Void in
            try await mounted.shell("echo kept > a; echo moved > b")
            try await mounted.sync()
            mounted.cloud.server.resetRequestCounts()
            try await mounted.shell("touch -d @1500000000 a b; mv b c")
            try await mounted.sync()
            let bob = try await mounted.bob()
            let there = try await bob.entries(of: mounted.cloud.top)
            for name in ["a", "c"] {
                #expect(there[name]?.modified?.seconds == 1_500_000_000)
            }
            let counts = mounted.cloud.server.requestCounts()
            #expect(counts.keys.filter { $0.hasPrefix("PUT") } == [])
            #expect(counts.filter { $0.key.hasPrefix("PROPPATCH") }.map(\.value) == [2])
            #expect(
                try await mounted.shell("cat a c; stat -c %Y a c")
                    == "kept\nmoved\n1500000000\n1500000000\n")
        }
    }

    /// Folders in the top, and in each of these; the long form is 100.
    private static let folders =
        ProcessInfo.processInfo.environment["ORDNER_IDLE_FOLDERS"].flatMap { Int($0) } ?? 20

    /// A mount that nobody uses asks one question a poll, however many folders it has shown; another
    /// client's change is seen all the same.
    @Test func anIdleMountAsksOneQuestionAPoll() async throws {
        try await MountedCloud.with(.nextcloud, options: ["--poll", "1"]) {
            (mounted) async throws -> Void in
            let server = mounted.cloud.server
            let folder = "\(mounted.home.path)/\(Self.team)"
            let made = try await Shell.run(
                "cd '\(folder)'; mkdir -p d{1..\(Self.folders)}/e{1..\(Self.folders)}; find . | wc -l",
                scratch: mounted.home.path, seconds: 120)
            #expect(made.output == "\(1 + Self.folders + Self.folders * Self.folders)\n")
            try await mounted.sync()
            // What has been looked at lately is asked for once more; then five questions are five polls.
            try await eventually(within: .seconds(90), "one question a poll") {
                server.resetRequestCounts()
                let start = ContinuousClock.now
                try await eventually(within: .seconds(30), "five questions") {
                    server.requestCounts().values.reduce(0, +) >= 5
                }
                return start.duration(to: .now) > .seconds(3.5)
            }
            #expect(Set(server.requestCounts().keys) == ["PROPFIND dav"])
            let bob = try await mounted.bob()
            let top = try await bob.entries(of: mounted.cloud.top)
            _ = try await bob.createFolder(name: "new", in: try #require(top["d7"]).reference)
            try await eventually(within: .seconds(30), "the other client's folder") {
                try await Shell.run(
                    "ls -d '\(folder)/d7/new'", scratch: mounted.home.path, seconds: 10
                ).exitCode == 0
            }
        }
    }
}
