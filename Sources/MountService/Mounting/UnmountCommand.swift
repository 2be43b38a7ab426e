import FuseAdapter

/// `ordner unmount`: asks the driver to end, and clears what is left of a dead one.
package enum UnmountCommand {
    /// Sends what is unsent, and returns when the mount is gone and its driver has ended. Blocks.
    /// - Parameters:
    ///   - now: leave what is unsent to the next mount, and detach even where programs use the
    ///     mount or the driver is stuck.
    ///   - show: hears now and then how far the sending is.
    package static func run(
        _ location: MountLocation, now: Bool, folders: ProgramFolders,
        show: (ProgressReport) -> Void
    ) throws(ServiceFailure) {
        do {
            if !now { try send(location, folders: folders, show: show) }
            var request = ControlRequest(.unmount, lazily: now)
            request.leavesUnsent = now
            if try ControlClient(folders: folders).ask(request, of: location) != nil { return }
        } catch {
            guard now else { throw error }
        }
        guard location.holdsOurMount else {
            throw ServiceFailure(
                "no Ordner mount is on \(location)", remedy: "ordner status lists the mounts.")
        }
        // Nobody listens: the driver has ended without unmounting.
        try ServiceFailure.translating { () throws(FuseMountError) in
            try Unmounting.unmount(location.path, lazy: true)
        }
    }

    private static func send(
        _ location: MountLocation, folders: ProgramFolders, show: (ProgressReport) -> Void
    ) throws(ServiceFailure) {
        guard try ControlClient(folders: folders).ask(ControlRequest(.status), of: location) != nil
        else { return }
        let target = SyncCommand.Target(location: location, path: [])
        let rest = try SyncCommand.run(target, folders: folders, show: show)
        guard rest.remaining > 0 else { return }
        let reasons = Set(rest.failed.compactMap(\.error)).sorted().prefix(3)
        throw ServiceFailure(
            "\(rest.remaining) changes can't be sent: " + reasons.joined(separator: "; "),
            remedy: "\(location) is still mounted. To leave them to the next mount: "
                + "ordner unmount --now \(location)")
    }
}
