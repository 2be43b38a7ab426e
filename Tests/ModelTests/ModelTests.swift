import TestSupport
import Testing

/// The whole file system over a model cloud, driven by random operations of a program and of
/// another client, faults, crashes and restarts, against a model of what must hold.
///
/// `ORDNER_SIMULATION_STEPS` sets how many operations are made (the nightly form makes a million),
/// `ORDNER_SIMULATION_SEED` where the seeds begin, so that a failure can be run again.
@Suite struct ModelTests {
    @Test func nothingIsLostAndBothSidesConverge() async throws {
        try await Self.simulate { try ModelRun(seed: $0) }
    }

    /// A failure can be looked into only if its seed brings it back.
    @Test(arguments: [3, 4] as [UInt64], [false, true])
    func aSeedRepeatsARun(_ seed: UInt64, addressesByPath: Bool) async throws {
        var logs: [[String]] = []
        for _ in 0..<2 {
            let run = try ModelRun(seed: seed, addressesByPath: addressesByPath)
            try await run.run(steps: 300)
            logs.append(run.records.last)
        }
        let same = zip(logs[0], logs[1]).prefix { $0 == $1 }.count
        let parting = logs.map {
            $0.dropFirst(max(0, same - 20)).prefix(30).joined(separator: "\n")
        }
        #expect(
            logs[0] == logs[1],
            "the runs part ways:\n\(parting[0])\nand\n\(parting[1])")
    }

    /// The same over a cloud that knows its items by path only, as WebDAV servers do.
    @Test func nothingIsLostWhereItemsAreFoundByPath() async throws {
        try await Self.simulate { try ModelRun(seed: $0, addressesByPath: true) }
    }

    /// As above, and the server keeps the times that programs give files, as Nextcloud does: each is
    /// a revision of the same content.
    @Test func nothingIsLostWhereTimesAreKept() async throws {
        try await Self.simulate {
            try ModelRun(seed: $0, addressesByPath: true, keepsTimes: true)
        }
    }

    /// Over a kernel that reads complete files by itself, for programs that look at what others write, and
    /// that store through mappings.
    @Test func nothingIsLostWhereTheKernelReads() async throws {
        try await Self.simulate { try ModelRun(seed: $0, kernelReads: true) }
    }

    private static func simulate(_ make: (UInt64) throws -> ModelRun) async throws {
        let steps = SimulationSize.steps(usual: 10_000)
        let perRun = 400
        var seed = SimulationSize.seed()
        for _ in 0..<max(1, steps / perRun) {
            guard try await run(make(seed), seed, steps: perRun) else { return }
            seed += 1
        }
    }

    private static func run(_ run: ModelRun, _ seed: UInt64, steps: Int) async throws -> Bool {
        try await run.run(steps: steps)
        guard let failure = run.failure else { return true }
        let log = run.records.last.suffix(10_000).joined(separator: "\n")
        Issue.record("seed \(seed): \(failure)\n\(log)\nseed \(seed): \(failure)")
        return false
    }
}
