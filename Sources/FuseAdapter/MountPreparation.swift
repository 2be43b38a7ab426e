import Logging

/// Makes sure that a mount can be made on a folder.
enum MountPreparation {
    /// More dead mounts than that on one folder nobody stacks.
    private static let maximumDeadMounts = 8

    /// Checks the mount point, after clearing dead mounts from it, and answers its absolute path
    /// without symbolic links. Blocks the thread.
    static func prepare(
        _ options: FuseMountOptions, logger: Logger
    ) throws(FuseMountError) -> String {
        let given = options.mountPoint
        for _ in 0..<maximumDeadMounts {
            let state = MountPoint.state(of: given)
            guard let path = MountPoint.resolved(given), state != .missing else {
                throw FuseMountError(
                    .mountPointMissing, "There is no folder \(given). Make it: mkdir -p \(given)")
            }
            guard state == .dead else {
                try check(state, path, options)
                return path
            }
            try clearDeadMount(path, logger: logger)
        }
        throw FuseMountError(
            .mountPointForbidden, "\(given) has dead mounts that could not be cleared.")
    }

    private static func clearDeadMount(_ path: String, logger: Logger) throws(FuseMountError) {
        guard let mount = MountTable.current().topmost(at: path), mount.isFuse else {
            throw FuseMountError(
                .mountPointForbidden,
                "\(path) lies on a mount whose driver has ended. Unmount that first: findmnt -T \(path)"
            )
        }
        logger.notice("Clearing the mount of \(mount.source) that a driver left on \(path).")
        try Unmounting.unmount(path, lazy: true)
    }

    private static func check(
        _ state: MountPoint.State, _ path: String, _ options: FuseMountOptions
    ) throws(FuseMountError) {
        switch state {
        case .folder: break
        case .notFolder:
            throw FuseMountError(
                .mountPointNotFolder, "\(path) is not a folder. Mount on an empty folder.")
        case .unresponsive:
            throw FuseMountError(
                .unresponsive,
                "A mount is on \(path) whose driver does not answer. End that driver, or unmount it: "
                    + "fusermount3 -u -z \(path)")
        case .failed(let error):
            throw FuseMountError(
                .mountPointForbidden, "\(path) can't be used: \(Unmounting.text(error)).")
        case .forbidden, .missing, .dead:
            throw FuseMountError(
                .mountPointForbidden, "\(path) may not be opened by this user.")
        }
        if let mount = MountTable.current().topmost(at: path), mount.isFuse {
            throw FuseMountError(
                .alreadyMounted,
                "\(mount.source) is mounted on \(path) already. Unmount it first: ordner unmount \(path)"
            )
        }
        guard options.allowsNonEmpty || MountPoint.isEmpty(path) else {
            throw FuseMountError(
                .mountPointNotEmpty,
                "\(path) is not empty; a mount would hide what is in it. Mount on an empty folder, "
                    + "or with -o nonempty.")
        }
    }
}
