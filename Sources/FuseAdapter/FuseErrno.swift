package import FileSystemTypes
import Glibc

extension FileSystemError.Code {
    /// The errno programs on the mount see (DESIGN section 7). The only place that maps to errno.
    package var errno: Int32 {
        switch self {
        case .notFound: ENOENT
        case .stale: ESTALE
        case .accessDenied: EACCES
        case .exists: EEXIST
        case .notEmpty: ENOTEMPTY
        case .locked: EBUSY
        case .invalidName: EINVAL
        case .nameTooLong: ENAMETOOLONG
        case .policy: EPERM
        case .tooLarge: EFBIG
        case .quotaExceeded: EDQUOT
        case .noSpace: ENOSPC
        case .inputOutput: EIO
        case .timedOut: ETIMEDOUT
        case .networkUnreachable: ENETUNREACH
        case .crossRoot: EXDEV
        case .notSupported: ENOTSUP
        case .notPermitted: EPERM
        case .isFolder: EISDIR
        case .notFolder: ENOTDIR
        case .invalidArgument: EINVAL
        case .noAttribute: ENODATA
        case .rangeError: ERANGE
        case .badHandle: EBADF
        case .noData: ENXIO
        case .readOnly: EROFS
        case .interrupted: EINTR
        case .tooManyOpen: ENFILE
        }
    }
}
