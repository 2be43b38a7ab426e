import ArgumentParser
import Glibc
import MountService

/// `ordner sync`
struct SyncCommandLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Sends what is unsent, and returns when the server has it.",
        discussion: """
            Without a path everything of all your mounts is sent. Ends with 1 where something can't \
            be sent; it stays safe on this machine and is tried again by itself.
            """)

    @Argument(help: ArgumentHelp("Files or folders in a mount.", valueName: "path"))
    var paths: [String] = []

    func run() async throws {
        let folders = try ProgramFolders()
        let paths = paths
        let failed = try await BlockingWork.run { () throws(ServiceFailure) in
            var failed: [ProgressReport] = []
            for target in try SyncCommand.targets(of: paths) {
                let bar = ProgressBar()
                let rest = try SyncCommand.run(target, folders: folders) { bar.show($0) }
                bar.clear()
                if rest.remaining > 0 { failed.append(rest) }
            }
            return failed
        }
        guard failed.isEmpty else { throw ProgressBar.failure(of: failed) }
    }
}

/// The line on a terminal that tells how far sending is; nothing where there is no terminal.
final class ProgressBar {
    private static let width = 24

    private let isShown = isatty(STDERR_FILENO) == 1
    private var most = 0

    func show(_ progress: ProgressReport) {
        most = max(most, progress.remaining)
        guard isShown else { return }
        let done = (most - progress.remaining) * Self.width / max(1, most)
        let bar = String(repeating: "#", count: done)
        let rest = String(repeating: "-", count: Self.width - done)
        let failed = progress.failedCount > 0 ? ", \(progress.failedCount) failing" : ""
        write(
            "\r\u{1B}[K[\(bar)\(rest)] \(progress.remaining) changes, "
                + "\(ByteSize.text(progress.remainingBytes)) to send\(failed)")
    }

    func clear() {
        guard isShown, most > 0 else { return }
        write("\r\u{1B}[K")
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
    }

    /// What could not be sent, as an error message.
    static func failure(of reports: [ProgressReport]) -> ServiceFailure {
        let count = reports.reduce(0) { $0 + $1.remaining }
        let lines = reports.flatMap(\.failed).prefix(10).map {
            "\n  \($0.path): \($0.error ?? "not sent")"
        }
        let more = count > lines.count ? "\n  and \(count - lines.count) more" : ""
        return ServiceFailure(
            "\(count) changes are not on the server:" + lines.joined() + more,
            remedy: "They stay on this machine and are tried again; ordner status shows them.")
    }
}
