import CloudStorage
import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// `kill -9` of the driver and loss of power, in the middle of work.
@Suite(.serialized) struct CrashTests {
    /// How many times the driver is killed; the long form is for a nightly run.
    private static let kills =
        ProcessInfo.processInfo.environment["ORDNER_CRASH_ROUNDS"].flatMap { Int($0) } ?? 6

    @Test(arguments: clouds)
    func whatACloseConfirmedSurvivesKill(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: ["--sync=none"]) {
            (mounted) async throws -> Void in
            try await mounted.prepareLoad()
            try await mounted.loadAndKill(times: Self.kills)
            try await mounted.sync()
            try await mounted.checkLoad()
        }
    }

    /// tar, rsync, git, SQLite and editors at work when the driver is killed.
    @Test(arguments: behaviours)
    func whatProgramsSavedSurvivesKill(_ behaviour: ServerBehaviour) async throws {
        try await MountedCloud.with(behaviour, options: ["--sync=none"]) {
            (mounted) async throws -> Void in
            try await mounted.prepareLoad()
            try await mounted.atHome("mkdir scratch")
            for round in 0..<max(1, Self.kills / 2) {
                let pid = mounted.processID
                try await mounted.atHome(
                    "python3 runner.py mount/\(mounted.server.teamPath)/load load.log scratch "
                        + "\(round) \(pid)", seconds: 180)
                await mounted.killDriver()
                try await mounted.clearDeadMount()
                try await mounted.mount()
            }
            try await mounted.sync()
            try await mounted.checkLoad(with: "programs.py")
        }
    }

    /// Programs meet every state between two answers when the server takes its time.
    @Test(arguments: behaviours)
    func aSlowServerIsNoProgramsBusiness(_ behaviour: ServerBehaviour) async throws {
        try await MountedCloud.with(behaviour, options: ["--sync=none"]) {
            (mounted) async throws -> Void in
            try await mounted.prepareLoad()
            mounted.cloud.server.faults.add(FaultRule(.delay(seconds: 0.2), times: nil))
            try await mounted.loadAndKill(times: Self.kills / 3)
            mounted.cloud.server.faults.removeAll()
            try await mounted.sync()
            try await mounted.checkLoad()
        }
    }
}

extension CrashTests {
    /// The power fails: everything the driver had not put on stable storage is gone at once.
    @Test func whatFsyncConfirmedSurvivesLossOfPower() async throws {
        try await MountedCloud.with(options: ["--sync=none"]) { (mounted) async throws -> Void in
            try await mounted.withOwnDisk(megabytes: 256) {
                try await mounted.prepareLoad()
                var lines = 0
                for round in 0..<3 {
                    lines += 60 + 40 * round
                    try await mounted.load(seed: round, lines: lines, isDurable: true) {
                        try await mounted.losePower()
                        await mounted.killDriver()
                    }
                    try await mounted.clearDeadMount()
                    try await mounted.restorePower()
                    try await mounted.mount()
                    lines = try mounted.loggedLines()
                }
                try await mounted.sync()
                try await mounted.checkLoad()
            }
        }
    }

    /// A full disk is told to the program that writes; when the cloud has taken what waits, there
    /// is room again.
    @Test func aFullDiskRefusesAndGoesOn() async throws {
        try await MountedCloud.with(options: ["--sync=none"]) { (mounted) async throws -> Void in
            try await mounted.withOwnDisk(megabytes: 48) {
                mounted.cloud.server.faults.add(
                    FaultRule(
                        .status(code: 503, error: "temporarily_unavailable", retryAfter: nil),
                        routeKind: "upload", times: nil))
                let said = try await mounted.python(
                    """
                    words = []
                    for i in range(100):
                        words.append(word(store, f"f{i}", bytes([i]) * (1 << 20)))
                        if words[-1] != "ok": break
                    print(words.count("ok") > 8, words[-1])
                    """)
                #expect(said == "True ENOSPC")
                let stored = try await mounted.shell("ls | wc -l")
                mounted.cloud.server.faults.removeAll()
                try await mounted.shell("rm -f f$(($(ls | wc -l) - 1))")
                try await mounted.sync()
                try await mounted.shell("head -c 4000000 /dev/urandom > more; cp more $W/more")
                try await mounted.sync()
                try await mounted.shell(
                    "cmp more $W/more; [ \"$(head -c1 f7 | od -An -tu1)\" -eq 7 ]")
                #expect(stored != "")
            }
        }
    }
}

/// The load met an error before the driver was ended.
private struct LoadEnded: Error, CustomStringConvertible {
    var description: String
}

