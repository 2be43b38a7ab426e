import Glibc

/// Makes a file of a size without writing its bytes.
func sparse(_ path: String, size: Int) throws {
    guard truncate(path, off_t(size)) == 0 else { throw SparseFileError(code: errno) }
}

struct SparseFileError: Error {
    var code: Int32
}
