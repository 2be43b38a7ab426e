import Synchronization

/// Lets one round run at a time; the others wait in order, each until its task is cancelled.
final class RoundGate: Sendable {
    private struct State {
        var isBusy = false
        var lastTicket = 0
        var waiting: [(ticket: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let state = Mutex(State())

    /// Waits for the turn. Returns false, without the turn, where the task is cancelled.
    func enter() async -> Bool {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.isBusy {
                        state.waiting.append((ticket, continuation))
                        return nil
                    }
                    state.isBusy = true
                    return true
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiting.firstIndex { $0.ticket == ticket }.map {
                    state.waiting.remove(at: $0)
                }
            }
            waiter?.continuation.resume(returning: false)
        }
    }

    /// Gives the turn to whoever has waited longest.
    func leave() {
        let next = state.withLock { state in
            if state.waiting.isEmpty {
                state.isBusy = false
                return nil as CheckedContinuation<Bool, Never>?
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
