import CFuse3
import FileSystemTypes
import Glibc
import VirtualFileSystem

extension FileKind {
    /// The kind's bits of `st_mode`.
    var modeBits: mode_t {
        switch self {
        case .folder: S_IFDIR
        case .file: S_IFREG
        case .symbolicLink: S_IFLNK
        }
    }
}

extension stat {
    /// What programs should read and write at once.
    ///
    /// C's stdio and Python's `open` take it as the size of their buffer, and each of their writes
    /// is a request to the driver: at 4096 a copy by a program of that sort takes 32 times as many.
    static let preferredBlockSize = 131_072

    init(_ attributes: FileAttributes) {
        self.init()
        st_ino = numericCast(attributes.inode.rawValue)
        st_mode = attributes.kind.modeBits | mode_t(attributes.mode & 0o7777)
        st_nlink = numericCast(attributes.linkCount)
        st_uid = attributes.userID
        st_gid = attributes.groupID
        st_size = numericCast(attributes.size)
        st_blksize = numericCast(Self.preferredBlockSize)
        st_blocks = numericCast((attributes.size + 511) / 512)
        st_atim = timespec(attributes.accessed)
        st_mtim = timespec(attributes.modified)
        st_ctim = timespec(attributes.changed)
    }

    /// As much as a line of a listing tells.
    init(_ line: DirectoryEntry) {
        self.init()
        st_ino = numericCast(line.inode.rawValue)
        st_mode = line.kind.modeBits
    }
}

extension timespec {
    init(_ time: FileTime) {
        self.init(tv_sec: numericCast(time.seconds), tv_nsec: numericCast(time.nanoseconds))
    }
}

extension FileTime {
    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: Int32(clamping: time.tv_nsec))
    }
}

extension fuse_entry_param {
    init(_ entry: Entry) {
        self.init()
        ino = entry.node
        attr = stat(entry.attributes)
        attr_timeout = entry.validity
        entry_timeout = entry.validity
    }

    /// A line that stands for no inode the kernel shall remember: `ino` is 0.
    init(uncounted line: DirectoryEntry) {
        self.init()
        attr = stat(line)
    }
}

extension statvfs {
    init(_ usage: FileSystemUsage) {
        let block: Int64 = 4096
        self.init()
        f_bsize = numericCast(block)
        f_frsize = numericCast(block)
        f_blocks = numericCast(max(0, usage.totalBytes) / block)
        f_bfree = numericCast(max(0, usage.freeBytes) / block)
        f_bavail = f_bfree
        f_namemax = 255
    }
}
