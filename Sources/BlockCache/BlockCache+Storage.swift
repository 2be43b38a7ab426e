import Dispatch
import FileSystemTypes
import Synchronization

extension BlockCache {
    /// Bytes between two looks at the free disk space while contents fill.
    private static let trimInterval: Int64 = 16 << 20

    // MARK: Called by contents

    func noteRead(hit: Bool) { counters.countRead(hit: hit) }

    func noteFetched(_ bytes: Int) { counters.countFetched(bytes) }

    /// Counts blocks that came to (or left) a content, and evicts where that is too much.
    func noteStored(_ bytes: Int64, of content: CachedContent) {
        guard bytes != 0 else { return }
        let (before, after) = table.withLock { table in
            let before = table.bytes
            table.add(bytes, to: content)
            return (before, table.bytes)
        }
        let limit = sizeLimit.load(ordering: .relaxed)
        let crossesLimit = before <= limit && after > limit
        let isDue = counters.countStored(bytes, interval: Self.trimInterval)
        if isDue || crossesLimit { later { self.trim() } }
    }

    /// Writes a content's index soon.
    func store(_ content: CachedContent) {
        later {
            if !self.storeNow(content) { self.forget(content) }
        }
    }

    /// Stores a content that nobody uses and lets go of it.
    func retire(_ content: CachedContent) { later { self.retireNow(content) } }

    /// Makes the cache forget a content, which its readers go on using.
    func forget(_ content: CachedContent) { discard(content.key, named: content.name) }

    /// Evicts after the disk turned out full; false where there was nothing to evict.
    func makeRoom() async -> Bool {
        await withCheckedContinuation { continuation in
            storage.async {
                continuation.resume(
                    returning: !self.isSealed.load(ordering: .relaxed) && self.evictForSpace())
            }
        }
    }

    /// Forgets a version, or only the entry of that name.
    func discard(_ key: ContentKey, named name: String?) {
        let removed = table.withLock { table -> EntryTable.Entry? in
            guard name == nil || table.entries[key]?.name == name else { return nil }
            return table.remove(key)
        }
        guard let removed else { return }
        later { self.removeFiles(of: removed.name) }
    }

    /// Runs work on the storage queue unless the cache is closed before its turn comes.
    func later(_ work: @escaping @Sendable () -> Void) {
        if configuration.isSequential {
            if !isSealed.load(ordering: .relaxed) { work() }
            return
        }
        storage.async {
            if !self.isSealed.load(ordering: .relaxed) { work() }
        }
    }

    // MARK: On the storage queue

    /// Writes a content's index if it lacks something; false where the disk refused.
    func storeNow(_ content: CachedContent) -> Bool {
        guard let index = content.takeIndex() else { return true }
        do throws(FileSystemError) {
            try folder.writeIndex(index, of: content.name)
            return true
        } catch {
            return false
        }
    }

    private func retireNow(_ content: CachedContent) {
        guard let leaving = content.beginRetiring() else { return }
        noteStored(-leaving.droppedBytes, of: content)
        if !content.giveBack(leaving.dropped) || !storeNow(content) {
            forget(content)
        } else if !leaving.isDirty {
            // A last use that isn't noted only makes the entry go earlier after a restart.
            do throws(FileSystemError) {
                try folder.touchIndex(of: content.name)
            } catch {
                forget(content)
            }
        }
        guard table.withLock({ $0.detach(content) }) else { return }
        if leaving.isEmpty { discard(content.key, named: content.name) }
        trim()
    }

    /// Unlinks an entry's files. What can't be unlinked is found, and tried again, at next start.
    func removeFiles(of name: String) {
        do throws(FileSystemError) {
            try folder.remove(name)
        } catch {
            counters.countFailedRemoval()
        }
    }
}
