import Dispatch
import Logging

/// Looks every 10 seconds for requests that have waited too long.
///
/// After the limit it logs them and ends the work of those that may be ended, which gives it the
/// chance to answer with an error. After twice the limit it aborts the mount where one of those
/// still waits: better an error for all than programs that nothing can end. Changes, `close` and
/// `fsync` may take as long as an upload takes.
final class OverdueWatchdog: Sendable {
    private static let interval = DispatchTimeInterval.seconds(10)

    private let pending: PendingRequests
    private let options: FuseMountOptions
    private let logger: Logger
    private let wake = DispatchSemaphore(value: 0)
    private let stopped = DispatchSemaphore(value: 0)

    init(_ pending: PendingRequests, options: FuseMountOptions, logger: Logger) {
        self.pending = pending
        self.options = options
        self.logger = logger
    }

    /// Starts the thread. `abort` is called at most once.
    func start(abort: @escaping @Sendable () -> Void) -> Bool {
        DedicatedThread.start("ordner-watchdog") { [self] in
            var isAborted = false
            while wake.wait(timeout: .now() + Self.interval) == .timedOut {
                let isStuck = report()
                guard isStuck, !isAborted, options.abortsOverdue else { continue }
                isAborted = true
                logger.error("The mount is aborted, because requests got no answer.")
                abort()
            }
            stopped.signal()
        }
    }

    /// Ends the thread and waits for that. To be called once, and only after `start`.
    func stop(deadline: DispatchTime) -> Bool {
        wake.signal()
        return stopped.wait(timeout: deadline) == .success
    }

    /// Answers whether a request that may be ended has waited for twice the limit.
    private func report() -> Bool {
        var isStuck = false
        for request in pending.overdue(limit: options.overdueAfter) {
            logger.warning(
                "\(request.operation.rawValue) has been waiting for \(request.age.components.seconds) s."
            )
            request.cancel?()
            if request.isTwice, request.operation.isInterruptible { isStuck = true }
        }
        return isStuck
    }
}
