import Synchronization

/// Wakes one waiting task; a signal while nobody waits ends the next wait at once.
final class WakeSignal: Sendable {
    private struct State {
        var isSet = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func signal() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            let waiter = state.waiter
            state.waiter = nil
            state.isSet = waiter == nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns at the next signal, after so many seconds, or when the task is cancelled.
    func wait(forSeconds seconds: Double?) async {
        let timer = seconds.map { seconds in
            Task {
                // Cancelled when a signal came first.
                do { try await Task.sleep(for: .seconds(seconds)) } catch { return }
                self.signal()
            }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSet = state.withLock { state in
                    guard !state.isSet else {
                        state.isSet = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isSet { continuation.resume() }
            }
        } onCancel: {
            signal()
        }
        timer?.cancel()
    }
}
