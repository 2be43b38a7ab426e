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
        /// Finished when the program ends.
        var watchers: [AsyncStream<Void>.Continuation] = []
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
        let (looks, source) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let watch = try FileWatch(outputFile) { source.yield() }
        let overdue = DispatchWorkItem { source.finish() }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.secondsToEnd, execute: overdue)
        defer {
            overdue.cancel()
            watch.cancel()
        }
        source.yield()
        let hasEnded = state.withLock { state in
            if !state.hasEnded { state.watchers.append(source) }
            return state.hasEnded
        }
        if hasEnded { source.finish() }
        for await _ in looks {
            if let line = rest(ofLineAfter: prefix) { return line }
        }
        // The last line may have come together with the end.
        if let line = rest(ofLineAfter: prefix) { return line }
        throw Overdue(what: "no line '\(prefix)'", output: output, error: error)
    }

    private func rest(ofLineAfter prefix: String) -> String? {
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return lines.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    private func noteEnd() {
        let (waiters, watchers) = state.withLock { state in
            state.hasEnded = true
            defer { (state.waiters, state.watchers) = ([], []) }
            return (state.waiters, state.watchers)
        }
        for waiter in waiters { waiter.resume() }
        for watcher in watchers { watcher.finish() }
    }

    private func text(of file: String) -> String {
        FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
