import CFuse3
import Dispatch
import Glibc

/// A folder to mount on.
package enum MountPoint {
    /// What stands at a path.
    package enum State: Sendable, Equatable {
        case folder
        case missing
        case notFolder
        case forbidden
        /// A mount whose driver has ended.
        case dead
        /// A mount whose driver does not answer.
        case unresponsive
        /// Something else failed, with this errno.
        case failed(Int32)
    }

    /// What the answer of stat(2) means.
    ///
    /// - Parameters:
    ///   - error: 0 or errno
    ///   - mode: `st_mode` where there was no error
    package static func state(error: Int32, mode: UInt32) -> State {
        switch error {
        case 0: mode & S_IFMT == S_IFDIR ? .folder : .notFolder
        case ENOENT: .missing
        case ENOTDIR: .notFolder
        case EACCES, EPERM: .forbidden
        // What the kernel says of a FUSE mount without a driver (fs/fuse/dev.c).
        case ENOTCONN, ECONNABORTED: .dead
        default: .failed(error)
        }
    }

    /// Looks at a path, for at most 5 seconds. Blocks the thread.
    package static func state(of path: String) -> State {
        DedicatedThread.result(
            of: {
                var status = stat()
                var error = stat(path, &status) == 0 ? 0 : errno
                if error == 0 {
                    // The kernel still knows the attributes of a mount whose driver has ended; this
                    // it asks the driver every time.
                    var space = statvfs()
                    error = statvfs(path, &space) == 0 ? 0 : errno
                }
                return state(error: error, mode: status.st_mode)
            }, within: .seconds(5)) ?? .unresponsive
    }

    /// The absolute path without symbolic links, as the mount table has it; nil where there is none.
    ///
    /// The last component is not looked at where that fails, as it does on a dead mount.
    package static func resolved(_ path: String) -> String? {
        if let whole = realPath(path) { return whole }
        var trimmed = path[...]
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        let slash = trimmed.lastIndex(of: "/")
        let name = slash.map { trimmed[trimmed.index(after: $0)...] } ?? trimmed
        let folder = slash.map { $0 == trimmed.startIndex ? "/" : String(trimmed[..<$0]) } ?? "."
        guard !name.isEmpty, name != ".", name != "..", let parent = realPath(folder) else {
            return nil
        }
        return parent == "/" ? "/" + name : parent + "/" + name
    }

    /// Whether a folder has no entries; true too where it can't be read.
    package static func isEmpty(_ path: String) -> Bool {
        guard let folder = opendir(path) else { return true }
        defer { closedir(folder) }
        var count = 0
        // `.` and `..` are always there.
        while count < 3, readdir(folder) != nil { count += 1 }
        return count < 3
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
