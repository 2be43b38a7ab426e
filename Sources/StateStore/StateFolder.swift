import FileSystemTypes
import FoundationEssentials
import Glibc

/// The folder of one account's state, held by its one owner for as long as this object lives.
///
/// Owns the I/O on the folder itself; its methods block and belong on no cooperative thread.
final class StateFolder: Sendable {
    let path: String
    /// The open lock file; closing it gives the folder back.
    private let lock: CInt

    var databasePath: String { path + "/state.sqlite" }
    var contentPath: String { path + "/content" }
    /// Exists where the database has to be checked before it is used again.
    private var markerPath: String { path + "/check" }

    static func lockPath(in folder: String) -> String { folder + "/lock" }

    /// Makes the folder (0700, with the folders above it) where needed, and takes its lock.
    ///
    /// Throws `locked` where another process has it.
    init(path: String) throws(FileSystemError) {
        self.path = path
        try Self.makeFolder(path)
        lock = try Self.takeLock(Self.lockPath(in: path))
        try Self.makeFolder(path + "/content")
    }

    /// Unlocks before closing: a child process that is being started holds a copy of the open file
    /// until it executes its program, and with it the lock (flock(2)).
    deinit {
        flock(lock, LOCK_UN)
        close(lock)
    }

    /// Whether the folder of unsent content has anything in it.
    func hasContent() throws(FileSystemError) -> Bool {
        guard let directory = opendir(contentPath) else {
            throw Self.failure("can't read \(contentPath)")
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            // "." and ".." are always there; anything else starts differently or is longer.
            let name = entry.pointee.d_name
            let isSelf = name.0 == 0x2E && name.1 == 0
            let isParent = name.0 == 0x2E && name.1 == 0x2E && name.2 == 0
            if !isSelf && !isParent { return true }
        }
        return false
    }

    /// Bytes of a file of the folder; nil where it isn't there.
    func size(of path: String) -> Int64? {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }

    /// Makes the database file, readable by its owner only; SQLite gives its log the same rights.
    func createDatabaseFile() throws(FileSystemError) {
        let file = open(databasePath, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure("can't create \(databasePath)") }
        close(file)
    }

    /// Writes the folder's own entries to the disk, so that new files survive power loss.
    func synchronize() throws(FileSystemError) {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Self.failure("can't open \(path)") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw Self.failure("can't sync \(path)") }
    }

    /// Whether the last owner ended without closing the database, or found it damaged.
    func needsCheck() -> Bool {
        size(of: markerPath) != nil || (size(of: databasePath + "-wal") ?? 0) > 0
    }

    /// Remembers over a restart that the database must be checked.
    func markForCheck() throws(FileSystemError) {
        let file = open(markerPath, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure("can't create \(markerPath)") }
        close(file)
    }

    /// The database has been checked, or set aside.
    func clearMark() throws(FileSystemError) {
        guard unlink(markerPath) == 0 || errno == ENOENT else {
            throw Self.failure("can't remove \(markerPath)")
        }
    }

    /// Renames a damaged database, with its log, to names that no later one takes.
    func setDatabaseAside() throws(FileSystemError) {
        let style = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)
        let base = databasePath + ".damaged-" + style.format(Date())
        var target = base
        var attempt = 1
        while size(of: target) != nil {
            attempt += 1
            target = "\(base)-\(attempt)"
        }
        for suffix in ["-wal", "-shm", ""] {
            guard rename(databasePath + suffix, target + suffix) == 0 || errno == ENOENT else {
                throw Self.failure("can't set \(databasePath)\(suffix) aside")
            }
        }
    }

    private static func takeLock(_ path: String) throws(FileSystemError) -> CInt {
        let file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("can't open \(path)") }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let error = failure("can't lock \(path)")
            close(file)
            guard isHeld else { throw error }
            throw FileSystemError(
                .locked, "another ordner already uses this account's state (\(path))")
        }
        return file
    }

    private static func makeFolder(_ path: String) throws(FileSystemError) {
        if mkdir(path, 0o700) == 0 { return }
        switch errno {
        case EEXIST:
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw FileSystemError(.notFolder, "\(path) is not a folder")
            }
            guard status.st_mode & 0o077 == 0 || chmod(path, 0o700) == 0 else {
                throw failure("can't make \(path) private")
            }
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
                throw failure("can't create \(path)")
            }
            try makeParents(String(path[..<slash]))
            guard mkdir(path, 0o700) == 0 else { throw failure("can't create \(path)") }
        default: throw failure("can't create \(path)")
        }
    }

    /// Makes the folders above ours where they are missing; those that exist keep their rights.
    private static func makeParents(_ path: String) throws(FileSystemError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw failure("can't create \(path)")
        }
        try makeParents(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 else { throw failure("can't create \(path)") }
    }

    /// The error of the system call that has just failed.
    private static func failure(_ message: String) -> FileSystemError {
        let number = errno
        let reason = String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT: return FileSystemError(.noSpace, "\(message): \(reason)")
        case EACCES, EPERM: return FileSystemError(.accessDenied, "\(message): \(reason)")
        case EROFS: return FileSystemError(.readOnly, "\(message): \(reason)")
        default: return FileSystemError(.inputOutput, "\(message): \(reason)")
        }
    }
}
