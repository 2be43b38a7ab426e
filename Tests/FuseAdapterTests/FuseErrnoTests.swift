import FileSystemTypes
import FuseAdapter
import Glibc
import Testing

@Suite struct FuseErrnoTests {
    /// DESIGN section 7, written a second time on purpose.
    static let expected: [FileSystemError.Code: Int32] = [
        .notFound: ENOENT, .stale: ESTALE, .accessDenied: EACCES, .exists: EEXIST,
        .notEmpty: ENOTEMPTY, .locked: EBUSY, .invalidName: EINVAL, .nameTooLong: ENAMETOOLONG,
        .policy: EPERM, .tooLarge: EFBIG, .quotaExceeded: EDQUOT, .noSpace: ENOSPC,
        .inputOutput: EIO, .timedOut: ETIMEDOUT, .networkUnreachable: ENETUNREACH,
        .crossRoot: EXDEV, .notSupported: ENOTSUP, .notPermitted: EPERM, .isFolder: EISDIR,
        .notFolder: ENOTDIR, .invalidArgument: EINVAL, .noAttribute: ENODATA, .rangeError: ERANGE,
        .badHandle: EBADF, .noData: ENXIO, .readOnly: EROFS, .interrupted: EINTR,
        .tooManyOpen: ENFILE,
    ]

    @Test(arguments: FileSystemError.Code.allCases)
    func everyCodeHasItsErrno(code: FileSystemError.Code) {
        #expect(code.errno == Self.expected[code])
    }

    /// libfuse turns numbers outside this range into ERANGE (`fuse_send_reply_iov_nofree`), and ENOSYS
    /// makes the kernel never ask again.
    @Test(arguments: FileSystemError.Code.allCases)
    func everyErrnoIsOneTheKernelTakesForThisCallOnly(code: FileSystemError.Code) {
        #expect((1..<1000).contains(code.errno))
        #expect(code.errno != ENOSYS)
    }
}
