/// Why a mount could not be made, ended or aborted. The message says what to do about it.
package struct FuseMountError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The closed set of reasons.
    package enum Reason: Sendable, Equatable {
        /// There is no /dev/fuse.
        case deviceMissing
        /// /dev/fuse may not be opened by this user.
        case deviceForbidden
        /// fusermount3 is not installed, and this user can't mount without it.
        case helperMissing
        /// `allow_other` by a user other than root needs /etc/fuse.conf.
        case allowOtherForbidden
        case mountPointMissing
        case mountPointNotFolder
        case mountPointNotEmpty
        case mountPointForbidden
        /// A working FUSE mount is there already.
        case alreadyMounted
        /// A mount is there whose driver does not answer.
        case unresponsive
        /// A mount option libfuse does not know.
        case invalidOption
        /// Mounting or unmounting is not permitted, or the system refused it otherwise.
        case refused
        /// Programs have files of the mount open, or their working folder in it.
        case busy
        /// The kernel and libfuse could not agree on the protocol.
        case handshakeFailed
    }

    /// For programs.
    package let reason: Reason
    /// One or two sentences for the user.
    package let message: String

    /// An error with a message that names the remedy.
    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The message.
    package var description: String { message }
}
