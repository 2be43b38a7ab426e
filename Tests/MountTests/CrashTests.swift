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

    @Test(arguments: behaviours)
    func whatACloseConfirmedSurvivesKill(_ behaviour: ServerBehaviour) async throws {
        try await MountedCloud.with(behaviour, options: ["--sync=none"]) {
            (mounted) async throws -> Void in
            try await mounted.prepareLoad()
            var random = SeededRandom(seed: 20_261_122)
            var lines = 0
            for round in 0..<Self.kills {
                lines += Int.random(in: 5...400, using: &random)
                try await mounted.loadUntilKilled(seed: round, lines: lines)
                try await mounted.clearDeadMount()
                try await mounted.mount()
                lines = try mounted.loggedLines()
            }
            try await mounted.sync()
            try await mounted.checkLoad()
        }
    }
}

extension MountedCloud {
    /// Returns when the server has everything.
    func sync() async throws {
        let outcome = try await home.run("sync", point)
        guard outcome.exitCode == 0 else { throw Failed(what: "sync", outcome: outcome) }
    }

    /// Writes the load's programs into the home and makes its folder.
    func prepareLoad() async throws {
        for (name, text) in [("writer.py", CrashLoad.writer), ("checker.py", CrashLoad.checker)] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: home.path + "/" + name))
        }
        try await atHome("touch load.log; mkdir -p mount/\(TestCloud.teamRootName)/load")
    }

    func loggedLines() throws -> Int {
        let log = try Data(contentsOf: URL(fileURLWithPath: home.path + "/load.log"))
        return log.count { $0 == UInt8(ascii: "\n") }
    }

    /// Runs the load and kills the driver once the log has so many lines.
    func loadUntilKilled(seed: Int, lines: Int) async throws {
        async let load: Void = atHome(
            "python3 writer.py mount/\(TestCloud.teamRootName)/load load.log \(seed) 0")
        try await eventually(within: .seconds(60), "\(lines) lines of the log") {
            try loggedLines() >= lines
        }
        await killDriver()
        try await load
    }

    func clearDeadMount() async throws {
        try await atHome("umount -l mount")
    }

    /// Compares what another client finds with what the load was told.
    func checkLoad() async throws {
        let bob = try await cloud.client(.bob)
        let top = try await bob.entries(of: .top(of: cloud.team))
        let load = try #require(top["load"])
        let path = home.path + "/remote"
        _ = try await RemoteTree.download(bob, load.reference, to: path)
        let outcome = try await Shell.run(
            "cd '\(home.path)'; python3 checker.py load.log remote", scratch: home.path, seconds: 60
        )
        #expect(outcome.exitCode == 0)
        #expect(outcome.output == "")
        let hidden = try await bob.entries(of: load.reference).keys.filter {
            $0.hasPrefix(".ordner-")
        }
        #expect(hidden == [])
    }
}
