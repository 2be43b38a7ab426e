import Synchronization

/// A clock that stands still until a test moves it. Safe from any thread.
package final class ManualClock: Clock {
    /// A count of the clock's own time.
    package struct Instant: InstantProtocol {
        package var offset: Duration

        package func advanced(by duration: Duration) -> Instant {
            Instant(offset: offset + duration)
        }

        package func duration(to other: Instant) -> Duration { other.offset - offset }

        package static func < (left: Instant, right: Instant) -> Bool {
            left.offset < right.offset
        }
    }

    private struct Sleeper {
        var deadline: Instant
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: Sleeper] = [:]
        var nextKey = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var now: Instant { state.withLock { $0.now } }
    package var minimumResolution: Duration { .nanoseconds(1) }

    /// How many tasks sleep; a test waits for it before it moves the clock.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// How long the earliest sleeper still has to wait; nil where nobody sleeps.
    package var nextWait: Duration? {
        state.withLock { state in
            state.sleepers.values.map { state.now.duration(to: $0.deadline) }.min()
        }
    }

    package func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        let key = state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
        let finished = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    if deadline <= state.now { return true }
                    state.sleepers[key] = Sleeper(deadline: deadline, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: key) }?
                .continuation.resume(returning: false)
        }
        if !finished { throw CancellationError() }
    }

    /// Waits until so many tasks sleep on the clock, at most 60 seconds of real time.
    package func waitForSleepers(_ count: Int) async {
        // Where they never do, what the test expects of them fails.
        try? await eventually { sleeperCount >= count }
    }

    /// Moves the clock and wakes those whose time has come.
    package func advance(by duration: Duration) {
        let woken = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for key in due.keys { state.sleepers[key] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume(returning: true) }
    }
}
