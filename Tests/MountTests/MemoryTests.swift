import CloudStorage
import Foundation
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

/// Memory of a driver that knows many entries, and how soon they are there after a mount.
///
/// `ORDNER_MEMORY_ENTRIES=1000000` makes the tree as big as the goal says; then the driver keeps as
/// many entries in memory as it does by itself.
@Suite(.serialized) struct MemoryTests {
    private static let entries =
        ProcessInfo.processInfo.environment["ORDNER_MEMORY_ENTRIES"].flatMap { Int($0) }
    private static let perFolder = 1_000
    /// A server that has just been filled would tell of all that as changes.
    private static let options = ["--poll", entries == nil ? "1" : "3600"]

    /// A tree of folders with a thousand files each.
    private func fill(_ mounted: MountedCloud, entries: Int) async throws {
        if let webDAV = mounted.server as? WebDAVCloud {
            try await fill(webDAV.server.dataFolder, mounted, entries: entries)
        } else {
            let bob = try await mounted.bob()
            let top = try await bob.createFolder(name: "tree", in: mounted.server.top)
            for index in 0..<entries / Self.perFolder {
                let folder = try await bob.createFolder(name: "d\(index)", in: top.reference)
                try await mounted.cloud.fill(folder.reference, files: Self.perFolder - 1)
            }
        }
        try await isSeen("tree", mounted)
    }

    /// The same where the server shows a folder of this machine.
    private func fill(_ folder: String, _ mounted: MountedCloud, entries: Int) async throws {
        try await mounted.atHome(
            """
            python3 - <<'END'
            import os
            os.umask(0)
            for index in range(\(entries / Self.perFolder)):
                name = "new/d%d" % index
                os.makedirs(name)
                for file in range(\(Self.perFolder - 1)):
                    open("%s/file-%d" % (name, file), "w").close()
            END
            mv new '\(folder)/tree'
            """, seconds: 600)
    }

    /// Waits until what Bob has made is there.
    private func isSeen(_ name: String, _ mounted: MountedCloud) async throws {
        try await eventually(within: .seconds(60), name) {
            try await mounted.attempt("test -d \(name)").exitCode == 0
        }
    }

    @Test(arguments: [CloudKind.leitzCloud(ServerBehaviour()), .webDAV(.apache)])
    func memoryIsBounded(_ kind: CloudKind) async throws {
        let entries = Self.entries ?? 20_000
        let limit = Self.entries == nil ? 4_000 : 20_000
        let options = Self.entries == nil ? ["--entries-in-memory", "\(limit)"] : []
        try await MountedCloud.with(kind, options: options + Self.options) {
            (mounted) async throws -> Void in
            try await fill(mounted, entries: entries)
            let began = ContinuousClock.now
            let walk = "find tree -printf '%i %p\\n' | sort -k2 > $W/"
            try await mounted.shell(walk + "first", seconds: 3_600)
            let first = ContinuousClock.now - began
            let peak = mounted.driverMemory
            try await mounted.shell(walk + "second", seconds: 3_600)
            try await mounted.atHome("cmp first second")
            let count = try await mounted.shell("wc -l < $W/first")
            #expect(Int(count.trimming) == entries + 1)
            print(
                "\(kind.testDescription), \(entries) entries: first walk \(first), then at most",
                "\(peak) MiB, and \(mounted.driverMemory) MiB after the second")
            #expect(mounted.driverMemory <= 150)
            try await eventually(within: .seconds(30), "room in memory") {
                try await mounted.status().entriesInMemory <= limit
            }
            // A folder that left memory takes changes as any other.
            try await mounted.shell(
                "echo new > tree/d0/new; rm tree/d1/file-?; mv tree/d2 tree/moved")
            try await mounted.sync()
            let bob = try await mounted.bob()
            let team = try await bob.entries(of: mounted.server.top)
            let tree = try await bob.entries(of: try #require(team["tree"]).reference)
            #expect(tree["moved"] != nil && tree["d2"] == nil)
            let folder = try await bob.entries(of: try #require(tree["d0"]).reference)
            #expect(folder["new"]?.size == 4)
        }
    }

    /// What an earlier run knew is there at once, whether or not the server is.
    @Test func aRemountShowsTheTreeAtOnce() async throws {
        let entries = Self.entries == nil ? 10_000 : 100_000
        try await MountedCloud.with(options: Self.options) { (mounted) async throws -> Void in
            try await fill(mounted, entries: entries)
            try await mounted.shell("find tree -printf '%i %p\\n' | sort -k2 > $W/first")
            try await mounted.unmount()
            let began = ContinuousClock.now
            try await mounted.mount()
            let mountTime = ContinuousClock.now - began
            mounted.cloud.server.faults.add(
                FaultRule(
                    .status(code: 503, error: "temporarily_unavailable", retryAfter: nil),
                    times: nil))
            mounted.cloud.server.resetRequestCounts()
            let took = try await mounted.shell(
                "TIMEFORMAT=%R; { time ls -l tree/d7 | wc -l; } 2>&1 | tr '\\n' ' '")
            let words = took.split(separator: " ")
            #expect(words.first == "1000")
            let seconds = try #require(words.last.flatMap { Double($0) })
            #expect(seconds <= 1)
            let walkBegan = ContinuousClock.now
            try await mounted.shell("find tree -printf '%i %p\\n' | sort -k2 > $W/second")
            let walk = ContinuousClock.now - walkBegan
            try await mounted.atHome("cmp first second")
            print(
                "remount of \(entries) entries: \(mountTime), then ls -l: \(seconds) s, find: \(walk)"
            )
        }
    }

    /// While a big folder is listed, other programs are answered.
    @Test func aBigFolderHoldsUpNobody() async throws {
        let entries = Self.entries == nil ? 20_000 : 100_000
        try await MountedCloud.with(options: Self.options) { (mounted) async throws -> Void in
            let bob = try await mounted.cloud.client(.bob)
            let folder = try await bob.createFolder(name: "big", in: .top(of: mounted.cloud.team))
            try await mounted.cloud.fill(folder.reference, files: entries)
            try await isSeen("big", mounted)
            try await mounted.shell("mkdir small; seq 200 | sed 's,^,small/,' | xargs touch")
            try await mounted.sync()
            let said = try await mounted.python(
                """
                import os, subprocess, time
                began = time.monotonic()
                big = subprocess.Popen(["ls", "-f", "big"], stdout=subprocess.PIPE)
                import threading
                lines = []
                reader = threading.Thread(target=lambda: lines.extend(big.stdout))
                reader.start()
                worst, count = 0.0, 0
                while big.poll() is None:
                    # Names that are not there are asked of the driver each time.
                    count += 1
                    start = time.monotonic()
                    try: os.stat("small/none%d" % count)
                    except FileNotFoundError: pass
                    worst = max(worst, time.monotonic() - start)
                    time.sleep(0.001)
                reader.join()
                print(len(lines) - 2, count, worst, time.monotonic() - began)
                """)
            let words = said.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            try #require(words.count == 4)
            print("\(entries) entries in a folder: \(words[3]) s, the longest wait \(words[2]) s")
            #expect(Int(words[0]) == entries)
            #expect(words[1] > 10)
            #expect(words[2] < (Self.entries == nil ? 1 : 0.2))
        }
    }
}

extension String {
    fileprivate var trimming: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
