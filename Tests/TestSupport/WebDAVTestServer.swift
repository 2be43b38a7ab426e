import Dispatch
import Foundation
import Glibc
import Synchronization

/// A real WebDAV server on a free loopback port, with data and settings in a folder of its own.
///
/// The users `alice` and `bob` may do everything below `/Team`; Apache also lets `reader` read.
/// `scripts/setup` installs the servers.
package final class WebDAVTestServer: Sendable {
    /// The programs.
    package enum Kind: String, Sendable, CaseIterable {
        case apache, wsgidav, lighttpd, nginx, rclone
    }

    /// The server could not be started.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package static let password = "secret"
    private static let secondsToStart = 20.0
    private static let secondsToEnd = 10.0
    /// Runs the server given as its arguments until its standard input ends.
    private static let guardScript =
        #""$@" </dev/null & child=$!; read -r _; kill "$child"; wait "$child""#

    package let kind: Kind
    package let port: Int
    /// What the server shows below `/Team`.
    package let dataFolder: String
    private let folder: TemporaryFolder
    private let launch: TestProcess.Launch
    private let process: Mutex<TestProcess>
    /// The writing end of the guard's standard input: the server ends when it is closed, with this
    /// process at last; -1 once it is.
    private let lifeline: Mutex<Int32>

    /// The folder that clients use.
    package var url: String { "http://127.0.0.1:\(port)/Team" }

    private init(_ kind: Kind, port: Int, folder: TemporaryFolder) throws {
        let command = try WebDAVServerSettings(folder: folder, port: port).command(for: kind)
        let input = folder.file("lifeline")
        guard mkfifo(input, 0o600) == 0 else {
            throw Failure(description: "mkfifo: errno \(errno)")
        }
        let log = folder.file("output.log")
        var launch = TestProcess.Launch(
            "/bin/sh", ["-c", Self.guardScript, "guard"] + command,
            environment: ProcessInfo.processInfo.environment, folder: folder.path,
            outputs: (log, log))
        launch.input = input
        self.launch = launch
        let (process, descriptor) = try Self.run(launch, lifeline: input)
        self.process = Mutex(process)
        lifeline = Mutex(descriptor)
        self.kind = kind
        self.port = port
        self.folder = folder
        dataFolder = folder.file("data/Team")
    }

    deinit { cutLifeline() }

    private static func run(
        _ launch: TestProcess.Launch, lifeline: String
    ) throws -> (TestProcess, Int32) {
        // Open for both, so that neither end waits for the other.
        let descriptor = open(lifeline, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(description: "open: errno \(errno)") }
        do {
            return (try TestProcess(launch), descriptor)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Starts a server and waits until it takes connections; `stop` must be called in the end.
    package static func start(_ kind: Kind) async throws -> WebDAVTestServer {
        var failure: (any Error)?
        // The port was free a moment ago; somebody else may have been quicker.
        for _ in 0..<3 {
            do {
                return try await startOnce(kind)
            } catch {
                failure = error
            }
        }
        throw failure ?? Failure(description: "\(kind) was not started")
    }

    private static func startOnce(_ kind: Kind) async throws -> WebDAVTestServer {
        let folder = try TemporaryFolder("ordner-\(kind)")
        let server = try WebDAVTestServer(kind, port: try freePort(), folder: folder)
        if try await server.isUp() { return server }
        await server.stop()
        let text = FileManager.default.contents(atPath: folder.file("output.log")) ?? Data()
        throw Failure(
            description: "\(kind) does not run: " + String(decoding: text, as: UTF8.self))
    }

    /// Whether it takes connections, once it does or has ended.
    private func isUp() async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(Self.secondsToStart)
        while ContinuousClock.now < deadline, process.withLock({ $0.end }) == nil {
            if Self.connects(to: port) { return true }
            // Another process has nothing to wake us by.
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    /// Starts it again after `stop`, with the same address and data.
    package func startAgain() async throws {
        let (process, descriptor) = try Self.run(launch, lifeline: folder.file("lifeline"))
        self.process.withLock { $0 = process }
        lifeline.withLock { $0 = descriptor }
        guard try await isUp() else { throw Failure(description: "\(kind) does not run again") }
    }

    /// Ends the server, by its process id, and waits for its end.
    package func stop() async {
        cutLifeline()
        let process = process.withLock { $0 }
        let overdue = DispatchWorkItem { process.killGroup() }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.secondsToEnd, execute: overdue)
        _ = await process.waitUntilEnd()
        overdue.cancel()
    }

    private func cutLifeline() {
        lifeline.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    /// How many requests with a method Apache has answered so far.
    package func requestCount(_ method: String) throws -> Int {
        let log = try String(contentsOfFile: folder.file("access.log"), encoding: .utf8)
        return log.split(separator: "\n").count { $0.hasPrefix(method + " ") }
    }

    private static func freePort() throws -> Int {
        let (descriptor, address) = try loopbackSocket(port: 0)
        defer { close(descriptor) }
        var bound = address
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &bound) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                Glibc.bind(descriptor, address, size) == 0
                    ? getsockname(descriptor, address, &size) : -1
            }
        }
        guard result == 0 else { throw Failure(description: "no free port: errno \(errno)") }
        return Int(UInt16(bigEndian: bound.sin_port))
    }

    private static func connects(to port: Int) -> Bool {
        guard let made = try? loopbackSocket(port: port) else { return false }
        let descriptor = made.0
        var address = made.1
        defer { close(descriptor) }
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, size) == 0
            }
        }
    }

    private static func loopbackSocket(port: Int) throws -> (Int32, sockaddr_in) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "no socket: errno \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return (descriptor, address)
    }
}
