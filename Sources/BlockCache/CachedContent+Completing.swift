package import CloudStorage
import FileSystemTypes
import Synchronization

/// Having all of a content here to stay, before anybody reads it.
extension CachedContent {
    /// Bytes waited for at a time: so few that a long file takes no more of the line than a program that
    /// reads it from its beginning, with what is read ahead; others want to read too.
    private static let stretch: Int64 = 8 << 20

    /// Bytes that are on this machine.
    package var presentBytes: Int64 { state.withLock { $0.map.presentBytes } }

    /// Whether every byte is on this machine, and the server has stood by the version since it came: then
    /// it stays when nobody uses it any more.
    package var isKept: Bool {
        state.withLock { $0.map.isComplete && $0.map.isConfirmed && !$0.isStale }
    }

    /// Fetches what is missing and returns when all of it is here to stay.
    ///
    /// Every request has the deadline of the cloud's calls. Throws as `ensure` does, and
    /// `temporarilyUnavailable` where the server could not be asked whether the version still stands.
    package func complete() async throws(CloudStorageError) {
        let waits = state.withLock { state in
            state.isConfirmationAwaited = true
            if case .waiting = state.confirmation { return true }
            return false
        }
        if waits { cache.questions.askNow() }
        var position: Int64 = 0
        while position < size {
            let end = min(size, position + Self.stretch)
            try await ensure(ByteRange(position, end))
            position = end
        }
        for _ in 0..<2 {
            await activitiesEnded()
            if isKept { return }
            if isStale { throw ContentState.staleError }
            if Task.isCancelled { throw CloudStorageError(.cancelled, "no longer wanted") }
            confirm()
        }
        await activitiesEnded()
        guard !isStale else { throw ContentState.staleError }
        guard isKept else {
            throw CloudStorageError(
                .temporarilyUnavailable,
                "the server could not be asked whether the file has changed meanwhile")
        }
    }
}
