import GRDB
import Synchronization

/// Tells who listens that files or folders have changed, once a commit. Safe from any thread.
final class ChangeHub: TransactionObserver, Sendable {
    private static let tables: Set<String> = ["files", "folders", "roots", "subscriptions"]
    private static let maximumListeners = 1_000

    private struct State {
        var isChanged = false
        var nextID = 0
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
    }

    private let state = Mutex(State())

    /// A stream with an element for every commit that changed something; those that nobody has
    /// waited for are one. Nil where there are too many.
    func listen() -> AsyncStream<Void>? {
        let (stream, continuation) = AsyncStream<Void>.makeStream(
            bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state -> Int? in
            guard state.listeners.count < Self.maximumListeners else { return nil }
            state.nextID += 1
            state.listeners[state.nextID] = continuation
            return state.nextID
        }
        guard let id else { return nil }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool {
        Self.tables.contains(eventKind.tableName)
    }

    func databaseDidChange(with event: DatabaseEvent) {
        state.withLock { $0.isChanged = true }
        stopObservingDatabaseChangesUntilNextTransaction()
    }

    func databaseDidCommit(_ db: Database) {
        let listeners = state.withLock { state -> [AsyncStream<Void>.Continuation] in
            defer { state.isChanged = false }
            return state.isChanged ? Array(state.listeners.values) : []
        }
        for listener in listeners { listener.yield() }
    }

    func databaseDidRollback(_ db: Database) { state.withLock { $0.isChanged = false } }
}
