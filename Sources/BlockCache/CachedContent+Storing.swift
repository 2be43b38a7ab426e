import FileSystemTypes
import Synchronization

extension CachedContent {
    /// What a content that nobody uses leaves behind.
    struct Leaving: Sendable {
        /// Blocks the server never stood by.
        var dropped: [Int]
        var droppedBytes: Int64
        var isDirty: Bool
        var isEmpty: Bool
    }

    var isUnused: Bool { state.withLock { $0.isIdle && !$0.isRetiring } }

    /// Whether nobody reads it: it is confirmed and stored, and then let go of.
    var isLetGo: Bool { state.withLock { $0.readers == 0 } }

    var hasOnlyVerified: Bool { state.withLock { $0.map.hasOnlyVerified } }

    /// From now on nothing of this content is stored.
    func beForgotten() { state.withLock { $0.isForgotten = true } }

    /// The index to write now, nil where the stored one is good or none is wanted.
    func takeIndex() -> BlockIndex? {
        state.withLock { state in
            guard state.isDirty, !state.isForgotten, !state.isStale else { return nil }
            state.isDirty = false
            return BlockIndex(key: key, map: state.map)
        }
    }

    /// Drops what may not be kept; nil where somebody uses the content again.
    func beginRetiring() -> Leaving? {
        state.withLock { state in
            state.isRetiring = false
            guard state.isIdle, !state.isForgotten else { return nil }
            let dropped = state.map.unconfirmedBlocks
            let bytes = state.map.remove(dropped)
            return Leaving(
                dropped: dropped, droppedBytes: bytes, isDirty: state.isDirty,
                isEmpty: state.map.presentBytes == 0 && size > 0)
        }
    }

    /// Gives the disk space of dropped blocks back; false where the disk refused.
    func giveBack(_ blocks: [Int]) -> Bool {
        do throws(FileSystemError) {
            for block in blocks {
                let isGone = state.withLock { !$0.map.present[block] }
                if isGone { try file.punchHole(geometry.range(of: block)) }
            }
            return true
        } catch {
            return false
        }
    }

    /// Ends all fetches; waiting readers get `cancelled`.
    func stop() {
        let (tasks, answers) = state.withLock { state in
            state.isClosed = true
            let answers = state.failWaiters(in: geometry.whole, with: ContentState.closedError)
            return (state.board.giveUp(all: true), answers)
        }
        for task in tasks { task.cancel() }
        deliver(answers)
    }
}
