import CloudStorage
import Foundation
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

/// What programs hear when the server refuses or fails, and that nothing is lost.
@Suite(.serialized) struct FailureTests {
    @Test func aLockOfSomebodyElseIsBusy() async throws {
        try await MountedCloud.with(options: MountedCloud.serverFirst) {
            (mounted) async throws -> Void in
            try await mounted.shell("echo mine > a.txt")
            let bob = try await mounted.cloud.client(.bob)
            let items = try await bob.entries(of: .top(of: mounted.cloud.team))
            let file = try #require(items["a.txt"])
            try await bob.lock(file.reference, seconds: 600)
            for script in ["echo other >> a.txt", "rm -f a.txt", "mv a.txt b.txt"] {
                let outcome = try await mounted.attempt("LC_ALL=C \(script)")
                #expect(outcome.exitCode != 0)
                #expect(outcome.error.contains("busy"), "\(script): \(outcome.error)")
            }
            try await bob.unlock(file.reference)
            try await mounted.shell("echo more >> a.txt; [ \"$(wc -l < a.txt)\" = 2 ]")
        }
    }

    @Test func whoMayOnlyReadIsTold() async throws {
        try await MountedCloud.with(as: .reader, options: MountedCloud.serverFirst) {
            (mounted) async throws -> Void in
            for script in ["touch new", "mkdir d"] {
                let outcome = try await mounted.attempt("LC_ALL=C \(script)")
                #expect(outcome.error.contains("Permission denied"), "\(outcome.error)")
            }
        }
    }

    @Test func failuresOfTheServerEndWithAnErrorAndLoseNothing() async throws {
        try await MountedCloud.with(options: MountedCloud.serverFirst) {
            (mounted) async throws -> Void in
            let faults = mounted.cloud.server.faults
            try await mounted.shell("echo old > a.txt; cp a.txt c.txt")
            faults.add(
                FaultRule(
                    .status(code: 503, error: "temporarily_unavailable", retryAfter: nil),
                    routeKind: "upload", times: 1_000))
            let refused = try await mounted.attempt("echo precious > $W/p; cp $W/p a.txt")
            #expect(refused.exitCode != 0, "close must tell that the upload failed")
            try await mounted.shell("[ \"$(cat a.txt)\" = precious ]")
            let status = try await mounted.home.run("status", mounted.point, "--json")
            #expect(status.output.contains("a.txt"))
            faults.removeAll()
            let bob = try await mounted.cloud.client(.bob)
            try await eventually(within: .seconds(60), "the retry") {
                let items = try await bob.entries(of: .top(of: mounted.cloud.team))
                guard let item = items["a.txt"] else { return false }
                return try await bob.bytes(of: item) == Array("precious\n".utf8)
            }
            faults.add(FaultRule(.expireToken, times: 1))
            try await mounted.shell("echo signed in again > b.txt")
            faults.add(FaultRule(.loseAnswer, routeKind: "upload", times: 1))
            try await mounted.shell("echo answered late > d.txt; [ \"$(ls | wc -l)\" = 4 ]")
            faults.add(FaultRule(.cutBody(afterBytes: 2), routeKind: "download", times: 1))
            try await mounted.unmount()
            try await mounted.atHome("rm -rf cache")
            try await mounted.mount()
            try await mounted.shell("[ \"$(cat b.txt)\" = 'signed in again' ]")
        }
    }

    @Test func withoutAServerWhatIsKnownWorksAndNothingHangs() async throws {
        try await MountedCloud.with(options: MountedCloud.serverFirst) {
            (mounted) async throws -> Void in
            try await mounted.shell("mkdir d; echo cached > d/a.txt; cat d/a.txt")
            await mounted.cloud.server.stop()
            let start = ContinuousClock.now
            try await mounted.shell("ls d; [ \"$(cat d/a.txt)\" = cached ]; df . > /dev/null")
            let refused = try await mounted.attempt("echo precious > $W/p; cp $W/p d/new.txt")
            #expect(refused.exitCode != 0)
            #expect(ContinuousClock.now - start < .seconds(60))
            try await mounted.shell("[ \"$(cat d/new.txt)\" = precious ]")
        }
    }

    @Test func acknowledgedContentSurvivesKill() async throws {
        try await MountedCloud.with(options: MountedCloud.serverFirst) {
            (mounted) async throws -> Void in
            try await mounted.shell("for i in $(seq 20); do echo $i > f$i; done; echo v1 > doc")
            mounted.cloud.server.faults.add(
                FaultRule(
                    .status(code: 503, error: "temporarily_unavailable", retryAfter: nil),
                    routeKind: "upload", times: 100_000))
            // fsync answers while the file is open: this machine has it, the server can't yet.
            let outcome = try await mounted.attempt(
                """
                python3 - <<'P'
                import os, signal
                f = os.open("doc", os.O_WRONLY | os.O_TRUNC); os.write(f, b"v2 synced\\n"); os.fsync(f)
                g = os.open("new", os.O_WRONLY | os.O_CREAT); os.write(g, b"new synced\\n"); os.fsync(g)
                os.kill(\(mounted.processID), signal.SIGKILL)
                P
                """)
            #expect(outcome.exitCode == 0, "\(outcome.error)")
            await mounted.killDriver()
            mounted.cloud.server.faults.removeAll()
            try await mounted.mount()
            try await mounted.shell(
                """
                [ "$(cat doc)" = "v2 synced" ]; [ "$(cat new)" = "new synced" ]
                for i in $(seq 20); do [ "$(cat f$i)" = $i ]; done; [ "$(ls -A | wc -l)" = 22 ]
                """)
            let bob = try await mounted.cloud.client(.bob)
            try await eventually(within: .seconds(60), "the upload of what was left") {
                let items = try await bob.entries(of: .top(of: mounted.cloud.team))
                guard let doc = items["doc"], let new = items["new"] else { return false }
                let docBytes = try await bob.bytes(of: doc)
                let newBytes = try await bob.bytes(of: new)
                return docBytes == Array("v2 synced\n".utf8)
                    && newBytes == Array("new synced\n".utf8) && items.count == 22
            }
        }
    }

    @Test func signalsUnmountCleanly() async throws {
        for number in [SIGINT, SIGTERM] {
            try await MountedCloud.with(options: MountedCloud.serverFirst) {
                (mounted) async throws -> Void in
                try await mounted.shell("echo x > a.txt")
                mounted.signalDriver(number)
                let end = try await mounted.driverEnd()
                #expect(end?.exitCode == 0)
                #expect(!mounted.isMounted)
            }
        }
    }

    @Test func whatOthersChangeIsSeenAfterThePoll() async throws {
        try await MountedCloud.with(options: MountedCloud.serverFirst + ["--poll", "1"]) {
            (mounted) async throws -> Void in
            try await mounted.shell("echo mine > a.txt; ls -l > /dev/null")
            let bob = try await mounted.cloud.client(.bob)
            let folder = try TemporaryFolder()
            let top = ItemReference.top(of: mounted.cloud.team)
            _ = try await bob.upload(Array("theirs\n".utf8), name: "b.txt", to: top, from: folder)
            _ = try await bob.createFolder(name: "d", in: top)
            let old = try #require(try await bob.entries(of: top)["a.txt"])
            try await bob.delete(old.reference)
            try await eventually(within: .seconds(30), "the look of the change feed") {
                try await mounted.shell("ls") == "b.txt\nd\n"
            }
            try await mounted.shell("[ \"$(cat b.txt)\" = theirs ]; [ ! -e a.txt ]; [ -d d ]")
        }
    }
}
