import CFuse3
import Glibc

/// Ends mounts, also those of other processes.
package enum Unmounting {
    /// Unmounts the topmost mount at a path: as root by umount2(2), else by fusermount3.
    ///
    /// Blocks the thread until the kernel has written what it holds back; never to be called from
    /// Swift's cooperative pool, whose threads the driver may need to take it.
    /// - Parameters:
    ///   - path: absolute, without symbolic links (`MountPoint.resolved`)
    ///   - lazy: Takes the mount out of the tree although programs use it.
    package static func unmount(_ path: String, lazy: Bool) throws(FuseMountError) {
        guard umount2(path, (lazy ? Int32(MNT_DETACH) : 0) | Int32(UMOUNT_NOFOLLOW)) != 0 else {
            return
        }
        switch errno {
        case EPERM: try unmountByHelper(path, lazy: lazy)
        case EBUSY: throw busy(path)
        case let error:
            throw FuseMountError(.refused, "Unmounting \(path) failed: \(text(error)).")
        }
    }

    private static func unmountByHelper(_ path: String, lazy: Bool) throws(FuseMountError) {
        guard let helper = MountEnvironment.helperPath() else {
            throw FuseMountError(
                .helperMissing,
                "Unmounting as a user needs \(MountEnvironment.helper). Install the package fuse3.")
        }
        let status = run(helper, lazy ? ["-u", "-q", "-z", "--", path] : ["-u", "-q", "--", path])
        guard status != 0, let mount = MountTable.current().topmost(at: path), mount.isFuse else {
            return
        }
        throw busy(path)
    }

    private static func busy(_ path: String) -> FuseMountError {
        FuseMountError(
            .busy,
            "\(path) is in use: some program has a file of it open or works in it "
                + "(fuser -vm \(path) shows which). End it, or unmount lazily.")
    }

    /// Runs a program and answers its wait status, -1 where it can't be run.
    private static func run(_ program: String, _ arguments: [String]) -> Int32 {
        var list: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        defer { for pointer in list { free(pointer) } }
        list.append(nil)
        var process = pid_t()
        guard posix_spawn(&process, program, nil, nil, list, environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { return -1 }
        }
        return status
    }

    static func text(_ error: Int32) -> String { String(cString: strerror(error)) }
}
