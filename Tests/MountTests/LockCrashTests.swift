import CloudStorage
import LeitzCloudServer
import TestSupport
import Testing

/// `kill -9` of the driver at each call of lock, edit, upload and unlock, and what locks cost.
@Suite(.serialized) struct LockCrashTests {
    /// The most calls an edit may take.
    private static let callLimit = 10
    /// A lock's shortest time on the server.
    private static let options = ["--poll=0.2", "--lock-duration=1m"]

    private func bobsItems(_ mounted: MountedCloud) async throws -> [String: CloudItem] {
        try await mounted.bob().entries(of: mounted.server.top)
    }

    /// Runs the script, and kills the driver when it makes that call, which then never reaches the
    /// server, or whose answer is never heard. False where it made fewer calls.
    private func kill(
        _ mounted: MountedCloud, atCall call: Int, _ fate: FaultAction, _ script: String
    ) async throws -> Bool {
        let faults = mounted.cloud.server.faults
        faults.add(FaultRule(fate, method: "POST", skip: call, times: 1))
        faults.add(FaultRule(.delay(seconds: 600), method: "POST", skip: call + 1, times: nil))
        defer { faults.removeAll() }
        try await mounted.shell(script)
        func hasMet() -> Bool { faults.remaining.count == 1 }
        try await eventually(within: .seconds(60), "call \(call), or the end") {
            if hasMet() { return true }
            let isSent = try await mounted.status().unsentNames.isEmpty
            let locks = try await mounted.home.run("locks", mounted.point).output
            return isSent && locks == "No locks.\n"
        }
        await mounted.killDriver()
        return hasMet()
    }

    @Test(arguments: behaviours, [FaultAction.delay(seconds: 600), .loseAnswer])
    func aKillAtAnyCallOfAnEditLeavesNoLockBehind(
        _ behaviour: ServerBehaviour, _ fate: FaultAction
    ) async throws {
        try await MountedCloud.with(behaviour, options: Self.options) {
            (mounted) async throws -> Void in
            try await mounted.shell("echo old > a.odt")
            try await mounted.sync()
            var kills = 0
            for call in 0..<Self.callLimit {
                let hasMet = try await kill(
                    mounted, atCall: call, fate,
                    "echo me > '.~lock.a.odt#'; echo \(call) >> a.odt; rm '.~lock.a.odt#'")
                let holders = try await bobsItems(mounted).values.filter(\.isLocked)
                #expect(holders.count <= 1)
                try await mounted.clearDeadMount()
                try await mounted.mount()
                try await mounted.sync()
                try await eventually(within: .seconds(30), "no lock after call \(call)") {
                    try await bobsItems(mounted).values.allSatisfy { !$0.isLocked }
                }
                let expected = (0...call).map(String.init).joined(separator: " ")
                try await mounted.shell("[ \"$(tr '\\n' ' ' < a.odt)\" = 'old \(expected) ' ]")
                let stored = try #require(try await bobsItems(mounted)["a.odt"])
                let bytes = try await mounted.bob().bytes(of: stored)
                #expect(
                    String(decoding: bytes, as: UTF8.self).split(separator: "\n").count == call + 2)
                guard hasMet else { break }
                kills += 1
            }
            // Lock, upload, unlock at least.
            #expect(kills >= 3)
            #expect(kills < Self.callLimit)
        }
    }

    /// A lock on the whole root: nothing in it can be changed, all of it can be read. Where a file in
    /// it is open for writing here, others can't have it.
    @Test func aLockedRootIsBusy() async throws {
        try await MountedCloud.with(options: Self.options) { (mounted) async throws -> Void in
            try await mounted.shell("mkdir d; echo old > d/a; echo 1 > b")
            try await mounted.sync()
            let bob = try await mounted.bob()
            let root = mounted.server.top
            _ = try await mounted.python(
                """
                file = os.open("d/a", os.O_WRONLY | os.O_TRUNC); os.write(file, b"mine\\n")
                pause()
                os.close(file)
                """
            ) {
                let refusal = await #expect(throws: CloudStorageError.self) {
                    try await bob.lock(root, seconds: 600)
                }
                #expect(refusal?.kind == .locked)
            }
            try await mounted.sync()
            try await eventually(within: .seconds(30), "the lock of the file is given back") {
                do throws(CloudStorageError) {
                    try await bob.lock(root, seconds: 600)
                    return true
                } catch {
                    return false
                }
            }
            try await eventually(within: .seconds(30), "the lock is known") {
                try await mounted.attempt("mkdir probe-$RANDOM$RANDOM").exitCode != 0
            }
            let said = try await mounted.python(
                """
                print(word(os.mkdir, "new"), word(os.rename, "b", "c"), word(os.unlink, "b"),
                    word(os.open, "b", os.O_WRONLY), word(os.open, "d/x", os.O_CREAT | os.O_WRONLY),
                    open("b").read().strip(), open("d/a").read().strip())
                """)
            #expect(said == "EBUSY EBUSY EBUSY EBUSY EBUSY 1 mine")
            try await bob.unlock(root)
            try await eventually(within: .seconds(90), "the end of the lock is known") {
                try await mounted.attempt("mkdir new").exitCode == 0
            }
            try await mounted.shell("mv b c; echo 2 > c")
        }
    }

    /// What is known needs one round trip to be opened for writing, that for the lock.
    @Test func openingACachedFileForWritingCostsOneCall() async throws {
        try await MountedCloud.with(options: ["--poll=3600"]) { (mounted) async throws -> Void in
            try await mounted.shell("head -c 300000 /dev/urandom > a; ls > /dev/null; cat a > $W/a")
            try await mounted.sync()
            mounted.cloud.server.resetRequestCounts()
            let said = try await mounted.python(
                """
                file = os.open("a", os.O_RDWR); os.read(file, 1000)
                pause()
                os.close(file)
                """
            ) {
                let counts = mounted.cloud.server.requestCounts()
                #expect(counts.filter { $0.key.hasPrefix("POST") } == ["POST lock": 1])
                #expect(counts["GET download"] == nil)
            }
            #expect(said.isEmpty)
        }
    }
}
