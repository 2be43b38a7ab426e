import Glibc

/// Linux file calls that the C library declares for `_GNU_SOURCE` only, which the Glibc module
/// doesn't define: looked up by name once. They set `errno` as in C.
package enum LinuxFileCalls {
    private typealias CopyFileRange =
        @convention(c) (
            Int32, UnsafeMutablePointer<Int>?, Int32, UnsafeMutablePointer<Int>?, Int, UInt32
        ) -> Int
    private typealias Read =
        @convention(c) (Int32, UnsafePointer<iovec>?, Int32, Int, Int32) -> Int
    private typealias Allocate = @convention(c) (Int32, Int32, Int, Int) -> Int32
    private typealias Duplicate = @convention(c) (Int32, Int32, Int32) -> Int32

    /// `FALLOC_FL_KEEP_SIZE`
    package static let keepSize: Int32 = 1
    /// `FALLOC_FL_PUNCH_HOLE`
    package static let punchHole: Int32 = 2
    /// `SEEK_DATA`
    package static let seekData: Int32 = 3
    /// `SEEK_HOLE`
    package static let seekHole: Int32 = 4

    private static let copyFileRangeSymbol: CopyFileRange? = dlsym(nil, "copy_file_range").map {
        unsafeBitCast($0, to: CopyFileRange.self)
    }

    private static let readSymbol: Read? = dlsym(nil, "preadv2").map {
        unsafeBitCast($0, to: Read.self)
    }

    private static let allocateSymbol: Allocate? = dlsym(nil, "fallocate").map {
        unsafeBitCast($0, to: Allocate.self)
    }

    private static let duplicateSymbol: Duplicate? = dlsym(nil, "dup3").map {
        unsafeBitCast($0, to: Duplicate.self)
    }

    /// copy_file_range(2): how many bytes were copied, -1 with `errno` where it failed. Advances
    /// both offsets.
    package static func copyFileRange(
        from source: Int32, _ sourceOffset: inout Int, to target: Int32,
        _ targetOffset: inout Int, count: Int
    ) -> Int {
        guard let call = copyFileRangeSymbol else {
            errno = ENOSYS
            return -1
        }
        return call(source, &sourceOffset, target, &targetOffset, count, 0)
    }

    /// preadv2(2) with RWF_NOWAIT: how many bytes were in memory and are copied, -1 where none were, or
    /// where the file system can't tell.
    package static func readFromMemory(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) -> Int {
        guard let call = readSymbol else { return -1 }
        var vector = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
        // RWF_NOWAIT (linux/fs.h).
        return call(descriptor, &vector, 1, Int(offset), 8)
    }

    /// fallocate(2): 0, or -1 with `errno`.
    package static func allocate(
        _ descriptor: Int32, mode: Int32, offset: Int, count: Int
    ) -> Int32 {
        guard let call = allocateSymbol else {
            errno = EOPNOTSUPP
            return -1
        }
        return call(descriptor, mode, offset, count)
    }

    /// dup3(2) with O_CLOEXEC: `target` becomes what `source` is; its number, or -1 with `errno`.
    package static func duplicate(_ source: Int32, onto target: Int32) -> Int32 {
        guard let call = duplicateSymbol else {
            errno = ENOSYS
            return -1
        }
        return call(source, target, O_CLOEXEC)
    }

    /// Who else has the file of a descriptor open, by which its lease would be refused.
    package enum OtherOpens: Sendable {
        /// A descriptor for writing, or a mapping made by one.
        case writing
        /// Any descriptor or mapping.
        case any
    }

    /// Opens that meet a lease of ours send SIGIO (fcntl(2)), which would end the process.
    private static let ignoreBrokenLeases: Void = { signal(SIGIO, SIG_IGN) }()

    /// Whether nobody else has a file open in such a way, mappings included (fcntl(2), F_SETLEASE):
    /// a lease is taken and given back at once. False too where the file system knows no leases.
    ///
    /// The descriptor must be open for reading only where it is asked for writers; whoever opens the file in that instant waits for
    /// it, or fails with EWOULDBLOCK if it may not wait. This process ignores SIGIO from then on.
    package static func isFree(_ descriptor: Int32, of others: OtherOpens) -> Bool {
        ignoreBrokenLeases
        let setLease: Int32 = 1024
        let kind = others == .any ? F_WRLCK : F_RDLCK
        guard fcntl(descriptor, setLease, Int32(kind)) == 0 else { return false }
        _ = fcntl(descriptor, setLease, Int32(F_UNLCK))
        return true
    }

    /// Whether somebody else has a file open for sure, mappings included; the same holds.
    package static func isOpenElsewhere(_ descriptor: Int32) -> Bool {
        !isFree(descriptor, of: .any) && errno == EAGAIN
    }
}
