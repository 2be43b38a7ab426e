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

    /// Finished when the program ends.
    private final class Watchers: Sendable {
        let sources = Mutex<(hasEnded: Bool, list: [AsyncStream<Void>.Continuation])>((false, []))
    }

    private static let secondsToEnd = 60.0

    private let process: TestProcess
    private let outputFile: String
    private let errorFile: String
    private let watchers = Watchers()

    /// Starts the program in a home of its own.
    package init(_ arguments: [String], home: PrivateHome, input: String) throws {
        let name = "\(home.path)/\(UUID().uuidString)"
        outputFile = name + ".out"
        errorFile = name + ".err"
        for file in [outputFile, errorFile] { try Data().write(to: URL(fileURLWithPath: file)) }
        let inputFile = name + ".in"
        try Data(input.utf8).write(to: URL(fileURLWithPath: inputFile))
        var launch = TestProcess.Launch(
            try ProgramFile.path(), arguments, environment: home.environment, folder: home.path,
            outputs: (outputFile, errorFile))
        launch.input = inputFile
        process = try TestProcess(launch) { [watchers] in
            let sources = watchers.sources.withLock { sources in
                sources.hasEnded = true
                defer { sources.list = [] }
                return sources.list
            }
            for source in sources { source.finish() }
        }
    }

    deinit { process.signal(SIGKILL) }

    package var hasEnded: Bool { watchers.sources.withLock { $0.hasEnded } }

    package var processID: Int32 { process.processID }
    package var output: String { text(of: outputFile) }
    package var error: String { text(of: errorFile) }

    package func signal(_ number: Int32) { process.signal(number) }

    /// The most memory that the program has had resident, in MiB; 0 once it has ended.
    package var peakMemory: Int {
        let file = "/proc/\(processID)/status"
        guard let status = FileManager.default.contents(atPath: file) else { return 0 }
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("VmHWM:") }
        let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (kilobytes ?? 0) / 1024
    }

    /// Waits for the end; one that takes over a minute is killed and fails the test.
    package func end() async throws -> Outcome {
        let overdue = DispatchWorkItem { [process] in process.signal(SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.secondsToEnd, execute: overdue)
        let end = await process.waitUntilEnd()
        overdue.cancel()
        guard case .exit(let code) = end else {
            throw Overdue(what: "ended by a signal", output: output, error: error)
        }
        return Outcome(exitCode: code, output: output, error: error)
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
        let hasEnded = watchers.sources.withLock { sources in
            if !sources.hasEnded { sources.list.append(source) }
            return sources.hasEnded
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

    private func text(of file: String) -> String {
        FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
