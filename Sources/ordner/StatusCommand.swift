import ArgumentParser
import MountService

/// `ordner status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows how your mounts are doing: server, open and unsent files, cache, locks.")

    @Argument(help: ArgumentHelp("Only the mount on this folder.", valueName: "dir"))
    var directory: String?

    @Flag(help: "Print JSON for programs.")
    var json = false

    @Flag(help: "Show it again every two seconds, until Ctrl-C.")
    var watch = false

    func run() async throws {
        let folders = try ProgramFolders()
        repeat {
            let directory = directory
            let report = try await BlockingWork.run { () throws(ServiceFailure) in
                let mountPoint = try directory.map { text throws(ServiceFailure) in
                    MountLocation(resolving: text)
                }
                return try StatusReport.collect(for: mountPoint, folders: folders)
            }
            Message.say(json ? try JSONLine.text(report) : text(of: report))
            if watch { try await Task.sleep(for: .seconds(2)) }
        } while watch
    }

    private func text(of report: StatusReport) -> String {
        if report.mounts.isEmpty && report.dead.isEmpty { return "Nothing is mounted." }
        let dead = report.dead.map {
            "\($0)\n  its driver has ended; clear it with: ordner unmount \($0)"
        }
        return (report.mounts.map(text(of:)) + dead).joined(separator: "\n")
    }

    private func text(of mount: MountReport) -> String {
        var lines = [
            mount.mountPoint,
            "  account     " + mount.account + (mount.remotePath.map { ":" + $0 } ?? ""),
            "  server      \(mount.server) as \(mount.user), "
                + (mount.serverReachable ? "reachable" : "NOT reachable"),
            "  files       \(mount.openFiles) open, \(mount.unsentFiles) changes not on the server yet",
            "  cache       \(ByteSize.text(mount.cacheBytes)) of \(ByteSize.text(mount.cacheLimit))",
        ]
        lines += mount.unsent.map {
            "  unsent      \($0.path) (\($0.change == "content" ? ByteSize.text($0.bytes) : $0.change))"
                + ($0.error.map { ": " + $0 } ?? "")
        }
        lines += mount.locks.map { "  locked      \($0)" }
        lines += (mount.lostLocks ?? []).map { "  lock LOST   \($0)" }
        lines += mount.conflicts.map { "  conflict    \($0.copy) (the server's: \($0.original))" }
        return lines.joined(separator: "\n")
    }
}
