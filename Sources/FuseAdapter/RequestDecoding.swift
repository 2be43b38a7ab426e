import CFuse3
import FileSystemTypes
import Glibc
package import VirtualFileSystem

extension Caller {
    init(_ request: fuse_req_t) {
        guard let context = fuse_req_ctx(request) else {
            self.init(userID: 0, groupID: 0, processID: 0)
            return
        }
        self.init(
            userID: context.pointee.uid, groupID: context.pointee.gid,
            processID: context.pointee.pid)
    }
}

extension String {
    /// A name or path as the kernel hands it over; nil where it isn't UTF-8.
    init?(kernelName name: UnsafePointer<CChar>?) {
        guard let name else { return nil }
        self.init(validatingCString: name)
    }
}

extension FileSystemError {
    static let nameToFind = FileSystemError(.notFound, "The name is not valid UTF-8.")
    static let nameToMake = FileSystemError(.invalidName, "The name is not valid UTF-8.")
}

extension OpenOptions {
    /// `O_DIRECT` (asm/fcntl.h), which Glibc declares for `_GNU_SOURCE` only.
    #if arch(arm64)
        package static let directFlag: Int32 = 0x1_0000
    #else
        package static let directFlag: Int32 = 0x4000
    #endif

    /// The flags of open(2).
    package init(openFlags flags: Int32) {
        var options: OpenOptions = []
        switch flags & O_ACCMODE {
        case O_RDONLY: options.insert(.read)
        case O_WRONLY: options.insert(.write)
        case O_RDWR: options.formUnion([.read, .write])
        default: break
        }
        if flags & O_TRUNC != 0 { options.insert(.truncate) }
        if flags & O_APPEND != 0 { options.insert(.append) }
        if flags & Self.directFlag != 0 { options.insert(.direct) }
        if flags & O_EXCL != 0 { options.insert(.exclusive) }
        self = options
    }
}

extension RenameMode {
    /// The flags of renameat2(2); nil for those that no cloud can do (RENAME_WHITEOUT).
    package init?(renameFlags flags: UInt32) {
        switch flags {
        case 0: self = .replace
        case 1: self = .noReplace
        case 2: self = .exchange
        default: return nil
        }
    }
}

extension AllocationMode {
    /// The mode of fallocate(2): FALLOC_FL_KEEP_SIZE 1, PUNCH_HOLE 2, ZERO_RANGE 16; nil for others.
    package init?(allocationFlags flags: Int32) {
        switch flags {
        case 0: self = .allocate
        case 1: self = .keepSize
        case 2 | 1: self = .punchHole
        case 16: self = .zeroRange(keepSize: false)
        case 16 | 1: self = .zeroRange(keepSize: true)
        default: return nil
        }
    }
}

extension SeekTarget {
    /// `whence` of lseek(2): SEEK_DATA 3, SEEK_HOLE 4. The kernel does the others itself.
    package init?(whence: Int32) {
        switch whence {
        case 3: self = .data
        case 4: self = .hole
        default: return nil
        }
    }
}

extension AttributeReplacement {
    /// The flags of setxattr(2): XATTR_CREATE 1, XATTR_REPLACE 2; nil for others.
    package init?(replacementFlags flags: Int32) {
        switch flags {
        case 0: self = .either
        case 1: self = .createOnly
        case 2: self = .replaceOnly
        default: return nil
        }
    }
}

extension AttributeChanges {
    /// The fields of `attributes` that the FUSE_SET_ATTR_* bits in `mask` name.
    init(_ attributes: stat, mask: Int32) {
        self.init()
        if mask & FUSE_SET_ATTR_SIZE != 0 { size = Int64(attributes.st_size) }
        if mask & FUSE_SET_ATTR_MODE != 0 { mode = UInt16(attributes.st_mode & 0o7777) }
        if mask & FUSE_SET_ATTR_UID != 0 { userID = attributes.st_uid }
        if mask & FUSE_SET_ATTR_GID != 0 { groupID = attributes.st_gid }
        if mask & FUSE_SET_ATTR_ATIME_NOW != 0 {
            accessed = .now
        } else if mask & FUSE_SET_ATTR_ATIME != 0 {
            accessed = .time(FileTime(attributes.st_atim))
        }
        if mask & FUSE_SET_ATTR_MTIME_NOW != 0 {
            modified = .now
        } else if mask & FUSE_SET_ATTR_MTIME != 0 {
            modified = .time(FileTime(attributes.st_mtim))
        }
    }
}

extension ByteRange {
    /// nil where the kernel's numbers make no range of at least one byte.
    init?(kernelOffset offset: Int64, length: Int64) {
        let (end, overflow) = offset.addingReportingOverflow(length)
        guard offset >= 0, length > 0, !overflow else { return nil }
        self.init(offset, end)
    }
}