extension MountedCloud {
    /// Runs `body` with the driver's state and cache on a small disk of their own.
    func withOwnDisk(megabytes: Int, _ body: () async throws -> Void) async throws {
        try await unmount()
        try await atHome(
            """
            dd if=/dev/zero of=disk.img bs=1M count=\(megabytes) status=none; mkfs.ext4 -q disk.img
            mkdir disk; mount -o loop disk.img disk; mkdir -p state cache
            mv state cache disk/; ln -s disk/state state; ln -s disk/cache cache; sync -f disk
            """)
        do {
            try await mount()
            try await body()
        } catch {
            await killDriver()
            try await atHome("umount -l mount || true; umount -l disk")
            throw error
        }
        try await unmount()
        try await atHome("umount disk")
    }

    /// Cuts the disk off with ext4's shutdown call: nothing unsynced reaches it any more.
    func losePower() async throws { try await atHome("xfs_io -x -c shutdown disk") }

    func restorePower() async throws {
        // The kernel gives back what it had of the killed driver's files when it comes to it.
        try await atHome(
            """
            until umount disk 2> umount.txt; do [ $SECONDS -lt 30 ] || { cat umount.txt >&2; exit 1; }; done
            mount -o loop disk.img disk
            """)
    }

    /// Returns when the server has everything.
    func sync() async throws {
        let outcome = try await home.run("sync", point)
        guard outcome.exitCode == 0 else { throw Failed(what: "sync", outcome: outcome) }
    }

    /// Writes the load's programs into the home and makes its folder.
    func prepareLoad() async throws {
        let programs = [
            ("writer.py", CrashLoad.writer), ("checker.py", CrashLoad.checker),
            ("runner.py", MixedLoad.runner), ("programs.py", MixedLoad.checker),
        ]
        for (name, text) in programs {
            try Data(text.utf8).write(to: URL(fileURLWithPath: home.path + "/" + name))
        }
        try await atHome("touch load.log; mkdir -p mount/\(server.teamPath)/load")
    }

    func loggedLines() throws -> Int {
        let log = try Data(contentsOf: URL(fileURLWithPath: home.path + "/load.log"))
        return log.count { $0 == UInt8(ascii: "\n") }
    }

    /// Runs the load again and again, and kills the driver in the middle of it.
    func loadAndKill(times: Int) async throws {
        var random = SeededRandom(seed: 20_261_122)
        var lines = 0
        for round in 0..<times {
            lines += Int.random(in: 5...400, using: &random)
            try await load(seed: round, lines: lines) { await killDriver() }
            try await clearDeadMount()
            try await mount()
            lines = try loggedLines()
        }
    }

    /// What the load did last, and before that with the same name.
    private func lastLoggedLines() throws -> String {
        let log = try String(contentsOfFile: home.path + "/load.log", encoding: .utf8)
        let lines = log.split(separator: "\n")
        guard let last = lines.last else { return "" }
        let name = last.split(separator: "\"").first { $0.contains("/f") } ?? last
        let history = lines.enumerated().filter { $1.contains("\"\(name)\"") }.suffix(12)
        return history.map { "\($0) of \(lines.count): \($1)" }.joined(separator: "\n")
    }

    /// Runs the load without end, and ends the driver once the log has so many lines.
    func load(
        seed: Int, lines: Int, isDurable: Bool = false, ending end: () async throws -> Void
    ) async throws {
        async let load: Void = atHome(
            "python3 writer.py mount/\(server.teamPath)/load load.log \(seed) 0 "
                + (isDurable ? "durable" : "") + "; touch ended-\(seed)", seconds: 300)
        try await eventually(within: .seconds(240), "\(lines) lines of the log") {
            let hasEnded = FileManager.default.fileExists(atPath: "\(home.path)/ended-\(seed)")
            if hasEnded { throw LoadEnded(description: try lastLoggedLines()) }
            return try loggedLines() >= lines
        }
        try await end()
        try await load
    }

    func clearDeadMount() async throws {
        try await atHome("umount -l mount")
    }

    /// Compares what another client finds with what the load was told.
    func checkLoad(with checker: String = "checker.py") async throws {
        let bob = try await bob()
        let top = try await bob.entries(of: server.top)
        let load = try #require(top["load"])
        let path = home.path + "/remote"
        _ = try await RemoteTree.download(bob, load.reference, to: path)
        let outcome = try await Shell.run(
            "cd '\(home.path)'; python3 \(checker) load.log remote", scratch: home.path, seconds: 60
        )
        #expect(outcome.exitCode == 0)
        #expect(outcome.output == "")
        let hidden = try await bob.entries(of: load.reference).keys.filter {
            $0.hasPrefix(".ordner-")
        }
        #expect(hidden == [])
    }
}
