import CloudStorage
import FileSystemTypes
import FoundationEssentials
import Glibc
import LockManager
import Logging
import StateStore
import Synchronization

/// Locks that are held for longer than a file is open.
struct KeptLocks: Sendable, Hashable {
    static let key = "locks-by-hand"

    /// A lock that a person has asked for by command or attribute.
    struct ByHand: Codable, Sendable, Hashable {
        var item: ItemReference
        /// Seconds since 1970; nil: until it is given back, or the mount ends.
        var until: Int64?
        /// Whether this run has the lock; where not, an earlier one had it.
        var isAcquired = false

        enum CodingKeys: CodingKey { case item, until }
    }

    /// Of documents that office programs have open, by the node of the owner file. They end with the
    /// driver, since an office program can't go on with a mount that is gone.
    var documents: [UInt64: ItemReference] = [:]
    /// On record in the state table: taken up again after a crash.
    var byHand: [ByHand] = []

    /// Whether this run has the lock of an item that a person has asked for.
    func isByHand(_ item: ItemReference) -> Bool {
        byHand.contains { $0.isAcquired && $0.isOf(item) }
    }

    func isHeld(_ item: ItemReference) -> Bool {
        isByHand(item) || documents.values.contains { ItemKey($0) == ItemKey(item) }
    }

    /// Takes out all of an item. Returns how many of them hold its lock; nil where there were none.
    mutating func remove(_ item: ItemReference) -> Int? {
        let old = byHand.count + documents.count
        let held = documents.count { ItemKey($0.value) == ItemKey(item) } + (isByHand(item) ? 1 : 0)
        byHand.removeAll { $0.isOf(item) }
        documents = documents.filter { ItemKey($0.value) != ItemKey(item) }
        return old == byHand.count + documents.count ? nil : held
    }

    /// An item's lock was taken up again. Returns whether anybody still waits for that.
    mutating func noteTakenUp(_ item: ItemReference) -> Bool {
        let waiting = byHand.firstIndex { $0.isOf(item) && !$0.isAcquired }
        guard let waiting else { return false }
        byHand[waiting].isAcquired = true
        return true
    }

    /// The locked item became another one on the server. Returns whether there is such a lock.
    mutating func move(from old: ItemReference, to new: ItemReference) -> Bool {
        var isThere = false
        for (owner, item) in documents where ItemKey(item) == ItemKey(old) {
            documents[owner] = new
            isThere = true
        }
        for index in byHand.indices where byHand[index].isOf(old) {
            byHand[index].item = new
            isThere = true
        }
        return isThere
    }
}

extension KeptLocks.ByHand {
    func isOf(_ other: ItemReference) -> Bool { ItemKey(item) == ItemKey(other) }
}

extension VirtualFileSystem {
    /// Puts the locks that a person has asked for on record as they are now.
    func recordLocksByHand() {
        let text: Data
        do {
            text = try JSONEncoder().encode(keptLocks.withLock { $0.byHand })
        } catch {
            // Without the record they are given back after a crash.
            logger.error("locks can't be recorded", metadata: ["error": "\(error)"])
            return
        }
        store.enqueue([
            .setValue(key: KeptLocks.key, value: String(decoding: text, as: UTF8.self))
        ])
    }

    /// What an earlier run has put on record; nil where that can't be read.
    private func recordedLocks() async throws(FileSystemError) -> [KeptLocks.ByHand]? {
        guard let text = try await store.value(forKey: KeptLocks.key) else { return [] }
        do {
            return try JSONDecoder().decode([KeptLocks.ByHand].self, from: Data(text.utf8))
        } catch {
            logger.debug("the record of locks by hand is damaged", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// After an end that gave nothing back: locks that are still wanted are taken up again, the
    /// others are given back.
    func takeUpLocks() async throws(FileSystemError) {
        let leases = try await leaseJournal.leftOver()
        let locks = try await recordedLocks()
        if leases == nil || locks == nil {
            logger.error(
                "the record of an earlier run's locks can't be read: they end when their time is over"
            )
        }
        let left = leases ?? []
        let now = SystemClocks.now().seconds
        let byHand = (locks ?? []).filter { $0.until.map { $0 > now } ?? true }
        keptLocks.withLock { $0.byHand = byHand }
        recordLocksByHand()
        let unsent = unsentItems()
        let surplus = left.filter { item in
            !byHand.contains { $0.isOf(item) }
                && !unsent.contains { ItemKey($0) == ItemKey(item) }
        }
        guard !left.isEmpty || !byHand.isEmpty || !unsent.isEmpty else { return }
        Task {
            await self.locks.adopt(surplus)
            await self.takeUpLocksByHand()
            for item in unsent { await self.takeUpForContent(item) }
        }
    }

    /// Takes up again what an earlier run held by hand, and this one does not have yet.
    func takeUpLocksByHand() async {
        let waiting = keptLocks.withLock { $0.byHand.filter { !$0.isAcquired }.map(\.item) }
        for item in waiting {
            guard !isServerSilent else { return }
            await takeUp(item)
        }
    }

    private func takeUp(_ item: ItemReference) async {
        do throws(CloudStorageError) {
            try await acquire(item)
        } catch {
            logger.warning(
                "a lock could not be taken up again",
                metadata: ["item": "\(item.path)", "error": "\(error)"])
            // What the server may yet grant is asked for again.
            guard error.isFinal || error.kind == .locked else { return }
            keptLocks.withLock { $0.byHand.removeAll { $0.isOf(item) && !$0.isAcquired } }
            return recordLocksByHand()
        }
        // Given back meanwhile, or taken anew.
        guard keptLocks.withLock({ $0.noteTakenUp(item) }) else { return await locks.release(item) }
    }

    /// The lock of a file whose content is still to be sent; given back when it is.
    private func takeUpForContent(_ item: ItemReference) async {
        guard isUnsent(item) else { return }
        do throws(CloudStorageError) {
            try await acquire(item)
        } catch {
            // The content is compared with what the server has by then (rule 4).
            logger.info(
                "the lock of an unsent file is gone",
                metadata: ["item": "\(item.path)", "error": "\(error)"])
            return
        }
        let id = tree.withLock { tree -> UInt64? in
            guard let id = tree.byKey[ItemKey(item)], tree.nodes[id]?.holdsLock == false else {
                return nil
            }
            tree.nodes[id]?.holdsLock = true
            return id
        }
        guard let id else { return await locks.release(item) }
        await finishClosing(id)
    }
}
