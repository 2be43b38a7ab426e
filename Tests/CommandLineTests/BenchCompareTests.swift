import Foundation
import TestSupport
import Testing

/// What `scripts/bench --check` calls a regression.
@Suite struct BenchCompareTests {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../scripts/bench-compare").standardized.path

    private struct Killed: Error { let end: TestProcess.End }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A run as mountbench.py writes it, each figure once.
    /// - Parameter target: this driver on one of its servers.
    private func run(
        _ figures: [String: (driver: Double, disk: Double)], target: String = "ordner",
        failing: String? = nil, unseeded: String? = nil
    ) throws -> String {
        var results = figures.flatMap { metric, found in
            [(target, found.driver), ("native", found.disk)].map { target, value in
                #"{"workload": "w", "target": "\#(target)", "status": "ok", "metrics": {"\#(metric)": \#(value)}}"#
            }
        }
        if let failing {
            results.append(
                #"{"workload": "\#(failing)", "target": "ordner", "status": "timeout", "why": "over 40 s", "metrics": {}}"#
            )
        }
        let path = folder.file("run-\(UUID().uuidString).json")
        let unused = unseeded.map { #""\#($0)": "error: not sent""# } ?? ""
        try Data(
            #"{"results": [\#(results.joined(separator: ","))], "failed_targets": {\#(unused)}}"#
                .utf8
        ).write(to: URL(filePath: path))
        return path
    }

    private func compare(
        _ action: String, _ run: String, line: String = "loopback"
    ) async throws -> Outcome {
        let outputs = (folder.file("output"), folder.file("error"))
        for file in [outputs.0, outputs.1] { try Data().write(to: URL(filePath: file)) }
        let process = try TestProcess(
            TestProcess.Launch(
                "/usr/bin/python3",
                [Self.script, action, run, folder.file("record.json"), line],
                environment: ["PATH": "/usr/bin:/bin"], folder: folder.path, outputs: outputs))
        let end = await process.waitUntilEnd()
        guard case .exit(let code) = end else { throw Killed(end: end) }
        return Outcome(
            exitCode: code, output: try String(contentsOfFile: outputs.0, encoding: .utf8),
            error: try String(contentsOfFile: outputs.1, encoding: .utf8))
    }

    @Test func whatIsWorseInItselfAndBesideTheDiskIsARegression() async throws {
        let first = try run([
            "untar.local": (1, 0.2), "seqread.warm": (1_000, 2_000), "rsync.resent": (0, 0),
        ])
        #expect(try await compare("record", first).exitCode == 0)
        #expect(try await compare("check", first).exitCode == 0)
        let busy = try run(["untar.local": (3, 0.6), "seqread.warm": (400, 800)])
        let onBusy = try await compare("check", busy)
        #expect(onBusy.exitCode == 0, "the disk is as much slower")
        let slow = try await compare("check", try run(["untar.local": (1.6, 0.2)]))
        #expect(slow.exitCode == 1 && slow.error.contains("untar.local"))
        let slower = try await compare("check", try run(["seqread.warm": (600, 2_000)]))
        #expect(slower.exitCode == 1 && slower.output.contains("REGRESSION"))
        let better = try await compare("check", try run(["seqread.warm": (1_900, 2_000)]))
        #expect(better.exitCode == 0 && better.output.contains("better"))
        let resent = try await compare("check", try run(["rsync.resent": (5, 0)]))
        #expect(resent.exitCode == 1)
    }

    @Test func aWorkloadThatDoesNotEndIsARegression() async throws {
        _ = try await compare("record", try run(["untar.local": (1, 0.2)]))
        let result = try await compare("check", try run(["untar.local": (1, 0.2)], failing: "git"))
        #expect(result.exitCode == 1 && result.error.contains("git (ordner): over 40 s"))
    }

    @Test func eachServerIsComparedWithItself() async throws {
        _ = try await compare("record", try run(["untar.local": (1, 0.2)]))
        let cloud = try run(["untar.local": (2, 0.2)], target: "ordner-cloud")
        let unknown = try await compare("check", cloud)
        #expect(unknown.exitCode == 0 && unknown.output.contains("new"))
        _ = try await compare("record", cloud)
        #expect(try await compare("check", cloud).exitCode == 0)
        #expect(
            try await compare("check", try run(["untar.local": (1, 0.2)])).exitCode == 0,
            "what is recorded of one stays when the other is recorded")
        let slow = try await compare(
            "check", try run(["untar.local": (4, 0.2)], target: "ordner-cloud"))
        #expect(slow.exitCode == 1 && slow.error.contains("untar.local (ordner-cloud)"))
    }

    @Test func aServerThatCouldNotBeSeededIsARegression() async throws {
        _ = try await compare("record", try run(["untar.local": (1, 0.2)]))
        let result = try await compare(
            "check", try run(["untar.local": (1, 0.2)], unseeded: "ordner-cloud"))
        #expect(result.exitCode == 1 && result.error.contains("ordner-cloud: error: not sent"))
    }

    @Test func aFewMillisecondsAreNoRegression() async throws {
        _ = try await compare(
            "record",
            try run([
                "rename.local": (0.001, 0.00003), "ttfb.start": (4, 1), "manyopen.cold": (0.5, 0.1),
            ]))
        let calm = try run(["rename.local": (0.005, 0.00003), "ttfb.start": (8, 1)])
        #expect(try await compare("check", calm).exitCode == 0)
        for (metric, value) in [("rename.local", 0.01), ("ttfb.start", 20), ("manyopen.cold", 1)] {
            let slow = try await compare("check", try run([metric: (value, 0.00003)]))
            #expect(slow.exitCode == 1 && slow.error.contains(metric))
        }
    }

    @Test func nothingIsComparedWithNothing() async throws {
        _ = try await compare("record", try run(["untar.local": (1, 0.2)]))
        let other = try await compare(
            "check", try run(["untar.local": (1, 0.2)]), line: "20 ms, 200 Mbit/s")
        #expect(other.exitCode == 1 && other.error.contains("no figures for the line"))
    }
}
