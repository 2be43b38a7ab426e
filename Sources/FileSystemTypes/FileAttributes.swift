/// What an inode is.
package enum FileKind: UInt8, Sendable, Codable {
    case folder = 0
    case file = 1
    case symbolicLink = 2
}

/// What `stat` shows of an inode.
package struct FileAttributes: Sendable, Equatable {
    package var inode: InodeNumber
    package var kind: FileKind
    /// Bytes; for a symbolic link the length of its target.
    package var size: Int64
    /// Permission bits only (0o7777).
    package var mode: UInt16
    package var userID: UInt32
    package var groupID: UInt32
    package var linkCount: UInt32
    package var accessed: FileTime
    package var modified: FileTime
    package var changed: FileTime

    package init(
        inode: InodeNumber, kind: FileKind, size: Int64, mode: UInt16, userID: UInt32,
        groupID: UInt32, linkCount: UInt32, accessed: FileTime, modified: FileTime,
        changed: FileTime
    ) {
        self.inode = inode
        self.kind = kind
        self.size = size
        self.mode = mode
        self.userID = userID
        self.groupID = groupID
        self.linkCount = linkCount
        self.accessed = accessed
        self.modified = modified
        self.changed = changed
    }
}

/// What `statvfs` shows: sizes in bytes.
package struct FileSystemUsage: Sendable, Equatable {
    package var totalBytes: Int64
    package var freeBytes: Int64

    package init(totalBytes: Int64, freeBytes: Int64) {
        self.totalBytes = totalBytes
        self.freeBytes = freeBytes
    }
}
