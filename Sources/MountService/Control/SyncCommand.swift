import Glibc

/// `ordner sync`: has a driver send what is unsent, and waits for that.
package enum SyncCommand {
    /// Part of a mount.
    package struct Target: Sendable, Hashable {
        package var location: MountLocation
        /// Names from the mount's top down; empty: all of it.
        package var path: [String]
    }

    /// The targets of paths on this machine; of none, every mount of this user. Blocks.
    package static func targets(of paths: [String]) throws(ServiceFailure) -> [Target] {
        guard paths.isEmpty else {
            return try paths.map { path throws(ServiceFailure) in try target(of: path) }
        }
        return MountLocation.ours.sorted().map {
            Target(location: MountLocation(resolving: $0), path: [])
        }
    }

    /// What a path on this machine is in its mount. Blocks.
    static func target(of text: String) throws(ServiceFailure) -> Target {
        // The path is not followed into the mount, which may be dead.
        let path = LocalPath.absolute(text)
        for candidate in [path, LocalPath.resolved(path)] {
            let mounts = MountLocation.ours.filter { LocalPath.contains($0, candidate) }
            guard let mount = mounts.max(by: { $0.count < $1.count }) else { continue }
            return Target(
                location: MountLocation(resolving: mount),
                path: candidate.dropFirst(mount.count).split(separator: "/").map(String.init))
        }
        throw ServiceFailure(
            "\(text) is in no Ordner mount", remedy: "ordner status lists the mounts.")
    }

    /// Has everything of the target sent, telling `show` now and then how far it is. Returns what
    /// could not be sent, which stays on this machine. Blocks.
    package static func run(
        _ target: Target, folders: ProgramFolders, show: (ProgressReport) -> Void
    ) throws(ServiceFailure) -> ProgressReport {
        var progress = try ask(.sync, target, folders)
        while !progress.isOver {
            show(progress)
            // The driver answers when something has changed, or after a second.
            progress = try ask(.progress, target, folders)
        }
        return progress
    }

    private static func ask(
        _ command: ControlRequest.Command, _ target: Target, _ folders: ProgramFolders
    ) throws(ServiceFailure) -> ProgressReport {
        var request = ControlRequest(command)
        request.path = target.path
        guard let answer = try ControlClient(folders: folders).ask(request, of: target.location)
        else {
            throw ServiceFailure(
                "the driver of \(target.location) has ended",
                remedy: "Mount it again: what is unsent is taken up then.")
        }
        guard let progress = answer.progress else {
            throw ServiceFailure("the driver of \(target.location) is of another version")
        }
        return progress
    }
}
