import Synchronization

/// A state whose changes wake who waits for one. Safe from any thread.
package final class Watched<State: Sendable>: Sendable {
    private struct Waiter {
        var isMet: @Sendable (State) -> Bool
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct Content {
        var state: State
        var waiters: [Int: Waiter] = [:]
        var nextKey = 0
    }

    private let content: Mutex<Content>

    package init(_ state: sending State) {
        content = Mutex(Content(state: state))
    }

    /// Reads or changes the state; who waits for what it has become goes on.
    package func withLock<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let (result, met) = content.withLock { content in
            let result = body(&content.state)
            let met = content.waiters.filter { $0.value.isMet(content.state) }
            for key in met.keys { content.waiters[key] = nil }
            return (result, met.values.map(\.continuation))
        }
        for continuation in met { continuation.resume(returning: true) }
        return result
    }

    /// Waits until the state is so; returns false when the task was cancelled before.
    package func wait(until isMet: @escaping @Sendable (State) -> Bool) async -> Bool {
        let key = content.withLock { content in
            content.nextKey += 1
            return content.nextKey
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = content.withLock { content -> Bool? in
                    if Task.isCancelled { return false }
                    if isMet(content.state) { return true }
                    content.waiters[key] = Waiter(isMet: isMet, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            content.withLock { $0.waiters.removeValue(forKey: key) }?
                .continuation.resume(returning: false)
        }
    }
}
