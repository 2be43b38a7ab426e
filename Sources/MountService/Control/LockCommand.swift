/// A lock on the server, as `ordner locks --json` prints it.
package struct LockReport: Codable, Sendable, Hashable {
    /// As of the mount's top; of `LockCommand.list`, on this machine.
    package var path: String
    /// `open`: a file that is open for writing here, or still to be sent; `office`: a document that an
    /// office program has open here; `command`: asked for by hand; `others`: somebody else's.
    package var purpose: String
    /// Of others' locks, where the server tells it.
    package var holder: String?
    /// Seconds since 1970; nil: as long as it is wanted, or unknown.
    package var until: Int64?
    /// Why this mount does not have it any more.
    package var problem: String?
}

/// `ordner lock`, `unlock` and `locks`: the server's locks, by hand.
package enum LockCommand {
    /// Takes the lock of a path in a mount, for so many seconds or until it is given back. Blocks.
    package static func lock(
        _ path: String, seconds: Int?, folders: ProgramFolders
    ) throws(ServiceFailure) {
        var request = ControlRequest(.lock)
        request.seconds = seconds
        try change(path, request, folders)
    }

    /// Gives the lock of a path back. Blocks.
    package static func unlock(_ path: String, folders: ProgramFolders) throws(ServiceFailure) {
        try change(path, ControlRequest(.unlock), folders)
    }

    private static func change(
        _ path: String, _ request: ControlRequest, _ folders: ProgramFolders
    ) throws(ServiceFailure) {
        let target = try SyncCommand.target(of: path)
        var request = request
        request.path = target.path
        _ = try ask(request, target.location, folders)
    }

    /// The locks that the mounts of this user know, or one of them. Blocks.
    package static func list(
        of location: MountLocation?, folders: ProgramFolders
    ) throws(ServiceFailure) -> [LockReport] {
        var list: [LockReport] = []
        for mount in try StatusReport.collect(for: location, folders: folders).mounts {
            let answer = try ask(
                ControlRequest(.locks), MountLocation(resolving: mount.mountPoint), folders)
            list += (answer.locks ?? []).map { lock in
                var lock = lock
                lock.path = mount.mountPoint + lock.path
                return lock
            }
        }
        return list
    }

    private static func ask(
        _ request: ControlRequest, _ location: MountLocation, _ folders: ProgramFolders
    ) throws(ServiceFailure) -> ControlAnswer {
        guard let answer = try ControlClient(folders: folders).ask(request, of: location) else {
            throw ServiceFailure(
                "the driver of \(location) has ended", remedy: "Mount it again.")
        }
        return answer
    }
}
