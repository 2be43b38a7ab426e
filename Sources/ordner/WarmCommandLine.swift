import ArgumentParser
import Glibc
import MountService

/// `ordner warm`
struct WarmCommandLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warm",
        abstract: "Fetches files ahead, so that they are read without the server.",
        discussion: """
            Everything below the paths is listed and brought into the cache. What is there already \
            costs nothing, and what is changed here and not sent yet is here anyway. What does not fit \
            into the cache is not fetched. Ctrl-C ends it; what was fetched stays. Ends with 1 where \
            something could not be fetched.
            """)

    @Argument(help: ArgumentHelp("Files or folders in a mount.", valueName: "path"))
    var paths: [String]

    @Flag(help: "Print JSON for programs, a line now and then.")
    var json = false

    func run() async throws {
        let folders = try ProgramFolders()
        let (paths, json) = (paths, json)
        let interruption = Interruption()
        let reports = try await BlockingWork.run { () throws(ServiceFailure) in
            var failure: ServiceFailure?
            let output = WarmOutput(json: json)
            let reports = try WarmCommand.run(
                paths, folders: folders, isInterrupted: { interruption.hasCome },
                show: { report in
                    do throws(ServiceFailure) { try output.show(report) } catch { failure = error }
                })
            if let failure { throw failure }
            return reports
        }
        var failures = reports.compactMap { WarmText.failure($0) }
        if interruption.hasCome, failures.isEmpty {
            failures = [ServiceFailure("it was ended before all was fetched")]
        }
        for report in reports {
            for failure in report.failures {
                Message.show("\(failure.path): \(failure.reason)", on: STDERR_FILENO)
            }
            let more = report.failureCount - report.failures.count
            if more > 0 { Message.show("and \(more) more", on: STDERR_FILENO) }
        }
        guard let last = failures.popLast() else { return }
        for failure in failures { Message.failure(failure) }
        throw last
    }
}

/// How far a fetching is: a bar on a terminal, a line now and then elsewhere, or JSON.
private final class WarmOutput {
    /// Seconds between two lines where there is no terminal.
    private static let pause = 10.0

    private let json: Bool
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var rate = TransferRate()
    private var mount: String?
    private let start = ContinuousClock.now
    private var saidAt = 0.0

    init(json: Bool) { self.json = json }

    func show(_ report: WarmReport) throws(ServiceFailure) {
        if json { return Message.say(try JSONLine.short(report)) }
        if mount != report.mountPoint { rate = TransferRate() }
        mount = report.mountPoint
        let now = (ContinuousClock.now - start) / .seconds(1)
        rate.note(report.bytesFetched, at: now)
        guard !report.isOver, !report.isCancelled else { return conclude(report) }
        if isTerminal {
            write("\r\u{1B}[K" + WarmText.bar(report, rate: rate.perSecond))
        } else if now - saidAt >= Self.pause {
            saidAt = now
            write(WarmText.progress(report, rate: rate.perSecond) + "\n")
        }
    }

    private func conclude(_ report: WarmReport) {
        if isTerminal { write("\r\u{1B}[K") }
        Message.say(WarmText.summary(report))
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        // Nobody left to read is no reason to fail.
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }
}
