import CloudStorage
import FileSystemTypes
import LockManager
import Synchronization
import TestSupport

/// A cloud of locks only, whose calls wait until the test answers them.
final class LockingCloud: PartialCloud {
    enum Operation: Equatable { case lock, unlock }

    private struct Pending {
        var operation: Operation
        var item: ItemReference
        var continuation: CheckedContinuation<CloudStorageError?, Never>
    }

    private struct State {
        var pending: [Pending] = []
        var calls: [Operation] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Every call so far.
    var calls: [Operation] { state.withLock { $0.calls } }

    private func call(_ operation: Operation, _ item: ItemReference) async throws(CloudStorageError)
    {
        let error = await withCheckedContinuation { continuation in
            let watchers = state.withLock { state in
                state.calls.append(operation)
                state.pending.append(
                    Pending(operation: operation, item: item, continuation: continuation))
                defer { state.watchers = [] }
                return state.watchers
            }
            for watcher in watchers { watcher.resume() }
        }
        if let error { throw error }
    }

    /// Waits for the next unanswered call of this sort and answers it.
    func answer(_ operation: Operation, _ item: ItemReference, _ error: CloudStorageError? = nil)
        async
    {
        while true {
            let found = state.withLock { state in
                state.pending.firstIndex {
                    $0.operation == operation && $0.item == item
                }.map { state.pending.remove(at: $0) }
            }
            if let found {
                found.continuation.resume(returning: error)
                return
            }
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.pending.contains(where: {
                        $0.operation == operation && $0.item == item
                    }) {
                        return true
                    }
                    state.watchers.append(continuation)
                    return false
                }
                if isThere { continuation.resume() }
            }
        }
    }

    func lock(_ item: ItemReference, seconds: Int) async throws(CloudStorageError) {
        try await call(.lock, item)
    }

    func unlock(_ item: ItemReference) async throws(CloudStorageError) {
        try await call(.unlock, item)
    }

    var capabilities: Capabilities {
        Capabilities(
            supportsRanges: nil, uploadOntoName: nil, relocatesInOneCall: true,
            setsModificationTime: false, movesBetweenRoots: false, isCaseSensitive: true,
            lockSeconds: 80)
    }
}

/// Writes down what it is told, and lets a test wait for it.
final class RecordingObserver: LeaseObserver {
    private struct State {
        var lines: [String] = []
        var watchers: [(line: String, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }

    func leaseChanged(_ change: LeaseChange) {
        let line =
            switch change {
            case .taken(let item): "taken \(item.path)"
            case .givenBack(let item): "given back \(item.path)"
            case .lost(let item, let error): "lost \(item.path) \(error.kind)"
            }
        let woken = state.withLock { state in
            state.lines.append(line)
            defer { state.watchers.removeAll { $0.line == line } }
            return state.watchers.filter { $0.line == line }
        }
        for watcher in woken { watcher.continuation.resume() }
    }

    /// Returns once this has been heard.
    func wait(for line: String) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.lines.contains(line) { return true }
                state.watchers.append((line, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}

/// A file of the server.
func file(_ id: String) -> ItemReference {
    ItemReference(root: RootIdentifier("r"), kind: .file, id: id, path: "/" + id)
}
