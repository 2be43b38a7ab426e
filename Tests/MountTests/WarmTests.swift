import CloudStorage
import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// `ordner warm` and `ordner cache` on real mounts.
@Suite(.serialized) struct WarmTests {
    private static let kinds: [CloudKind] = [.leitzCloud(ServerBehaviour()), .webDAV(.apache)]

    /// 200 small files in folders, and a large one, below `tree`.
    private static let tree = """
        mkdir -p tree/a/b tree/c
        for i in $(seq 100); do echo "small $i" > tree/a/$i; echo "other $i" > tree/a/b/$i; done
        head -c 20000000 /dev/urandom > tree/c/large; : > tree/c/empty
        """

    /// Puts files on the server, and mounts it as a machine that has never seen them.
    private func prepare(_ mounted: MountedCloud, _ script: String) async throws {
        try await mounted.atHome("mkdir local; cd local; \(script)")
        try await mounted.shell("cp -r $W/local/. .")
        try await mounted.sync()
        try await mounted.unmount()
        try await mounted.atHome("rm -rf cache state/ordner/\(MountedCloud.account)/state")
        try await mounted.mount()
    }

    private func warm(_ mounted: MountedCloud, _ path: String) async throws -> Outcome {
        try await mounted.home.run("warm", "\(mounted.point)/\(mounted.server.teamPath)/\(path)")
    }

