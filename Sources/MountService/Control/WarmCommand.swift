import Glibc
import Synchronization

/// `ordner warm`: has drivers fetch ahead what is below paths.
package enum WarmCommand {
    /// The parts of mounts that paths on this machine mean, one entry a mount, in order. Blocks.
    static func targets(
        of paths: [String]
    ) throws(ServiceFailure) -> [(location: MountLocation, paths: [[String]])] {
        var targets: [(location: MountLocation, paths: [[String]])] = []
        for path in paths {
            let target = try SyncCommand.target(of: path)
            if let index = targets.firstIndex(where: { $0.location == target.location }) {
                targets[index].paths.append(target.path)
            } else {
                targets.append((target.location, [target.path]))
            }
        }
        return targets
    }

    /// Fetches everything below the paths, mount after mount, and returns what came of it, with paths on this
    /// machine, telling `show` now and then how far it is.
    /// Once `isInterrupted` answers true the driver stops, and no other mount is begun. Blocks.
    package static func run(
        _ paths: [String], folders: ProgramFolders, isInterrupted: () -> Bool,
        show: (WarmReport) -> Void
    ) throws(ServiceFailure) -> [WarmReport] {
        var reports: [WarmReport] = []
        for (location, paths) in try targets(of: paths) where !isInterrupted() {
            var request = ControlRequest(.warm)
            request.paths = paths
            var report = try ask(request, location, folders)
            while !report.isOver {
                show(report)
                var next = ControlRequest(isInterrupted() ? .warmEnd : .warmProgress)
                next.run = report.run
                report = try ask(next, location, folders)
                if next.command == .warmEnd { break }
            }
            report.failures = report.failures.map {
                WarmReport.Failure(path: location.path + $0.path, reason: $0.reason)
            }
            show(report)
            reports.append(report)
        }
        return reports
    }

    private static func ask(
        _ request: ControlRequest, _ location: MountLocation, _ folders: ProgramFolders
    ) throws(ServiceFailure) -> WarmReport {
        guard let answer = try ControlClient(folders: folders).ask(request, of: location) else {
            throw ServiceFailure(
                "the driver of \(location) has ended",
                remedy: "Mount it again; what was fetched is still here.")
        }
        guard var report = answer.warm else {
            throw ServiceFailure("the driver of \(location) is of another version")
        }
        report.mountPoint = location.path
        return report
    }
}

/// Ctrl-C and its like, for commands that have to end something before they do.
package final class Interruption: Sendable {
    private let signals: TerminationSignals
    private let state: Flag

    /// Safe from any thread.
    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    /// From now on the first signal only counts, and the second ends the process.
    package init() {
        let flag = Flag()
        state = flag
        signals = TerminationSignals { count in
            flag.isSet.store(true, ordering: .relaxed)
            if count > 1 { _exit(1) }
        }
    }

    package var hasCome: Bool { state.isSet.load(ordering: .relaxed) }
}
