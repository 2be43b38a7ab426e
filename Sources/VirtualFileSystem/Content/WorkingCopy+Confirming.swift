import FileSystemTypes
import StateStore
import Synchronization

/// What close and fsync confirm of a working copy, and what the state table says of it.
extension WorkingCopy {
    /// Confirms the content as it is now. The files it takes the place of go with
    /// `removeSuperseded`, once the row speaks of this one.
    /// - Parameter whole: until the next confirmation nothing of it may change: so after a close.
    ///   Programs that go on after fsync bring their own order into their changes.
    @discardableResult
    func keep(whole: Bool) -> Confirmation {
        state.withLock { state in
            state.isKeptWhole = whole
            // In this order: what comes in between is not confirmed.
            let generation = state.generation
            state.kept = Kept(
                path: state.file.path, size: state.size, missing: state.missing.ranges,
                generation: generation)
            let now = state.shown
            shown.withLock { $0 = now }
            return Confirmation(kept: state.kept, rowEpoch: state.rowEpoch)
        }
    }

    /// The state table speaks of a content that was confirmed.
    func noteJournaled(_ confirmation: Confirmation) {
        state.withLock { state in
            if state.rowEpoch == confirmation.rowEpoch { state.journaled = confirmation.kept }
        }
    }

    /// Confirms the content as it is now, where it is already, and the state table speaks of it; false where
    /// it is to.
    func keepAgain(whole: Bool) -> Bool {
        state.withLock { state in
            let generation = state.generation
            guard let kept = state.kept, kept == state.journaled, kept.generation == generation,
                kept.path == state.file.path, kept.size == state.size,
                kept.missing == state.missing.ranges
            else { return false }
            state.isKeptWhole = whole
            return true
        }
    }

    /// What was missing of the confirmed content has come, and is on stable storage.
    func noteFilled() {
        state.withLock { state in
            guard state.kept?.path == state.file.path, state.missing.isEmpty else { return }
            state.kept?.missing = []
            let now = state.shown
            shown.withLock { $0 = now }
        }
    }

    /// A row of the confirmed content is about to come to stable storage: its file stays.
    func expectStable(_ row: InodeRecord) {
        state.withLock { state in
            if let name = row.contentFile { state.stableFiles.insert(name) }
        }
    }

    /// A row of the confirmed content, made in `epoch`, is on stable storage.
    func noteStable(_ row: InodeRecord, epoch: UInt64) {
        state.withLock { state in
            guard state.rowEpoch == epoch else { return }
            state.stableRow = row
            state.stableFiles = row.contentFile.map { [$0] } ?? []
        }
    }

    /// Whether stable storage has such a row, but for its times.
    func isStable(_ row: InodeRecord) -> Bool {
        state.withLock { $0.stableRow.map { row.differsInTimesOnly(from: $0) } ?? false }
    }
}
