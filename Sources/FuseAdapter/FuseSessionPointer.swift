import CFuse3
import Glibc

/// libfuse's session.
///
/// Sendable: libfuse allows replies, notifications and `fuse_session_exit` from any thread. Whoever
/// holds a copy makes sure that it isn't used after `destroy`.
struct FuseSessionPointer: @unchecked Sendable {
    let raw: OpaquePointer

    /// A session that calls `dispatcher`; nil where libfuse refuses the options.
    init?(options: FuseMountOptions, dispatcher: Unmanaged<FuseDispatcher>) {
        var list: [UnsafeMutablePointer<CChar>?] = options.arguments.map { strdup($0) }
        defer { for pointer in list { free(pointer) } }
        var operations = fuse_lowlevel_ops(options)
        let session = list.withUnsafeMutableBufferPointer { list in
            var arguments = fuse_args(
                argc: Int32(list.count), argv: list.baseAddress, allocated: 0)
            defer { fuse_opt_free_args(&arguments) }
            return fuse_session_new(
                &arguments, &operations, MemoryLayout<fuse_lowlevel_ops>.size,
                dispatcher.toOpaque())
        }
        guard let session else { return nil }
        raw = session
    }

    /// Whether the kernel has ended the connection: unmounted or aborted.
    var isConnectionLost: Bool {
        var descriptor = pollfd(fd: fuse_session_fd(raw), events: 0, revents: 0)
        return poll(&descriptor, 1, 0) == 1 && descriptor.revents & Int16(POLLERR) != 0
    }

    /// Ends the connection although threads may still write to it: they reach /dev/null from now on,
    /// and the descriptor's number can't become another file's under them.
    func closeConnection() {
        let nowhere = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard nowhere >= 0 else { return }
        _ = dup2(nowhere, fuse_session_fd(raw))
        _ = fcntl(fuse_session_fd(raw), F_SETFD, FD_CLOEXEC)
        close(nowhere)
    }

    /// Frees the session and closes its descriptor, which ends the connection where it still is.
    ///
    /// Not through `fuse_session_unmount`: that would unmount whatever is at the path by then. The
    /// price is that libfuse does not free its copy of the path.
    func destroy() { fuse_session_destroy(raw) }
}