    @Test(arguments: kinds)
    func aWarmTreeIsReadWithoutItsServer(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: ["--sync=none"]) { mounted in
            try await prepare(mounted, Self.tree)
            let outcome = try await warm(mounted, "tree")
            #expect(outcome.exitCode == 0, "\(outcome.error)")
            #expect(outcome.output.hasPrefix("201 files fetched ("))
            // Where it takes long there is a line now and then.
            #expect(!outcome.error.contains { "\r\u{1B}".contains($0) }, "no terminal, no bar")
            let again = try await mounted.home.run(
                "warm", "--json", "\(mounted.point)/\(mounted.server.teamPath)/tree")
            #expect(again.exitCode == 0)
            let last = try #require(again.output.split(separator: "\n").last)
            let report = try JSONDecoder().decode(WarmAnswer.self, from: Data(last.utf8))
            #expect(report.isOver)
            #expect(report.files == 202)
            #expect(report.filesHere == 202)
            #expect(report.bytesFetched == 0)
            let cache = try #require(try await mounted.cache().first)
            #expect(cache.completeFiles >= 201)
            #expect(cache.completeBytes > 20_000_000)
            try await mounted.stopServer()
            try await mounted.shell("diff -r tree $W/local/tree", seconds: 60)
        }
    }

    @Test func ctrlCEndsTheFetching() async throws {
        try await MountedCloud.with(options: ["--sync=none"]) { mounted in
            try await prepare(
                mounted, "mkdir tree; for i in $(seq 200); do echo $i > tree/$i; done")
            let server = mounted.cloud.server
            server.faults.add(
                FaultRule(.delay(seconds: 10), routeKind: "download", skip: 20, times: nil))
            let before = server.requestCounts().downloads
            let running = try mounted.home.start(
                "warm", "\(mounted.point)/\(mounted.server.teamPath)/tree")
            try await eventually("the downloads") {
                server.requestCounts().downloads >= before + 21
            }
            running.signal(SIGINT)
            let outcome = try await running.end()
            #expect(outcome.exitCode == 1)
            #expect(outcome.error.contains("ended before all was fetched"), "\(outcome.error)")
            // Of the twenty that are answered at once up to eight may have been under way still.
            let fetched = try #require(
                outcome.output.split(separator: " ").first.flatMap { Int($0) })
            #expect((12...20).contains(fetched))
            #expect(outcome.output.contains("\(fetched) files fetched"))
            let count = server.requestCounts().downloads
            #expect(count <= before + 20 + 8)
            let cache = try #require(try await mounted.cache().first)
            #expect(cache.usedFiles == 0, "nothing is being fetched any more")
            #expect(server.requestCounts().downloads == count)
            server.faults.removeAll()
            let rest = try await warm(mounted, "tree")
            #expect(rest.exitCode == 0, "\(rest.error)")
            #expect(rest.output.contains("\(200 - fetched) files fetched"))
            #expect(rest.output.contains("\(fetched) were here already"))
        }
    }

    @Test func aFileThatTheServerRefusesIsNamed() async throws {
        try await MountedCloud.with(options: ["--sync=none"]) { mounted in
            try await prepare(mounted, "mkdir tree; for i in $(seq 50); do echo $i > tree/$i; done")
            let server = mounted.cloud.server
            server.faults.add(
                FaultRule(
                    .status(code: 403, error: "forbidden", retryAfter: nil), routeKind: "download",
                    skip: 10))
            let path = "\(mounted.point)/\(mounted.server.teamPath)"
            let outcome = try await mounted.home.run("warm", path + "/tree", path + "/nothing")
            #expect(outcome.exitCode == 1)
            #expect(outcome.output.contains("49 files fetched"))
            let lines = outcome.error.split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("\(path)/nothing: ") })
            #expect(lines.count { $0.hasPrefix("\(path)/tree/") } == 1, "\(outcome.error)")
            #expect(outcome.error.contains("2 items could not be fetched"))
            #expect(try await warm(mounted, "tree").exitCode == 0)
        }
    }

    @Test func aCacheThatIsTooSmallSaysWhatIsMissing() async throws {
        try await MountedCloud.with(options: ["--sync=none", "--cache-size", "3500K"]) { mounted in
            try await prepare(
                mounted,
                "mkdir tree; for i in $(seq 8); do head -c 1048576 /dev/urandom > tree/$i; done")
            let before = mounted.cloud.server.requestCounts().downloads
            let outcome = try await warm(mounted, "tree")
            #expect(outcome.exitCode == 1)
            #expect(outcome.output.contains("3 files fetched (3.0 MB)"))
            #expect(
                outcome.error.contains(
                    "5 files (5.0 MB) don't fit into the cache of 3.4 MB: 4.6 MB are missing"),
                "\(outcome.error)")
            #expect(mounted.cloud.server.requestCounts().downloads == before + 3)
            let limited = try await mounted.home.run("cache", mounted.point, "--limit", "20M")
            #expect(limited.exitCode == 0, "\(limited.error)")
            #expect(limited.output.contains("of 20.0 MB"))
            let rest = try await warm(mounted, "tree")
            #expect(rest.exitCode == 0, "\(rest.error)")
            try await mounted.shell("diff -r tree $W/local/tree")
        }
    }

    @Test(arguments: kinds)
    func trimmingFreesWhatIsNotInUse(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: ["--sync=none"]) { mounted in
            try await prepare(
                mounted,
                """
                mkdir tree; for i in $(seq 10); do head -c 1048576 /dev/urandom > tree/$i; done
                """)
            #expect(try await warm(mounted, "tree").exitCode == 0)
            let full = try #require(try await mounted.cache().first)
            #expect(full.mountPoint == mounted.point)
            #expect(full.completeBytes >= 10 << 20)
            let said = try await mounted.python(
                """
                open_file = os.open("tree/1", os.O_RDONLY)
                unsent = os.open("tree/2", os.O_RDWR)
                os.pwrite(unsent, b"changed", 7)
                pause()
                same = os.pread(open_file, 1 << 20, 0) == load(os.environ["W"] + "/local/tree/1")
                mine = os.pread(unsent, 7, 7) == b"changed"
                os.close(unsent)
                print(same, mine)
                """
            ) {
                let half = try await mounted.home.run(
                    "cache", "trim", mounted.point, "--to", "8M")
                #expect(half.exitCode == 0, "\(half.error)")
                let some = try #require(try await mounted.cache().first)
                #expect(some.bytes <= 8 << 20)
                #expect(some.bytes >= 6 << 20)
                let all = try await mounted.home.run("cache", "trim", mounted.point)
                #expect(all.exitCode == 0, "\(all.error)")
                #expect(all.output.contains("freed"))
                let rest = try #require(try await mounted.cache().first)
                #expect(rest.bytes == rest.usedBytes)
                #expect(rest.usedFiles >= 1)
                #expect(rest.unsentFiles >= 1)
            }
            #expect(said == "True True")
            try await mounted.sync()
            try await mounted.atHome(
                "printf changed | dd of=local/tree/2 bs=1 seek=7 conv=notrunc status=none")
            try await mounted.shell("diff -r tree $W/local/tree")
            let last = try await mounted.home.run("cache", mounted.point)
            #expect(last.output.contains("\(MountedCloud.account) on \(mounted.point)"))
        }
    }

    @Test func theCacheOfAnAccountThatIsNotMounted() async throws {
        try await MountedCloud.with(options: ["--sync=none", "--cache-size", "1G"]) { mounted in
            try await prepare(mounted, "mkdir tree; for i in $(seq 20); do echo $i > tree/$i; done")
            #expect(try await warm(mounted, "tree").exitCode == 0)
            try await mounted.unmount()
            for arguments in [["cache", "--json"], ["cache", MountedCloud.account, "--json"]] {
                let report = try #require(try await mounted.cache(arguments).first)
                #expect(report.mountPoint == nil)
                #expect(report.completeFiles >= 20)
                #expect(report.limit == 1 << 30)
                #expect(report.problem == nil)
            }
            let limit = try await mounted.home.run("cache", MountedCloud.account, "--limit", "1G")
            #expect(limit.exitCode == 1)
            #expect(limit.error.contains("--cache-size"))
            let trimmed = try await mounted.home.run("cache", "trim", MountedCloud.account)
            #expect(trimmed.exitCode == 0, "\(trimmed.error)")
            #expect(trimmed.output.contains("0 bytes left"))
            try await mounted.mount()
            #expect(try await mounted.cache().first?.completeFiles == 0)
            try await mounted.shell("diff -r tree $W/local/tree")
        }
    }
}

