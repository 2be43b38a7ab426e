import Glibc

/// Takes mounts away: by umount2(2) as root, by fusermount3(1) otherwise. Its calls block.
package enum Unmounting {
    /// Unmounts; a mount that programs still use stays and fails, unless `lazily`: then it
    /// disappears from the tree at once and ends with its last open file.
    package static func unmount(_ path: String, lazily: Bool) throws(ServiceFailure) {
        if geteuid() == 0 {
            let flags = (lazily ? Int32(MNT_DETACH) : 0) | Int32(UMOUNT_NOFOLLOW)
            guard umount2(path, flags) == 0 else {
                if errno == EBUSY { throw busy(path) }
                throw .system("unmount \(path)")
            }
        } else {
            let child = try ChildProcess(
                .init(
                    executable: "/usr/bin/fusermount3",
                    arguments: ["-q", "-u"] + (lazily ? ["-z"] : []) + ["--", path]))
            guard try child.waitForEnd() == 0 else {
                if !lazily { throw busy(path) }
                throw ServiceFailure("fusermount3 can't unmount \(path)")
            }
        }
    }

    /// Clears a mount whose driver has ended.
    package static func detachDead(_ path: String) throws(ServiceFailure) {
        try unmount(path, lazily: true)
    }

    private static func busy(_ path: String) -> ServiceFailure {
        ServiceFailure(
            "\(path) is in use",
            remedy: "Close the programs that use it (fuser -vm \(path) lists them), "
                + "or detach it with: ordner unmount --now \(path)")
    }
}
