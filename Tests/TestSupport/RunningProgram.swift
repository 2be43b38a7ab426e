import Dispatch
import Foundation
import Synchronization

/// The program as a child process, with its output in files and an end that can be waited for.
package final class RunningProgram: Sendable {
    /// The program took too long, or ended otherwise than by itself.
    package struct Overdue: Error {
        let what: String
        let output: String
        let error: String
    }

    private struct State {
        var hasEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private static let secondsToEnd = 60.0

    private let process = Process()
    private let outputFile: String
    private let errorFile: String
    private let state = Mutex(State())

    /// Starts the program in a home of its own.
    package init(_ arguments: [String], home: PrivateHome, input: String) throws {
        let name = "\(home.path)/\(UUID().uuidString)"
        outputFile = name + ".out"
        errorFile = name + ".err"
        for file in [outputFile, errorFile] { try Data().write(to: URL(fileURLWithPath: file)) }
        let inputFile = name + ".in"
        try Data(input.utf8).write(to: URL(fileURLWithPath: inputFile))
        process.executableURL = URL(fileURLWithPath: try ProgramFile.path())
        process.arguments = arguments
        process.environment = home.environment
        process.currentDirectoryURL = URL(fileURLWithPath: home.path)
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: inputFile))
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: outputFile))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorFile))
        process.terminationHandler = { [weak self] _ in self?.noteEnd() }
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    package var processID: Int32 { process.processIdentifier }
    package var output: String { text(of: outputFile) }
    package var error: String { text(of: errorFile) }

    package func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for the end; one that takes over a minute is killed and fails the test.
    package func end() async throws -> Outcome {
        let overdue = DispatchWorkItem { [self] in signal(SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.secondsToEnd, execute: overdue)
        await withCheckedContinuation { continuation in
            let ended = state.withLock { state in
                if !state.hasEnded { state.waiters.append(continuation) }
                return state.hasEnded
            }
            if ended { continuation.resume() }
        }
        overdue.cancel()
        guard process.terminationReason == .exit else {
            throw Overdue(what: "ended by a signal", output: output, error: error)
        }
        return Outcome(exitCode: process.terminationStatus, output: output, error: error)
    }

    /// Waits until a line of the output begins with `prefix`, and answers the rest of it.
    package func line(after prefix: String) async throws -> String {
        let deadline = ContinuousClock.now + .seconds(Self.secondsToEnd)
        while ContinuousClock.now < deadline {
            let lines = output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            if let line = lines.first(where: { $0.hasPrefix(prefix) }) {
                return String(line.dropFirst(prefix.count))
            }
            guard !state.withLock({ $0.hasEnded }) else { break }
            // The output is a file of another process: there is nothing to be woken by.
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Overdue(what: "no line '\(prefix)'", output: output, error: error)
    }

    private func noteEnd() {
        let waiters = state.withLock { state in
            state.hasEnded = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func text(of file: String) -> String {
        FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
