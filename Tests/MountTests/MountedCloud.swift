import CloudStorage
import Foundation
import LeitzCloudServer
import TestSupport

/// A cloud, mounted by the built program in a child process.
///
/// Programs that use the mount are child processes too: a process must not wait for a mount whose
/// server it is itself.
final class MountedCloud: Sendable {
    static let account = "mine"
    /// Options for tests that expect the server's answer, or its work done, when a call returns.
    static let serverFirst = ["--sync=all"]

    let server: any MountableServer
    let home: PrivateHome
    let point: String
    private let options: [String]
    private let driver: DriverBox

    private final class DriverBox: @unchecked Sendable {
        // Changed only by the one test that owns the mount, between its awaits.
        var program: RunningProgram?
    }

    /// Starts cloud and mount for the time of `body`.
    static func with(
        _ behaviour: ServerBehaviour = ServerBehaviour(), as person: TestCloud.Person = .alice,
        options: [String] = [], _ body: (MountedCloud) async throws -> Void
    ) async throws {
        try await with(.leitzCloud(behaviour), as: person, options: options, body)
    }

    /// Starts a cloud of some kind, and its mount, for the time of `body`.
    static func with(
        _ kind: CloudKind, as person: TestCloud.Person = .alice, options: [String] = [],
        _ body: (MountedCloud) async throws -> Void
    ) async throws {
        switch kind {
        case .leitzCloud(let behaviour):
            try await TestCloud.with(behaviour) { cloud in
                try await with(cloud, person, options, body)
            }
        case .webDAV(let server):
            try await WebDAVCloud.with(server) { cloud in
                try await with(cloud, person, options, body)
            }
        case .nextcloud, .tellingNextcloud:
            let tells = if case .tellingNextcloud = kind { true } else { false }
            try await TestCloud.with(tellsChanges: tells) { cloud in
                try await with(NextcloudFace(cloud: cloud), person, options, body)
            }
        }
    }

    private static func with(
        _ server: any MountableServer, _ person: TestCloud.Person, _ options: [String],
        _ body: (MountedCloud) async throws -> Void
    ) async throws {
        let mounted = try MountedCloud(server: server, options: options)
        do {
            try await mounted.login(person)
            try await mounted.mount()
            try await body(mounted)
        } catch {
            mounted.driver.program.map { print($0.error) }
            await mounted.tearDown()
            throw error
        }
        await mounted.tearDown()
    }

    /// The embedded cloud, for tests that change how it behaves.
    var cloud: TestCloud {
        if let face = server as? NextcloudFace { return face.cloud }
        guard let cloud = server as? TestCloud else {
            preconditionFailure("the test is of the embedded cloud only")
        }
        return cloud
    }

    /// Bob, who looks at the server from elsewhere.
    func bob() async throws -> any CloudStorage { try await server.anyClient(.bob) }

    private init(server: any MountableServer, options: [String]) throws {
        self.server = server
        self.options = options
        home = try PrivateHome()
        point = home.path + "/mount"
        driver = DriverBox()
        try FileManager.default.createDirectory(
            atPath: point, withIntermediateDirectories: true)
    }

    private func login(_ person: TestCloud.Person) async throws {
        let outcome = try await RunningProgram(
            ["login", Self.account] + server.loginArguments(of: person) + ["--password-stdin"],
            home: home, input: server.password(of: person) + "\n"
        ).end()
        guard outcome.exitCode == 0 else { throw Failed(what: "login", outcome: outcome) }
    }

    /// Mounts; returns when the mount can be used. A dead mount at the same place is no mount.
    func mount() async throws {
        let program = try RunningProgram(
            ["mount", Self.account, point, "-f"] + options, home: home, input: "")
        driver.program = program
        var look: Outcome?
        do {
            try await eventually(within: .seconds(60), "the mount") {
                if program.hasEnded {
                    throw Failed(what: "mount", outcome: try await program.end())
                }
                guard self.isMounted else { return false }
                look = try await Shell.run(
                    "ls '\(self.point)'/*", scratch: self.home.path, seconds: 10)
                return look?.exitCode == 0
            }
        } catch is NeverHappened {
            let said = "\(look?.output ?? "not mounted")\n\(program.output)\n\(program.error)"
            throw Failed(
                what: "mount", outcome: Outcome(exitCode: 0, output: said, error: ""))
        }
    }

