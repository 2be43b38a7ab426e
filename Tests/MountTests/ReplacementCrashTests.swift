import CloudStorage
import LeitzCloudServer
import TestSupport
import Testing

/// `kill -9` of the driver between any two calls that replace a file on the server.
@Suite(.serialized) struct ReplacementCrashTests {
    /// What becomes of the call at which the driver is killed.
    enum Fate: CaseIterable {
        case neverWorkedOn, answerLost

        var action: FaultAction {
            switch self {
            case .neverWorkedOn: .delay(seconds: 600)
            case .answerLost: .loseAnswer
            }
        }
    }

    /// The most calls a replacement may take.
    private static let callLimit = 12

    @Test(arguments: behaviours, Fate.allCases)
    func aReplacementIsFinishedAfterACrash(
        _ behaviour: ServerBehaviour, _ fate: Fate
    ) async throws {
        try await MountedCloud.with(behaviour, options: ["--sync=none", "--poll", "3600"]) {
            (mounted) async throws -> Void in
            var crashes = 0
            for call in 0..<Self.callLimit {
                let name = "file \(call).txt"
                try await mounted.shell("echo old \(call) > '\(name)'")
                try await mounted.sync()
                let hasCrashed = try await mounted.crash(atCall: call, fate) {
                    try await mounted.shell("echo new \(call) > t; mv t '\(name)'")
                }
                let kept = try await mounted.contentsOnServer()
                let versions = ["old \(call)\n", "new \(call)\n"]
                #expect(kept.values.contains { versions.contains($0) }, "no copy at call \(call)")
                try await mounted.restart()
                try await mounted.shell("[ \"$(cat '\(name)')\" = 'new \(call)' ]")
                try await mounted.sync()
                let end = try await mounted.contentsOnServer()
                let all = (0...call).map { ("file \($0).txt", "new \($0)\n") }
                #expect(end == Dictionary(uniqueKeysWithValues: all))
                guard hasCrashed else { break }
                crashes += 1
            }
            #expect(crashes >= 1)
            #expect(crashes < Self.callLimit)
        }
    }
}

extension MountedCloud {
    /// Kills the driver at the moment of a call that changes the server. False where the change
    /// came to its end with fewer calls.
    fileprivate func crash(
        atCall call: Int, _ fate: ReplacementCrashTests.Fate, _ change: () async throws -> Void
    ) async throws -> Bool {
        let faults = cloud.server.faults
        faults.add(FaultRule(fate.action, method: "POST", skip: call, times: 1))
        let hold = FaultRule(.delay(seconds: 600), method: "POST", skip: call + 1, times: nil)
        faults.add(hold)
        defer { faults.removeAll() }
        try await change()
        func hasMet() -> Bool { faults.remaining.count == 1 }
        try await eventually(within: .seconds(60), "call \(call), or the end") {
            if hasMet() { return true }
            return try await status().unsentNames.isEmpty
        }
        await killDriver()
        return hasMet()
    }

    fileprivate func restart() async throws {
        try await clearDeadMount()
        try await mount()
    }

    /// What another client finds in the shared folder, by name.
    fileprivate func contentsOnServer() async throws -> [String: String] {
        let bob = try await bob()
        var contents: [String: String] = [:]
        for (name, item) in try await bob.entries(of: server.top) {
            contents[name] = String(decoding: try await bob.bytes(of: item), as: UTF8.self)
        }
        return contents
    }
}
