import Synchronization

/// Files whose content could not be stored, and when to try again.
///
/// Waiting times double from 5 seconds to 5 minutes.
final class SaveQueue: Sendable {
    struct Retry: Sendable {
        var attempts: Int
        var dueAt: Double
    }

    private let retries = Mutex<[UInt64: Retry]>([:])

    func failed(_ id: UInt64, now: Double) {
        retries.withLock { retries in
            let attempts = (retries[id]?.attempts ?? 0) + 1
            let wait = min(300, 5 * Double(1 << min(attempts - 1, 6)))
            retries[id] = Retry(attempts: attempts, dueAt: now + wait)
        }
    }

    func succeeded(_ id: UInt64) {
        _ = retries.withLock { $0.removeValue(forKey: id) }
    }

    /// The files whose time has come, longest waiting first.
    func due(now: Double) -> [UInt64] {
        retries.withLock { retries in
            retries.filter { $0.value.dueAt <= now }
                .sorted { $0.value.dueAt < $1.value.dueAt }
                .map(\.key)
        }
    }

    func all() -> [UInt64] { retries.withLock { Array($0.keys) } }
}
