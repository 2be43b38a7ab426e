import Synchronization

/// Lets one piece of work at a time touch each node.
///
/// Whoever enters names all keys at once and waits until none of them is held by anybody before
/// it, so that there is no order of locks to get wrong and nobody waits for ever.
final class KeyedGate: Sendable {
    private struct Waiter {
        let ticket: UInt64
        let keys: Set<UInt64>
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var held: Set<UInt64> = []
        var waiters: [Waiter] = []
        var nextTicket: UInt64 = 0

        /// Takes the waiters out that may go now: no key held, none wanted by an earlier waiter.
        mutating func admit() -> [CheckedContinuation<Void, Never>] {
            var admitted: [CheckedContinuation<Void, Never>] = []
            var wanted = held
            var kept: [Waiter] = []
            for waiter in waiters {
                if wanted.isDisjoint(with: waiter.keys) {
                    held.formUnion(waiter.keys)
                    admitted.append(waiter.continuation)
                } else {
                    kept.append(waiter)
                }
                wanted.formUnion(waiter.keys)
            }
            waiters = kept
            return admitted
        }
    }

    private let state = Mutex(State())

    /// Runs `body` while nobody else is in with any of `keys`. Not re-entrant.
    func enter<Value: Sendable>(
        _ keys: Set<UInt64>, _ body: () async -> Value
    ) async -> Value {
        await withCheckedContinuation { continuation in
            let admitted = state.withLock { state in
                state.waiters.append(
                    Waiter(ticket: state.nextTicket, keys: keys, continuation: continuation))
                state.nextTicket += 1
                return state.admit()
            }
            for waiter in admitted { waiter.resume() }
        }
        let value = await body()
        let admitted = state.withLock { state in
            state.held.subtract(keys)
            return state.admit()
        }
        for waiter in admitted { waiter.resume() }
        return value
    }
}