    var processID: Int32 { driver.program?.processID ?? 0 }

    /// What the driver has logged so far.
    var driverLog: String { driver.program?.error ?? "no driver was started" }

    /// Whether the kernel has a mount at the mount point.
    /// Reads the mount table only.
    var isMounted: Bool {
        guard let table = FileManager.default.contents(atPath: "/proc/self/mountinfo") else {
            return false
        }
        return String(decoding: table, as: UTF8.self).contains(" \(point) ")
    }

    /// Unmounts as a user does, and waits until the driver has ended.
    func unmount() async throws {
        let outcome = try await home.run("unmount", point)
        guard outcome.exitCode == 0 else { throw Failed(what: "unmount", outcome: outcome) }
        _ = try await driver.program?.end()
    }

    /// Ends the driver as a crash does.
    func killDriver() async {
        driver.program?.signal(SIGKILL)
        do { _ = try await driver.program?.end() } catch {}
    }

    func signalDriver(_ number: Int32) { driver.program?.signal(number) }

    func driverEnd() async throws -> Outcome? { try await driver.program?.end() }

    /// Runs a shell script in the team root of the mount; a failing command fails it.
    @discardableResult
    func shell(_ script: String, seconds: Double = 300) async throws -> String {
        let outcome = try await Shell.run(
            "cd '\(point)/\(server.teamPath)'; \(script)", scratch: home.path,
            seconds: seconds)
        guard outcome.exitCode == 0 else { throw Failed(what: script, outcome: outcome) }
        return outcome.output
    }

    /// The exit code and messages of a script that may fail.
    func attempt(_ script: String, seconds: Double = 300) async throws -> Outcome {
        try await Shell.run(
            "cd '\(point)/\(server.teamPath)'; \(script)", scratch: home.path,
            seconds: seconds)
    }

    /// Runs a script in the test's home, outside the mount.
    func atHome(_ script: String, seconds: Double = 60) async throws {
        let outcome = try await Shell.run(
            "cd '\(home.path)'; \(script)", scratch: home.path, seconds: seconds)
        guard outcome.exitCode == 0 else { throw Failed(what: script, outcome: outcome) }
    }

    /// Largest resident memory of the driver, in MiB.
    var driverMemory: Int {
        let file = "/proc/\(processID)/status"
        guard let status = FileManager.default.contents(atPath: file) else { return 0 }
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("VmHWM:") }
        let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (kilobytes ?? 0) / 1024
    }

    private func tearDown() async {
        if isMounted {
            do {
                try await unmount()
            } catch {
                await killDriver()
            }
        } else {
            await killDriver()
        }
        // What a test that failed has left, one above the other.
        for _ in 0..<4 where isMounted {
            print("\(point) is still mounted")
            do {
                let outcome = try await Shell.run(
                    "umount -l '\(point)'", scratch: home.path, seconds: 20)
                print(outcome.error)
            } catch {
                print("\(error)")
            }
        }
    }
}

/// A command that did not succeed.
struct Failed: Error, CustomStringConvertible {
    let what: String
    let outcome: Outcome

    var description: String {
        "exit code \(outcome.exitCode) of: \(what)\n\(outcome.error)\n\(outcome.output.suffix(2_000))"
    }
}

/// bash as a child process, with a limit of time.
enum Shell {
    static func run(_ script: String, scratch: String, seconds: Double) async throws -> Outcome {
        let name = "\(scratch)/\(UUID().uuidString)"
        var environment = ProcessInfo.processInfo.environment
        environment["HOME"] = scratch
        environment["W"] = scratch
        let process = try TestProcess(
            TestProcess.Launch(
                "/bin/bash", ["-euo", "pipefail", "-c", script], environment: environment,
                folder: scratch, outputs: (name + ".out", name + ".err")))
        let limit = DispatchWorkItem { process.killGroup() }
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: limit)
        let end = await process.waitUntilEnd()
        limit.cancel()
        func text(_ file: String) -> String {
            FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
                ?? ""
        }
        let exitCode: Int32 = if case .exit(let code) = end { code } else { -1 }
        return Outcome(
            exitCode: exitCode, output: text(name + ".out"),
            error: text(name + ".err"))
    }
}
