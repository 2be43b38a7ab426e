import CFuse3
import Glibc
import Logging
import Synchronization
import VirtualFileSystem

/// Files that the kernel reads, writes and maps by itself (Documentation/filesystems/fuse-passthrough).
///
/// Any thread may call; the calls don't wait for anything.
final class FuseBackingFiles: BackingFiles {
    private struct State {
        /// Nil once the session has ended.
        var session: FuseSessionPointer?
        /// It takes no more of them.
        var isRefused = false
    }

    private let state: Mutex<State>
    private let logger: Logger

    /// Nil where this process can't have the kernel do so: it needs CAP_SYS_ADMIN.
    init?(_ session: FuseSessionPointer, options: FuseMountOptions, logger: Logger) {
        guard options.passesThrough, geteuid() == 0 else { return nil }
        state = Mutex(State(session: session))
        self.logger = logger
    }

    func open(_ descriptor: Int32) -> Int32? {
        let answer = state.withLock { state -> Int32? in
            guard let session = state.session, !state.isRefused else { return nil }
            let answer = cfuse3_open_backing(session.raw, descriptor)
            // Not permitted, or unknown to the kernel: it will not be otherwise for the next file.
            if [-EPERM, -EOPNOTSUPP, -ENOTTY, -EINVAL, -ELOOP].contains(answer) {
                state.isRefused = true
            }
            return answer
        }
        guard let answer else { return nil }
        if answer < 0 {
            logger.info(
                "the kernel does not read a file by itself",
                metadata: ["error": "\(String(cString: strerror(-answer)))"])
        }
        return answer > 0 ? answer : nil
    }

    func close(_ number: Int32) {
        state.withLock { state in
            guard let session = state.session else { return }
            _ = cfuse3_close_backing(session.raw, number)
        }
    }

    /// From now on the session is not used.
    func end() { state.withLock { $0.session = nil } }
}
