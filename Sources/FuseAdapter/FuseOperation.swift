/// The operations whose answer may have to be waited for.
package enum FuseOperation: String, Sendable, CaseIterable {
    case lookup, getattr, setattr, readlink, mknod, mkdir, unlink, rmdir, symlink, rename
    case open, openTruncating, create, read, write, flush, release, fsync
    case opendir, fsyncdir, statfs, getxattr, setxattr, listxattr, removexattr
    case fallocate, lseek, copyFileRange

    /// Whether a program that gives up waiting ends the work too.
    ///
    /// Only where nothing changes: a half-done change would leave the caller without knowing, and
    /// `close` and `fsync` are the last to report an error.
    package var isInterruptible: Bool {
        switch self {
        case .lookup, .getattr, .open, .read, .opendir: true
        default: false
        }
    }
}
