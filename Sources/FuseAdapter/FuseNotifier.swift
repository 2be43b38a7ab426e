import CFuse3
import Dispatch
import FileSystemTypes
import Glibc
import Logging
import Synchronization
import VirtualFileSystem

/// Sends notifications to the kernel from a thread of its own.
///
/// Never from inside a request: the kernel may hold the lock of the folder or page that the request
/// waits for (libfuse, `fuse_lowlevel_notify_inval_entry`).
final class FuseNotifier: KernelNotifier {
    /// Some 100 bytes each.
    static let capacity = 16_384

    private struct State {
        var queue = NotificationQueue(capacity: capacity)
        var isStopped = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let stopped = DispatchSemaphore(value: 0)
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    func invalidateContent(ofNode node: UInt64) { add(.content(node: node)) }

    func dropPages(_ range: ByteRange, ofNode node: UInt64) { add(.pages(node: node, range)) }

    func invalidateAttributes(ofNode node: UInt64) { add(.attributes(node: node)) }

    func invalidateEntry(parent: UInt64, name: String) { add(.entry(parent: parent, name: name)) }

    /// Starts the thread. `session` has to live until `stop` has answered true.
    func start(_ session: FuseSessionPointer) -> Bool {
        DedicatedThread.start("ordner-notify") { [self] in
            while let (notifications, dropped) = takeNext() {
                if dropped > 0 {
                    logger.notice(
                        "\(dropped) notifications to the kernel were dropped; it may show old states until they run out."
                    )
                }
                for notification in notifications { send(notification, session) }
            }
            stopped.signal()
        }
    }

    /// Ends the thread; false where it still is in a call to the kernel at `deadline`. To be called
    /// once, and only after `start`.
    func stop(deadline: DispatchTime) -> Bool {
        state.withLock { $0.isStopped = true }
        wake.signal()
        return stopped.wait(timeout: deadline) == .success
    }

    private func add(_ notification: KernelNotification) {
        let wasEmpty = state.withLock { state in
            guard !state.isStopped else { return false }
            defer { state.queue.add(notification) }
            return state.queue.isEmpty
        }
        if wasEmpty { wake.signal() }
    }

    /// Waits for notifications; nil after `stop`.
    private func takeNext() -> ([KernelNotification], dropped: Int)? {
        wake.wait()
        return state.withLock { state in
            state.isStopped ? nil : (state.queue.takeAll(), state.queue.takeDropped())
        }
    }

    private func send(_ notification: KernelNotification, _ session: FuseSessionPointer) {
        let result =
            switch notification {
            case .content(let node):
                fuse_lowlevel_notify_inval_inode(session.raw, node, 0, 0)
            case .pages(let node, let range):
                fuse_lowlevel_notify_inval_inode(
                    session.raw, node, off_t(range.lowerBound), off_t(range.count))
            case .attributes(let node):
                // A negative offset leaves the pages.
                fuse_lowlevel_notify_inval_inode(session.raw, node, -1, 0)
            case .entry(let parent, let name):
                fuse_lowlevel_notify_inval_entry(session.raw, parent, name, name.utf8.count)
            }
        // What the kernel does not know it need not forget; without a connection it is all the same.
        if result != 0, ![-ENOENT, -ENOTCONN, -ENODEV].contains(result) {
            logger.debug("The kernel refused \(notification): \(Unmounting.text(-result))")
        }
    }
}
