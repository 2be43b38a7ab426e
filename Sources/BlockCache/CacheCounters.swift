import Synchronization

/// What the cache did since it was opened.
final class CacheCounters: Sendable {
    private let hits = Atomic<Int64>(0)
    private let misses = Atomic<Int64>(0)
    private let fetchedBytes = Atomic<Int64>(0)
    /// Files that could not be removed and are left to the next start.
    private let failedRemovals = Atomic<Int64>(0)
    private let bytesSinceTrim = Atomic<Int64>(0)

    func countRead(hit: Bool) {
        if hit {
            hits.wrappingAdd(1, ordering: .relaxed)
        } else {
            misses.wrappingAdd(1, ordering: .relaxed)
        }
    }

    func countFetched(_ bytes: Int) { fetchedBytes.wrappingAdd(Int64(bytes), ordering: .relaxed) }

    func countFailedRemoval() { failedRemovals.wrappingAdd(1, ordering: .relaxed) }

    /// Counts stored bytes; true once each `interval` of them.
    func countStored(_ bytes: Int64, interval: Int64) -> Bool {
        guard bytes > 0 else { return false }
        let (old, new) = bytesSinceTrim.wrappingAdd(bytes, ordering: .relaxed)
        return old / interval != new / interval
    }

    func usage(bytes: Int64, entries: Int) -> CacheUsage {
        CacheUsage(
            bytes: bytes, entries: entries, hits: hits.load(ordering: .relaxed),
            misses: misses.load(ordering: .relaxed),
            fetchedBytes: fetchedBytes.load(ordering: .relaxed))
    }
}
