import FileSystemTypes
import Synchronization

/// One fetching ahead: lists all that is below some paths, then fetches what is not here, and keeps it from
/// being evicted until it is over. Safe from any thread.
final class WarmRun: Sendable {
    let hold: UInt64
    /// Names from the mount's top down; none below another.
    let paths: [[String]]
    let state: Mutex<WarmState>
    /// After so many seconds in which nobody asked how far it is, it ends: who began it is gone.
    private let leaseSeconds: Double
    private let task = Mutex<(task: Task<Void, Never>?, isCancelled: Bool)>((nil, false))

    init(paths: [[String]], hold: UInt64, fileLimit: Int, leaseSeconds: Double) {
        self.paths = paths
        self.hold = hold
        self.leaseSeconds = leaseSeconds
        let now = SystemClocks.monotonicSeconds()
        state = Mutex(WarmState(fileLimit: fileLimit, at: now))
    }

    var isCancelled: Bool { task.withLock { $0.isCancelled } }

    /// Does the work until it is done, or the run or the task that calls this is cancelled.
    func carryOut(_ work: @escaping @Sendable () async -> Void) async {
        let inner = Task { await work() }
        let isCancelled = task.withLock { task in
            task.task = inner
            return task.isCancelled
        }
        if isCancelled { inner.cancel() }
        let watch = Task { await self.cancelWhenAbandoned() }
        await withTaskCancellationHandler {
            await inner.value
        } onCancel: {
            self.cancel()
        }
        watch.cancel()
        task.withLock { $0.task = nil }
        let wasCancelled = self.isCancelled
        let waiters = state.withLock { state in
            state.end(isCancelled: wasCancelled)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.set(()) }
    }

    func cancel() {
        let inner = task.withLock { task in
            task.isCancelled = true
            return task.task
        }
        inner?.cancel()
    }

    private func cancelWhenAbandoned() async {
        while !Task.isCancelled {
            let heardAt = state.withLock { $0.heardAt }
            let left = heardAt + leaseSeconds - SystemClocks.monotonicSeconds()
            guard left > 0 else { return cancel() }
            // Ended with the run.
            do { try await Task.sleep(for: .seconds(left)) } catch { return }
        }
    }

    /// How far it is, once it is over or so many seconds have passed.
    func progress(within seconds: Double) async -> WarmProgress {
        let latch = Latch<Void>()
        let isOver = state.withLock { state in
            state.heardAt = SystemClocks.monotonicSeconds()
            guard !state.progress.isOver else { return true }
            state.waiters.append(latch)
            return false
        }
        if !isOver {
            let timer = Task {
                // Cancelled when the run is over.
                do { try await Task.sleep(for: .seconds(seconds)) } catch { return }
                latch.set(())
            }
            await latch.value()
            timer.cancel()
        }
        return state.withLock { state in
            state.waiters.removeAll { $0 === latch }
            return state.progress
        }
    }
}
