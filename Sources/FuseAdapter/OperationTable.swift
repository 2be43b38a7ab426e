import CFuse3
import Glibc

extension fuse_lowlevel_ops {
    /// The operations of the mount.
    ///
    /// - `access` is missing: the mount has `default_permissions`, so the kernel checks.
    /// - `getlk`, `setlk` and `flock` are missing: libfuse then does not ask for FUSE_POSIX_LOCKS
    ///   and FUSE_FLOCK_LOCKS (fuse_lowlevel.c, `do_init`), and the kernel keeps these locks
    ///   between the processes of this machine itself (fs/fuse/file.c: `no_lock`, `no_flock`).
    /// - `destroy` is missing: the end of the loop says the same.
    init(_ options: FuseMountOptions) {
        self.init()
        `init` = { _, connection in connection?.pointee.negotiate() }
        setNameOperations()
        setAttributeOperations()
        if options.extendedAttributes { setExtendedAttributeOperations() }
        setFileOperations()
    }

    private mutating func setNameOperations() {
        lookup = { NameOperations.lookup(request: $0, parent: $1, name: $2) }
        forget = { NameOperations.forget(request: $0, node: $1, count: $2) }
        forget_multi = { NameOperations.forgetMany(request: $0, count: $1, nodes: $2) }
        mkdir = { NameOperations.mkdir(request: $0, parent: $1, name: $2, mode: $3) }
        mknod = { NameOperations.mknod(request: $0, parent: $1, name: $2, mode: $3, device: $4) }
        symlink = { NameOperations.symlink(request: $0, target: $1, parent: $2, name: $3) }
        link = { NameOperations.link(request: $0, node: $1, parent: $2, name: $3) }
        unlink = { NameOperations.unlink(request: $0, parent: $1, name: $2) }
        rmdir = { NameOperations.rmdir(request: $0, parent: $1, name: $2) }
        rename = {
            NameOperations.rename(
                request: $0, parent: $1, name: $2, newParent: $3, newName: $4, flags: $5)
        }
        opendir = { DirectoryOperations.opendir(request: $0, node: $1, info: $2) }
        readdir = {
            DirectoryOperations.readdir(
                request: $0, node: $1, size: $2, offset: $3, info: $4)
        }
        readdirplus = {
            DirectoryOperations.readdirplus(
                request: $0, node: $1, size: $2, offset: $3, info: $4)
        }
        releasedir = { DirectoryOperations.releasedir(request: $0, node: $1, info: $2) }
        fsyncdir = { DirectoryOperations.fsyncdir(request: $0, node: $1, dataOnly: $2, info: $3) }
    }

    private mutating func setAttributeOperations() {
        getattr = { AttributeOperations.getattr(request: $0, node: $1, info: $2) }
        setattr = {
            AttributeOperations.setattr(
                request: $0, node: $1, attributes: $2, mask: $3, info: $4)
        }
        readlink = { AttributeOperations.readlink(request: $0, node: $1) }
        statfs = { AttributeOperations.statfs(request: $0, node: $1) }
    }

    /// Without these libfuse answers ENOSYS, after which the kernel does not ask again.
    private mutating func setExtendedAttributeOperations() {
        getxattr = { AttributeOperations.getxattr(request: $0, node: $1, name: $2, room: $3) }
        setxattr = {
            AttributeOperations.setxattr(
                request: $0, node: $1, name: $2, value: $3, size: $4, flags: $5)
        }
        listxattr = { AttributeOperations.listxattr(request: $0, node: $1, room: $2) }
        removexattr = { AttributeOperations.removexattr(request: $0, node: $1, name: $2) }
    }

    private mutating func setFileOperations() {
        open = { FileOperations.open(request: $0, node: $1, info: $2) }
        create = { FileOperations.create(request: $0, parent: $1, name: $2, mode: $3, info: $4) }
        read = { FileOperations.read(request: $0, node: $1, size: $2, offset: $3, info: $4) }
        write = {
            FileOperations.write(
                request: $0, node: $1, bytes: $2, size: $3, offset: $4, info: $5)
        }
        flush = { FileOperations.flush(request: $0, node: $1, info: $2) }
        release = { FileOperations.release(request: $0, node: $1, info: $2) }
        fsync = { FileOperations.fsync(request: $0, node: $1, dataOnly: $2, info: $3) }
        fallocate = {
            FileOperations.fallocate(
                request: $0, node: $1, mode: $2, offset: $3, length: $4, info: $5)
        }
        lseek = { FileOperations.lseek(request: $0, node: $1, offset: $2, whence: $3, info: $4) }
        copy_file_range = {
            FileOperations.copyFileRange(
                request: $0, node: $1, offset: $2, info: $3, targetNode: $4, targetOffset: $5,
                targetInfo: $6, count: $7, flags: $8)
        }
    }
}

extension fuse_conn_info {
    /// Reads that the kernel sends ahead of programs, at once; its default of 12 is for local disks.
    private static let backgroundRequests: UInt32 = 64

    /// Chooses what of the kernel's offer to take.
    ///
    /// libfuse's own choice stays: asynchronous reads, O_TRUNC in open, readdirplus where it pays,
    /// parallel direct reads; no writeback cache, which would give the kernel size and times.
    fileprivate mutating func negotiate() {
        max_write = UInt32(FuseMountOptions.requestSize)
        // libfuse wants the same number as in the mount options.
        max_read = UInt32(FuseMountOptions.requestSize)
        max_background = Self.backgroundRequests
        // What changes elsewhere is pushed. Else each write by a program of this machine would cost it the
        // file's pages, for the time that the write changes.
        want &= ~UInt32(FUSE_CAP_AUTO_INVAL_DATA)
    }
}