/// The documented fields of `ordner warm --json` that tests look at.
private struct WarmAnswer: Decodable {
    var isOver: Bool
    var files: Int
    var filesHere: Int
    var bytesFetched: Int64

    enum CodingKeys: String, CodingKey {
        case files
        case isOver = "is_over"
        case filesHere = "files_here"
        case bytesFetched = "bytes_fetched"
    }
}

/// The documented fields of `ordner cache --json` that tests look at.
private struct CacheAnswer: Decodable {
    var mountPoint: String?
    var bytes: Int64
    var limit: Int64?
    var completeFiles: Int
    var completeBytes: Int64
    var usedFiles: Int
    var usedBytes: Int64
    var unsentFiles: Int
    var problem: String?

    enum CodingKeys: String, CodingKey {
        case bytes, limit, problem
        case mountPoint = "mount_point"
        case completeFiles = "complete_files"
        case completeBytes = "complete_bytes"
        case usedFiles = "used_files"
        case usedBytes = "used_bytes"
        case unsentFiles = "unsent_files"
    }
}

extension MountedCloud {
    /// What `ordner cache --json` says, of this mount unless told otherwise.
    fileprivate func cache(_ arguments: [String]? = nil) async throws -> [CacheAnswer] {
        let arguments = arguments ?? ["cache", point, "--json"]
        let outcome = try await RunningProgram(arguments, home: home, input: "").end()
        guard outcome.exitCode == 0 else { throw Failed(what: "cache", outcome: outcome) }
        return try JSONDecoder().decode([CacheAnswer].self, from: Data(outcome.output.utf8))
    }

    fileprivate func stopServer() async throws {
        if let cloud = server as? WebDAVCloud {
            await cloud.server.stop()
        } else {
            await cloud.server.stop()
        }
    }
}

extension [String: Int] {
    /// Requests for content, of counts by route.
    fileprivate var downloads: Int {
        filter { $0.key.contains("download") }.map(\.value).reduce(0, +)
    }
}
