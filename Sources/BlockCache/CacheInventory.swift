import Synchronization

/// What a cache holds, file by file counted, and what bounds it.
package struct CacheInventory: Hashable, Sendable {
    /// Bytes that blocks may take at most.
    package var limit: Int64 = 0
    /// Content versions at most.
    package var entryLimit = 0
    /// Of the file system; nil where it won't say.
    package var freeBytes: Int64?
    /// Bytes of `freeBytes` that the cache leaves free.
    package var reserve: Int64 = 0
    /// Versions that are here as a whole.
    package var completeFiles = 0
    package var completeBytes: Int64 = 0
    /// Versions of which parts are here.
    package var partialFiles = 0
    package var partialBytes: Int64 = 0
    /// Of all of these, what is open, or being fetched, and is not evicted.
    package var usedFiles = 0
    package var usedBytes: Int64 = 0

    package init() {}

    package var bytes: Int64 { completeBytes + partialBytes }
    package var files: Int { completeFiles + partialFiles }
}

/// How much a cache can still take without evicting what is in use or held.
package struct CacheRoom: Hashable, Sendable {
    /// What it is that bounds the room.
    package enum Bound: String, Hashable, Sendable {
        /// The cache's own limit.
        case limit
        /// The free space of the disk, less the reserve.
        case disk
    }

    /// Of blocks; negative where there is already too much.
    package var bytes: Int64
    package var bound: Bound
    /// Content versions.
    package var entries: Int

    package init(bytes: Int64, bound: Bound, entries: Int) {
        self.bytes = bytes
        self.bound = bound
        self.entries = entries
    }
}

extension BlockCache {
    /// Counts what is held. Asks the local disk for its free space.
    package func inventory() -> CacheInventory {
        var inventory = CacheInventory()
        inventory.limit = sizeLimit.load(ordering: .relaxed)
        inventory.entryLimit = configuration.entryLimit
        inventory.reserve = configuration.minimumFreeBytes
        inventory.freeBytes = folder.freeBytes()
        table.withLock { table in
            for entry in table.entries.values {
                if entry.bytes == entry.size {
                    inventory.completeFiles += 1
                    inventory.completeBytes += entry.bytes
                } else {
                    inventory.partialFiles += 1
                    inventory.partialBytes += entry.bytes
                }
                guard !table.isEvictable(entry) else { continue }
                inventory.usedFiles += 1
                inventory.usedBytes += entry.bytes
            }
        }
        return inventory
    }

    /// Bytes that blocks may take at most, as it was last set.
    package var limit: Int64 { sizeLimit.load(ordering: .relaxed) }

    /// Content versions at most.
    package var entryLimit: Int { configuration.entryLimit }

    // MARK: Fetching ahead what is to stay

    /// Begins to hold what `hold` and `holdIfWhole` are told; ends with `endHold`.
    package func beginHold() -> UInt64 { table.withLock { $0.beginHold() } }

    package func endHold(_ hold: UInt64) {
        table.withLock { $0.letHoldGo(hold) }
        // What is still too much goes before that which was held, and the tenth more with it.
        later {
            self.trim()
            self.table.withLock { $0.endHold(hold) }
        }
    }

    /// Keeps a version from being evicted until the hold ends.
    package func hold(_ key: ContentKey, for hold: UInt64) {
        table.withLock { $0.hold(key, for: hold) }
    }

    /// Bytes of a version that are still to come until all of it is here to stay, and whether that is
    /// so already; then it is held. Touches no disk.
    package func holdIfWhole(
        _ key: ContentKey, size: Int64, for hold: UInt64
    ) -> (missing: Int64, isWhole: Bool) {
        table.withLock { table in
            guard let entry = table.entries[key], entry.size == size else { return (size, false) }
            let isWhole = entry.content?.isKept ?? (entry.bytes == size)
            if isWhole { table.hold(key, for: hold) }
            return (size - entry.bytes, isWhole)
        }
    }

    /// Free bytes of the disk that the cache is on, nil where it won't say. Asks the disk.
    package func freeBytes() -> Int64? { folder.freeBytes() }

    /// What can be fetched beside all that is in use or held; what was let go of just now is not.
    /// Touches no disk.
    /// - Parameter free: what `freeBytes` has answered lately.
    package func room(free: Int64?) -> CacheRoom {
        let limit = sizeLimit.load(ordering: .relaxed)
        return table.withLock { table in
            var leaving = (bytes: Int64(0), entries: 0)
            for entry in table.entries.values where table.isLeaving(entry) {
                leaving.bytes += entry.bytes
                leaving.entries += 1
            }
            let byLimit = limit - table.bytes
            let byDisk = free.map { $0 - configuration.minimumFreeBytes } ?? .max
            return CacheRoom(
                bytes: min(byLimit, byDisk) + leaving.bytes,
                bound: byLimit <= byDisk ? .limit : .disk,
                entries: configuration.entryLimit - table.entries.count + leaving.entries)
        }
    }
}
