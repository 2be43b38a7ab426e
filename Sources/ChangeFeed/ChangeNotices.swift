import CloudStorage
import Synchronization

/// What the server tells by itself, for the loop that asks it.
final class ChangeNotices: ChangeListener {
    private struct State {
        var isConnected = false
        var isSignalled = false
        var waiter: CheckedContinuation<Bool, Never>?
    }

    private let state = Mutex(State())

    var isConnected: Bool { state.withLock { $0.isConnected } }

    func connected() { signal { $0.isConnected = true } }

    func changed() { signal { _ in } }

    /// Returns whether it was connected; then what was missed meanwhile is asked for soon.
    func disconnected() -> Bool {
        let was = isConnected
        if was { signal { $0.isConnected = false } }
        return was
    }

    private func signal(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            defer { state.waiter = nil }
            state.isSignalled = state.waiter == nil
            return state.waiter
        }
        waiter?.resume(returning: true)
    }

    /// Waits for the next notice, or one that came since the last. For one task at a time.
    /// - Returns: false where there was none before the task was cancelled.
    func wait() async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if state.isSignalled {
                        state.isSignalled = false
                        return true
                    }
                    if Task.isCancelled { return false }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: false)
        }
    }
}
