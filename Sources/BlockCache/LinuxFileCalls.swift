import Glibc

/// Linux calls of the C library that are declared for `_GNU_SOURCE` only, which the Glibc module
/// doesn't define: looked up by name, nil where the library lacks them.
enum LinuxFileCalls {
    typealias CopyFileRange =
        @convention(c) (
            Int32, UnsafeMutablePointer<Int>?, Int32, UnsafeMutablePointer<Int>?, Int, UInt32
        ) -> Int
    typealias Allocate = @convention(c) (Int32, Int32, Int, Int) -> Int32

    /// copy_file_range(2)
    static let copyFileRange: CopyFileRange? = dlsym(nil, "copy_file_range").map {
        unsafeBitCast($0, to: CopyFileRange.self)
    }

    /// fallocate(2)
    static let allocate: Allocate? = dlsym(nil, "fallocate").map {
        unsafeBitCast($0, to: Allocate.self)
    }
}
