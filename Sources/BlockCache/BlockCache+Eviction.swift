import Dispatch
import Synchronization

/// What a trimming has given back.
package struct CacheTrimming: Hashable, Sendable {
    /// Content versions that went.
    package var files = 0
    /// Of their blocks.
    package var bytes: Int64 = 0

    package init() {}
}

extension BlockCache {
    /// Evicts what nobody uses, least recently used first, until the blocks that are left have so many
    /// bytes at most, or are all in use. What is open is only unlinked, never cut.
    package func trim(to bytes: Int64) async -> CacheTrimming {
        await withCheckedContinuation { continuation in
            storage.async {
                guard !self.isSealed.load(ordering: .relaxed) else {
                    return continuation.resume(returning: CacheTrimming())
                }
                let excess = self.table.withLock { $0.bytes } - max(0, bytes)
                let demand = EvictionOrder<ContentKey>.Demand(bytes: excess, entries: 0)
                continuation.resume(returning: self.evict(demand))
            }
        }
    }

    /// Sets another limit for the bytes of all blocks; what is too much goes soon.
    package func setSizeLimit(_ bytes: Int64) {
        sizeLimit.store(max(0, bytes), ordering: .relaxed)
        later { self.trim() }
    }

    // MARK: On the storage queue

    /// Evicts until the cache is within its limits, or until all that is left is in use.
    func trim() {
        let limit = sizeLimit.load(ordering: .relaxed)
        let excess = table.withLock { table in
            (table.bytes - limit, table.entries.count - configuration.entryLimit)
        }
        var demand = EvictionOrder<ContentKey>.Demand(bytes: 0, entries: 0)
        // A tenth more than necessary goes, so that this happens seldom.
        if excess.0 > 0 { demand.bytes = excess.0 + limit / 10 }
        if excess.1 > 0 { demand.entries = excess.1 + configuration.entryLimit / 10 }
        if configuration.minimumFreeBytes > 0, let free = folder.freeBytes() {
            demand.bytes = max(demand.bytes, configuration.minimumFreeBytes - free)
        }
        _ = evict(demand)
    }

    /// Evicts a tenth of the cache; false where there was nothing to evict.
    func evictForSpace() -> Bool {
        let bytes = table.withLock { $0.bytes }
        let demand = EvictionOrder<ContentKey>.Demand(bytes: max(bytes / 10, 64 << 20), entries: 0)
        return evict(demand).files > 0
    }

    private func evict(_ demand: EvictionOrder<ContentKey>.Demand) -> CacheTrimming {
        guard !demand.isMet else { return CacheTrimming() }
        let removed = table.withLock { table in
            let victims = EvictionOrder<ContentKey>.victims(
                among: table.candidates, meeting: demand)
            return victims.compactMap { table.remove($0.name) }
        }
        var trimming = CacheTrimming()
        for entry in removed {
            removeFiles(of: entry.name)
            trimming.files += 1
            trimming.bytes += entry.bytes
        }
        return trimming
    }
}
