package import CloudStorage
import Synchronization

/// Takes, renews and gives back the server's locks of one account.
///
/// May be called from any task. Every call to the server has the cloud's own deadline.
package final class LockManager: Sendable {
    private struct State: Sendable {
        var table: LeaseTable
        var waiting: [LeaseTable.Ticket: CheckedContinuation<CloudStorageError?, Never>] = [:]
        var lastTicket: LeaseTable.Ticket = 0
        /// What `run` sleeps in.
        var nap: Task<Void, Never>?
    }

    private let cloud: any CloudStorage
    private let leaseSeconds: Int
    private let clock: any Clock<Duration>
    /// Time since this object was made.
    private let elapsed: @Sendable () -> Duration
    private let observer: any LeaseObserver
    private let state: Mutex<State>

    /// - Parameters:
    ///   - leaseSeconds: how long a lock is asked for, at least 2; renewed at its half.
    ///   - observer: hears of every lease, to journal it.
    package init(
        cloud: any CloudStorage, leaseSeconds: Int, clock: any Clock<Duration>,
        observer: any LeaseObserver
    ) {
        precondition(leaseSeconds >= 2, "a lock must last long enough to be renewed")
        self.cloud = cloud
        self.leaseSeconds = leaseSeconds
        self.clock = clock
        self.observer = observer
        elapsed = Self.stopwatch(clock)
        state = Mutex(State(table: LeaseTable(duration: .seconds(leaseSeconds))))
    }

    /// Returns when the server holds the item's lock for us; each success is balanced by `release`.
    ///
    /// Callers of one item share one call. Throws `locked` where somebody else holds the lock,
    /// `cancelled` when the caller's task is cancelled (the others go on waiting), and whatever
    /// else the server answers.
    package func acquire(_ item: ItemReference) async throws(CloudStorageError) {
        if let error = await wait({ .acquire(item, $0) }) { throw error }
    }

    /// Gives one hold back. After the last, returns when the server has unlocked the item, or after
    /// a few attempts: then the lock is left to expire. Returns early when its task is cancelled.
    package func release(_ item: ItemReference) async {
        _ = await wait { .release(item, $0) }
    }

    /// The locked item was replaced by, or moved to, another server item, whose lock is now taken
    /// instead (asynchronously; the observer hears if that fails); nil: it is gone.
    ///
    /// Holders may release it under either reference.
    package func rekey(from: ItemReference, to: ItemReference?) {
        handle(.rekey(from: from, to: to))
    }

    /// Gives back the locks that an earlier process left, except those held again by now.
    ///
    /// Returns when all are given back or left to expire.
    package func adopt(_ items: [ItemReference]) async {
        await forEach(items) { .adopt($0, $1) }
    }

    /// The items whose lock the server holds for us, in no particular order.
    package var held: [ItemReference] { state.withLock { $0.table.held } }

    /// Renews the locks at half their duration until the task is cancelled. Gives none back.
    package func run() async {
        while !Task.isCancelled {
            handle(.tick)
            let now = elapsed()
            let clock = clock
            let nap = state.withLock { state in
                let longest = state.table.retryDelay
                // No renewal that is decided on while this sleeps can be due before `longest`,
                // unless the server grants less time: then the sleep ends.
                let pause = min(
                    state.table.nextRenewal.map { max($0 - now, .milliseconds(10)) } ?? longest,
                    longest)
                // Cancelled with this task, or to look again.
                let nap = Task { do { try await clock.sleep(for: pause) } catch { return } }
                state.nap = nap
                return nap
            }
            await withTaskCancellationHandler {
                await nap.value
            } onCancel: {
                nap.cancel()
            }
        }
    }

    /// Gives every lock back, whoever holds it; who waits for one gets `cancelled`.
    ///
    /// - Parameter kept: items whose locks, where the server holds them, are left to expire.
    package func releaseAll(except kept: [ItemReference] = []) async {
        let kept = Set(kept.map { LeaseKey($0) })
        let items = state.withLock { state in
            let left = Set(state.table.held.map { LeaseKey($0) }).intersection(kept)
            return state.table.items.filter { !left.contains(LeaseKey($0)) }
        }
        await forEach(items) { .releaseAll($0, $1) }
    }

    private static func stopwatch<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }

    private func forEach(
        _ items: [ItemReference],
        _ event: @escaping @Sendable (ItemReference, LeaseTable.Ticket) -> LeaseTable.Event
    ) async {
        await withTaskGroup { group in
            for item in items {
                group.addTask { [self] in _ = await wait { event(item, $0) } }
            }
        }
    }

    /// Waits until the table answers the event's ticket, or the task is cancelled.
    private func wait(
        _ event: @Sendable (LeaseTable.Ticket) -> LeaseTable.Event
    ) async -> CloudStorageError? {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { $0.waiting[ticket] = continuation }
                handle(event(ticket))
                // Cancelled before the table knew the ticket, so the handler found nothing.
                if Task.isCancelled { handle(.cancel(ticket)) }
            }
        } onCancel: {
            handle(.cancel(ticket))
        }
    }

    private func handle(_ event: LeaseTable.Event) {
        let now = elapsed()
        var resumed: [(CheckedContinuation<CloudStorageError?, Never>, CloudStorageError?)] = []
        var work: [LeaseTable.Action] = []
        state.withLock { state in
            for action in state.table.handle(event, at: now) {
                switch action {
                case .resume(let ticket, let error):
                    guard let waiter = state.waiting.removeValue(forKey: ticket) else { continue }
                    resumed.append((waiter, error))
                case .tell(let change): observer.leaseChanged(change)
                case .call, .pause: work.append(action)
                }
            }
        }
        for (waiter, error) in resumed { waiter.resume(returning: error) }
        // Tasks of their own: a call that several callers share outlives each of them.
        for action in work { Task { await perform(action) } }
    }

    private func shorten(to granted: Duration) {
        state.withLock { state in
            state.table.shorten(to: granted)
            state.nap?.cancel()
        }
    }

    private func perform(_ action: LeaseTable.Action) async {
        switch action {
        case .call(let call):
            do throws(CloudStorageError) {
                switch call.operation {
                case .lock, .renew:
                    try await cloud.lock(call.item, seconds: leaseSeconds)
                    if let granted = cloud.capabilities.lockSeconds, granted < leaseSeconds {
                        shorten(to: .seconds(max(2, granted)))
                    }
                case .unlock: try await cloud.unlock(call.item)
                }
                handle(.answered(call, nil))
            } catch {
                handle(.answered(call, error))
            }
        case .pause(let call, let time):
            do {
                try await clock.sleep(for: time)
                handle(.pauseOver(call))
            } catch {
                // Nobody cancels this task; a clock that fails ends the pause at once.
                handle(.pauseOver(call))
            }
        case .resume, .tell: break
        }
    }
}
