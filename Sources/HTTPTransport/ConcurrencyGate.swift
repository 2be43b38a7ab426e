package import CloudStorage
import Synchronization

/// Lets as many requests through as its limit says; the others wait in the order they came.
package final class ConcurrencyGate: Sendable {
    private struct State {
        var limit: ConcurrencyLimit
        var active = 0
        /// Continuations by ticket; tickets are given out in ascending order.
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var nextTicket: UInt64 = 0
        /// No ticket below it is waiting.
        var head: UInt64 = 0

        mutating func nextInLine() -> CheckedContinuation<Bool, Never>? {
            guard active < limit.current, !waiting.isEmpty else { return nil }
            while head < nextTicket {
                defer { head += 1 }
                if let continuation = waiting.removeValue(forKey: head) {
                    active += 1
                    return continuation
                }
            }
            return nil
        }
    }

    private let state: Mutex<State>
    private let maximumWaiting: Int

    /// - Parameter maximumWaiting: calls beyond that are refused.
    package init(_ limit: ConcurrencyLimit, maximumWaiting: Int = 10_000) {
        self.state = Mutex(State(limit: limit))
        self.maximumWaiting = maximumWaiting
    }

    /// How many may be under way at present.
    package var limit: Int { state.withLock { $0.limit.current } }

    /// Waits for a place. Each successful call must be followed by one `leave`.
    /// - Throws: `cancelled`, or `temporarilyUnavailable` where too many wait already.
    package func enter() async throws(CloudStorageError) {
        let ticket: UInt64? = state.withLock { state in
            if state.active < state.limit.current, state.waiting.isEmpty {
                state.active += 1
                return nil
            }
            state.nextTicket += 1
            return state.nextTicket - 1
        }
        guard let ticket else { return }
        let admitted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let refused = state.withLock { state -> Bool in
                    guard !Task.isCancelled, state.waiting.count < maximumWaiting else {
                        return true
                    }
                    state.waiting[ticket] = continuation
                    state.head = min(state.head, ticket)
                    return false
                }
                if refused { continuation.resume(returning: false) } else { admitWaiting() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: false)
        }
        guard admitted else {
            throw Task.isCancelled
                ? CloudStorageError(.cancelled, "cancelled while waiting for a free connection")
                : CloudStorageError(.temporarilyUnavailable, "too many requests are waiting")
        }
    }

    /// Gives the place back and learns from how the request ended.
    package func leave(_ sample: ConcurrencyLimit.Sample) {
        state.withLock { state in
            state.active -= 1
            state.limit.record(sample)
        }
        admitWaiting()
    }

    /// Lets as many in as there is room for; also after a ticket's late registration.
    private func admitWaiting() {
        while let continuation = state.withLock({ $0.nextInLine() }) {
            continuation.resume(returning: true)
        }
    }
}
