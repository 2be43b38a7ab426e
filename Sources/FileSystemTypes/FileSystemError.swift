/// Why a file-system call failed, in the terms of programs on the mount.
///
/// `FuseAdapter` turns each code into one errno (DESIGN section 7); nothing below it names errno.
package struct FileSystemError: Error, Sendable, CustomStringConvertible {
    /// The closed set of reasons.
    package enum Code: Sendable, Hashable, CaseIterable {
        /// No such name.
        case notFound
        /// The item behind an open handle is gone.
        case stale
        /// Permissions or the account forbid it.
        case accessDenied
        /// The name is taken.
        case exists
        /// The folder still has entries.
        case notEmpty
        /// Locked by somebody else.
        case locked
        /// The name can't be stored.
        case invalidName
        case nameTooLong
        /// The organisation's policy refuses it.
        case policy
        /// Larger than the server or the file system takes.
        case tooLarge
        /// The account's quota is used up.
        case quotaExceeded
        /// The local disk is full.
        case noSpace
        /// The server could not be reached or kept failing; also local disk errors.
        case inputOutput
        /// The server did not answer within the deadline.
        case timedOut
        /// Not cached, and the server can't be reached.
        case networkUnreachable
        /// Between two roots.
        case crossRoot
        /// The cloud has no such thing.
        case notSupported
        /// Not permitted whoever asks.
        case notPermitted
        case isFolder
        case notFolder
        case invalidArgument
        /// An extended attribute that isn't there.
        case noAttribute
        /// An extended attribute or a buffer that is too large or too small.
        case rangeError
        case badHandle
        /// No data or hole after the offset (`lseek`).
        case noData
        /// The mount is read-only.
        case readOnly
        /// The program gave up waiting.
        case interrupted
        /// A table of the driver is full.
        case tooManyOpen
    }

    package let code: Code
    /// One sentence for logs and `ordner status`.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code): \(message)" }
}
