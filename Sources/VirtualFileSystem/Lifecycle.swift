import BlockCache
import ChangeFeed
import CloudStorage
package import FileSystemTypes
import Glibc
import LockManager
import Logging
import StateStore
import Synchronization

/// Beginning, background work and end of a mount.
extension VirtualFileSystem {
    /// Takes up what an earlier run knew and left unsent, and begins to bring it to the server.
    ///
    /// What is known is shown without asking the server; it is asked only where nothing is known.
    package func start() async throws(FileSystemError) {
        try await identities?.load()
        try await loadAccount()
        try await checkTop()
        try await lookHowItEnded()
        let isKnown = try await restoreTop()
        if !isKnown, !options.path.isEmpty { try await resolveTop() }
        try await loadConflicts()
        try await loadUndertakings()
        try await loadBases()
        try await loadSent()
        try await takeUpUnsent()
        try await loadTimes()
        if isKnown {
            refreshLater(Tree.rootID)
        } else {
            try await refresh(Tree.rootID)
            noteFirstListing()
        }
        try await takeUpLocks()
        guard options.synchronizesInBackground else { return await removeForgottenContents() }
        Task { await self.removeForgottenContents() }
        synchronization.withLock { $0 = Task { await self.synchronize() } }
    }

    /// The state is of one folder shown as the top; another one starts from a fresh listing, and
    /// not before everything is sent.
    private func checkTop() async throws(FileSystemError) {
        let key = "top"
        let top = "/" + options.path.joined(separator: "/")
        let old = try await store.value(forKey: key)
        if let old, !old.hasSameBytes(as: top) {
            guard try await store.dirtyRecords().isEmpty else {
                throw FileSystemError(
                    .notPermitted,
                    "changes made while \(old) was mounted are not sent yet; mount that first")
            }
            if var record = try await store.record(.root) {
                record.isListed = false
                record.server = nil
                try await store.commit([.put(record)], durability: .normal)
            }
        }
        if old == nil || old?.hasSameBytes(as: top) == false {
            try await store.commit([.setValue(key: key, value: top)], durability: .normal)
        }
    }

    private static let endKey = "orderly end"

    /// Notes whether the run before has ended in order, and that this one has not.
    private func lookHowItEnded() async throws(FileSystemError) {
        guard try await store.value(forKey: Self.endKey)?.isEmpty == false else { return }
        hasOrderlyPast.store(true, ordering: .relaxed)
        try await store.commit([.setValue(key: Self.endKey, value: "")], durability: .normal)
    }

    /// Shows the top as an earlier run knew it. Returns whether one did.
    private func restoreTop() async throws(FileSystemError) -> Bool {
        guard let record = try await store.record(.root), record.isListed,
            options.path.isEmpty || record.server != nil
        else { return false }
        tree.withLock { tree in
            if let server = record.server { tree.acknowledge(Tree.rootID, server) }
            tree.nodes[Tree.rootID]?.isStored = true
            tree.nodes[Tree.rootID]?.validator = record.listingValidator
        }
        return try await load(Tree.rootID)
    }

    /// Makes the folder `options.path` the top of the mount.
    private func resolveTop() async throws(FileSystemError) {
        let account = try await ask { () async throws(CloudStorageError) in
            try await self.cloud.account()
        }
        let roots = RootNames.items(of: account.roots)
        guard let first = options.path.first, var item = roots.first(where: { $0.name == first })
        else {
            let names = roots.map(\.name).joined(separator: ", ")
            throw FileSystemError(
                .notFound, "the account has no root \(options.path.first ?? ""); it has: \(names)")
        }
        for name in options.path.dropFirst() {
            let folder = item.reference
            let found = try await ask { () async throws(CloudStorageError) in
                try await self.entry(named: name, in: folder)
            }
            guard let found, found.reference.isFolder else {
                throw FileSystemError(.notFound, "no folder \(name) in \(item.name)")
            }
            item = found
        }
        let top = item
        tree.withLock { tree in
            tree.account = account
            tree.acknowledge(Tree.rootID, ServerSide(top))
        }
        remember(account)
    }

    /// Background work until the task is cancelled: change feed, lock renewal, retries, tidying.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.locks.run() }
            group.addTask {
                let feed = ChangeFeed(
                    cloud: self.cloud, interval: .seconds(self.options.pollSeconds),
                    clock: ContinuousClock(), receiver: RemoteChanges(fileSystem: self))
                await feed.run()
            }
            group.addTask {
                let pause = min(60, 12 * self.options.pollSeconds)
                await self.repeatEvery(seconds: pause) { await self.refreshAccount() }
            }
            group.addTask {
                await self.repeatEvery(seconds: 15) { await self.tryToFinishUndertakings() }
            }
            group.addTask {
                await self.repeatEvery(seconds: 10) {
                    self.makeRoomIfCrowded(isDue: true)
                    self.lookForEndedLocks()
                    await self.endLocksByHand()
                }
            }
        }
    }

    private func repeatEvery(seconds: Double, _ body: @Sendable () async -> Void) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(seconds))
            } catch {
                return
            }
            await body()
        }
    }

    /// Hears quota and policy again.
    package func refreshAccount() async {
        do throws(CloudStorageError) {
            let account = try await cloud.account()
            tree.withLock { tree in
                tree.account = account
                tree.bytesSinceAccount = 0
            }
            remember(account)
        } catch {
            logger.debug("quota can't be read", metadata: ["error": "\(error)"])
        }
    }

    /// Seconds that the end waits at most for the server's word on what was just fetched.
    private static let longestConfirmation: Double = 2

    /// The end: the server is no longer asked, locks are given back, state is closed. What is unsent
    /// waits for the next mount; `drain` before this sends it.
    package func shutdown() async {
        let task = synchronization.withLock { $0.take() }
        task?.cancel()
        await endMappings()
        await aheadTasks.end()
        await endUnloading()
        await listings.end()
        await loads.end()
        let copies = lateCopies.withLock { $0.work.take() }
        copies?.cancel()
        await copies?.value
        let orphans = orphanWork.withLock { $0.take() }
        orphans?.cancel()
        wake()
        await task?.value
        await retireAll()
        await orphans?.value
        keptLocks.withLock { $0 = KeptLocks() }
        recordLocksByHand()
        // What is unsent stays locked until the next mount has sent it, or the lock's time is over.
        await locks.releaseAll(except: unsentItems())
        if !isServerSilent { await cache.confirmWaiting(forSeconds: Self.longestConfirmation) }
        cache.close()
        await disk.cleaned()
        store.enqueue([.setValue(key: Self.endKey, value: "1")])
        await store.close()
    }
}
