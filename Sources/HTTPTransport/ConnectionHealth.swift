import Synchronization

/// Whether the server can be reached, as seen from the requests made. Safe from any thread.
package final class ConnectionHealth: Sendable {
    /// One moment's view.
    package struct Snapshot: Sendable, Equatable {
        /// Since the last answer of any status.
        package var consecutiveFailures = 0
        /// When the last answer came; nil before the first.
        package var lastSuccess: ContinuousClock.Instant?
        /// What the last connectivity failure said; nil after an answer.
        package var lastFailure: String?

        /// Several attempts in a row got no answer.
        package var isOffline: Bool { consecutiveFailures >= ConnectionHealth.offlineThreshold }
    }

    /// So many attempts in a row without an answer count as offline.
    package static let offlineThreshold = 3

    private struct State {
        var snapshot = Snapshot()
        var observers: [Int: AsyncStream<Snapshot>.Continuation] = [:]
        var nextObserver = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var snapshot: Snapshot { state.withLock { $0.snapshot } }
    package var isOffline: Bool { snapshot.isOffline }

    /// The snapshots at each change between online and offline, the newest only if the reader is
    /// slow; ends when the reader's task is cancelled.
    package func changes() -> AsyncStream<Snapshot> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Snapshot.self, bufferingPolicy: .bufferingNewest(1))
        let key = state.withLock { state in
            state.nextObserver += 1
            state.observers[state.nextObserver] = continuation
            return state.nextObserver
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.observers.removeValue(forKey: key) }
        }
        return stream
    }

    /// An answer came, whatever its status.
    package func recordAnswer() {
        update { snapshot in
            snapshot.consecutiveFailures = 0
            snapshot.lastSuccess = .now
            snapshot.lastFailure = nil
        }
    }

    /// An attempt got no answer: no connection, a broken one, or a time-out.
    package func recordFailure(_ message: String) {
        update { snapshot in
            snapshot.consecutiveFailures += 1
            snapshot.lastFailure = message
        }
    }

    private func update(_ change: (inout Snapshot) -> Void) {
        let (snapshot, observers) = state.withLock {
            state -> (Snapshot, [AsyncStream<Snapshot>.Continuation]) in
            let wasOffline = state.snapshot.isOffline
            change(&state.snapshot)
            let changed = wasOffline != state.snapshot.isOffline
            return (state.snapshot, changed ? Array(state.observers.values) : [])
        }
        for observer in observers { observer.yield(snapshot) }
    }
}
