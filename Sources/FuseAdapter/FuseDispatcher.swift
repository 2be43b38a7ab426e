import CFuse3
import FileSystemTypes
import Logging
import Synchronization
import VirtualFileSystem

/// What libfuse's callbacks find behind a request: the file system, and who waits for it.
final class FuseDispatcher: Sendable {
    let fileSystem: VirtualFileSystem
    let logger: Logger
    let pending = PendingRequests()
    /// Seconds the kernel may trust the answer to getattr and setattr.
    let attributeValidity: Double
    /// Seconds the kernel may trust that a name isn't there. What appears on the server is pushed to it;
    /// names that only the driver gives, to conflict copies for example, may be seen so much later.
    private static let absenceValidity: Double = 1
    private let connectionLost = Atomic(false)

    init(fileSystem: VirtualFileSystem, logger: Logger, attributeValidity: Double) {
        self.fileSystem = fileSystem
        self.logger = logger
        self.attributeValidity = attributeValidity
    }

    /// Whether the kernel takes no more answers.
    var isConnectionLost: Bool { connectionLost.load(ordering: .relaxed) }

    func noteConnectionLost() { connectionLost.store(true, ordering: .relaxed) }

    /// The dispatcher of the session a request belongs to; the session keeps it alive.
    static func of(_ request: fuse_req_t) -> Unmanaged<FuseDispatcher>? {
        fuse_req_userdata(request).map { Unmanaged.fromOpaque($0) }
    }

    /// Calls `body` with the dispatcher of a request.
    static func with(_ request: fuse_req_t?, _ body: (FuseDispatcher, fuse_req_t) -> Void) {
        guard let request, let dispatcher = of(request) else { return }
        dispatcher._withUnsafeGuaranteedRef { body($0, request) }
    }

    /// Calls the file system and replies, on this thread where it can answer at once and from a
    /// task where it has to wait.
    static func answer<Value: Sendable>(
        _ request: fuse_req_t?, _ operation: FuseOperation,
        call: (FuseDispatcher, Caller) -> Outcome<Value>,
        reply: @escaping @Sendable (FuseDispatcher, consuming FuseReply, Value) -> Void
    ) {
        with(request) { dispatcher, request in
            switch call(dispatcher, Caller(request)) {
            case .ready(let result):
                dispatcher.finish(operation, FuseReply(request), result, reply)
            case .pending(let work):
                dispatcher.pending.run(operation, FuseReply(request), work: work) {
                    pending, result in
                    dispatcher.finish(operation, pending, result, reply)
                }
            }
        }
    }

    /// Replies with a result that is there.
    func finish<Value>(
        _ operation: FuseOperation, _ pending: consuming FuseReply,
        _ result: Result<Value, FileSystemError>,
        _ reply: (FuseDispatcher, consuming FuseReply, Value) -> Void
    ) {
        switch result {
        case .success(let value):
            reply(self, pending, value)
        case .failure(let error) where operation == .lookup && error.code == .notFound:
            pending.absent(validity: Self.absenceValidity)
        case .failure(let error):
            if error.code != .notFound, error.code != .noAttribute {
                logger.debug("\(operation.rawValue) fails: \(error)")
            }
            pending.error(error.code)
        }
    }

    // What follows are replies in the form `answer` takes.

    static func replyDone(_: FuseDispatcher, _ reply: consuming FuseReply, _: Void) {
        reply.done()
    }

    static func replyEntry(
        _ dispatcher: FuseDispatcher, _ reply: consuming FuseReply, _ entry: Entry
    ) {
        if !reply.entry(entry) { dispatcher.fileSystem.forget(node: entry.node, count: 1) }
    }

    static func replyAttributes(
        _ dispatcher: FuseDispatcher, _ reply: consuming FuseReply, _ attributes: FileAttributes
    ) {
        reply.attributes(attributes, validity: dispatcher.attributeValidity)
    }

    static func replyCount(_: FuseDispatcher, _ reply: consuming FuseReply, _ count: Int) {
        reply.written(count)
    }

    /// Closes a handle that the kernel did not take and so will not release.
    func giveBack(handle: UInt64, request operation: FuseOperation) {
        switch fileSystem.release(handle: handle) {
        case .ready(.success): break
        case .ready(.failure(let error)):
            logger.warning("Closing after an interrupted \(operation.rawValue) failed: \(error)")
        case .pending(let work):
            let logger = logger
            Task.detached {
                if case .failure(let error) = await work() {
                    logger.warning(
                        "Closing after an interrupted \(operation.rawValue) failed: \(error)")
                }
            }
        }
    }
}
