import Glibc

/// Makes a file of a size without writing its bytes.
package func sparse(_ path: String, size: Int) throws {
    guard truncate(path, off_t(size)) == 0 else { throw SparseFileError(code: errno) }
}

/// Sets a file's modification time back.
package func makeOlder(_ path: String, seconds: Int) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw SparseFileError(code: errno) }
    status.st_mtim.tv_sec -= seconds
    let times = [status.st_atim, status.st_mtim]
    guard utimensat(AT_FDCWD, path, times, 0) == 0 else { throw SparseFileError(code: errno) }
}

package struct SparseFileError: Error {
    var code: Int32
}

/// When an open file was last changed, since 1970.
package func modificationTime(of descriptor: Int32) -> (seconds: Int64, nanoseconds: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return (0, 0) }
    return (Int64(status.st_mtim.tv_sec), Int32(status.st_mtim.tv_nsec))
}
