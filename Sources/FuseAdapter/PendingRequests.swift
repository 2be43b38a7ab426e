import CFuse3
import Dispatch
import FileSystemTypes
import Synchronization
import VirtualFileSystem

/// Runs the work of requests that wait, each in a task of its own.
final class PendingRequests: Sendable {
    /// Far more than programs wait at once; each is a thread of some program.
    static let capacity = 65_536

    private let table = Mutex(PendingRequestTable(capacity: capacity))
    private let unfinished = DispatchGroup()

    var count: Int { table.withLock { $0.count } }

    /// Runs `work` and then `respond`, which has to use up the reply.
    func run<Value: Sendable>(
        _ operation: FuseOperation, _ reply: consuming FuseReply,
        work: @escaping @Sendable () async -> Result<Value, FileSystemError>,
        respond: @escaping @Sendable (consuming FuseReply, Result<Value, FileSystemError>) -> Void
    ) {
        guard let number = table.withLock({ $0.add(operation, at: .now) }) else {
            reply.error(.tooManyOpen)
            return
        }
        unfinished.enter()
        // Before the task, which may answer and with that free the request at any moment.
        if operation.isInterruptible {
            fuse_req_interrupt_func(
                reply.request, interruptRequest, UnsafeMutableRawPointer(bitPattern: UInt(number)))
        }
        let owner = ReplyOwner(reply)
        let task = begin { [self] in
            var result = await work()
            let wasInterrupted = table.withLock { $0.remove(number) }
            // EINTR makes programs try again, for ever where nobody interrupted them.
            if !wasInterrupted, case .failure(let error) = result, error.code == .interrupted {
                result = .failure(FileSystemError(.timedOut, error.message))
            }
            if let reply = owner.take() { respond(reply, result) }
            unfinished.leave()
        }
        if table.withLock({ $0.attach(cancel: { task.cancel() }, to: number) }) { task.cancel() }
    }

    /// Begins on this thread, which has it all done where nothing has to be waited for: a change of
    /// threads costs more than most operations.
    private func begin(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        RequestThread.run { Task.immediateDetached(operation: body) }
    }

    /// The program that waits for the request has given up.
    func interrupt(_ number: UInt64) {
        let cancel = table.withLock { $0.interrupt(number) }
        cancel?()
    }

    /// Ends all work that may be ended.
    func cancelAll() {
        for cancel in table.withLock({ $0.cancellations() }) { cancel() }
    }

    /// The requests that have become overdue since the last call.
    func overdue(limit: Duration) -> [PendingRequestTable.Overdue] {
        table.withLock { $0.overdue(at: .now, limit: limit) }
    }

    /// Waits until no request is left; false where some are after `deadline`. Blocks the thread.
    func waitUntilEmpty(deadline: DispatchTime) -> Bool {
        unfinished.wait(timeout: deadline) == .success
    }
}

/// libfuse calls this when the kernel says that a program gave up. Only the number comes along: by
/// now the request may have been answered on another thread.
private func interruptRequest(request: fuse_req_t?, number: UnsafeMutableRawPointer?) {
    guard let request, let number else { return }
    FuseDispatcher.of(request)?._withUnsafeGuaranteedRef {
        $0.pending.interrupt(UInt64(UInt(bitPattern: number)))
    }
}

/// Carries a reply into a task, which can't take noncopyable values.
private final class ReplyOwner: Sendable {
    private let reply: Mutex<FuseReply?>

    init(_ reply: consuming FuseReply) { self.reply = Mutex(reply) }

    func take() -> FuseReply? { reply.withLock { $0.take() } }
}
