import Glibc

/// Linux file calls that the C library declares for `_GNU_SOURCE` only, which the Glibc module
/// doesn't define: looked up by name once. They set `errno` as in C.
package enum LinuxFileCalls {
    private typealias CopyFileRange =
        @convention(c) (
            Int32, UnsafeMutablePointer<Int>?, Int32, UnsafeMutablePointer<Int>?, Int, UInt32
        ) -> Int
    private typealias Allocate = @convention(c) (Int32, Int32, Int, Int) -> Int32

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

    private static let allocateSymbol: Allocate? = dlsym(nil, "fallocate").map {
        unsafeBitCast($0, to: Allocate.self)
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
}
