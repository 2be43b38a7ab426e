import Reconciler
import Synchronization

/// Files that were sent and that the cache is to take.
struct Retirements: Sendable {
    var files: [UInt64] = []
    /// Of all of them. The room they take can't be freed before the cache has them.
    var bytes: Int64 = 0
    /// When the first of them was sent, in seconds of the clock that knows no date.
    var since = 0.0
}

/// Handing what was sent to the cache, which nobody waits for: where many files are sent, it comes
/// after them all, but not much later than each. Until then another client's version of a file is
/// not shown.
extension VirtualFileSystem {
    /// Changes that are to be sent, from which on the cache has to wait.
    private static let manyChanges = 16
    private static let longestWait = 2.0
    /// Larger files don't wait, and together they are not more, nor larger.
    private static let largestFile: Int64 = 64 << 10
    private static let mostFiles = 1_024
    private static let mostBytes: Int64 = 16 << 20

    /// Leaves a file that has just been sent as it is for now; false where it is to go to the cache at
    /// once: somebody may wait for its lock, or has it open.
    func retireLater(_ id: UInt64) -> Bool {
        let size = tree.withLock { tree -> Int64? in
            guard tree.work.count > Self.manyChanges, let node = tree.nodes[id],
                node.parent != nil, node.openHandles == 0, !node.holdsLock,
                node.lockClaims == 0, let working = node.working, working.isSaved
            else { return nil }
            return working.size
        }
        guard let size, size <= Self.largestFile else { return false }
        let now = options.chance.monotonicSeconds()
        return retirements.withLock { waiting in
            guard waiting.files.count < Self.mostFiles, waiting.bytes + size <= Self.mostBytes
            else { return false }
            if waiting.files.isEmpty { waiting.since = now }
            waiting.files.append(id)
            waiting.bytes += size
            return true
        }
    }

    /// Hands the files that wait to the cache, unless there is more to be sent first.
    func retireWaiting() async {
        let oldest = retirements.withLock { $0.files.isEmpty ? nil : $0.since }
        guard let oldest else { return }
        let isLate = options.chance.monotonicSeconds() - oldest > Self.longestWait
        if isLate || !tree.withLock({ $0.work.isBusy }) { await retireAll() }
    }

    /// Hands the files that wait to the cache.
    func retireAll() async {
        let files = retirements.withLock { waiting in
            defer { waiting = Retirements() }
            return waiting.files
        }
        for id in files { await finishWriting(id) }
    }
}
