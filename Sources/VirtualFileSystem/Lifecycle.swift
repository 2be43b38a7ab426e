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
    /// Reads the account, finds the folder to show, takes up what an earlier run left unsent.
    ///
    /// Without a server the mount starts with what is known; it fails only where nothing is.
    package func start() async throws(FileSystemError) {
        if options.path.isEmpty {
            try await refresh(Tree.rootID)
        } else {
            try await resolveTop()
        }
        try await loadUndertakings()
        try await takeUpUnsent()
        let left = try await leaseJournal.leftOver()
        if !left.isEmpty { Task { await self.locks.adopt(left) } }
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
        try await refresh(Tree.rootID)
    }

    /// Files with content that an earlier run could not send get their names back and are sent.
    private func takeUpUnsent() async throws(FileSystemError) {
        for record in try await store.dirtyRecords() {
            guard let name = record.contentFile else { continue }
            do throws(FileSystemError) {
                try await takeUp(record, contentFile: name)
            } catch {
                logger.error(
                    "unsent content could not be taken up; it stays where it is",
                    metadata: ["file": "\(store.contentFolder)/\(name)", "error": "\(error)"])
            }
        }
    }

    private func takeUp(_ record: InodeRecord, contentFile: String) async throws(FileSystemError) {
        let path = "\(store.contentFolder)/\(contentFile)"
        let serial = nextSerial()
        let size = record.size ?? 0
        let working = try await disk.run { () throws(FileSystemError) in
            try WorkingCopy(serial: serial, adopting: path, size: size)
        }
        try await restoreAncestors(of: record)
        let id: UInt64? = tree.withLock { tree in
            let parent = record.parent == .root ? Tree.rootID : record.parent.rawValue
            guard tree.nodes[parent]?.children != nil else { return nil }
            if tree.nodes[record.inode.rawValue] == nil {
                if let holder = tree.child(of: parent, named: record.name) {
                    // Another client took the name: the save keeps both.
                    tree.detach(holder.id)
                }
                var node = Node(
                    id: record.inode.rawValue, inode: record.inode, kind: .file, parent: parent,
                    name: record.name)
                node.server = record.server
                node.overlay = record.overlay
                node.isLocalOnly = record.isLocalOnly
                tree.attach(node)
            } else if let base = record.server {
                // What the change was based on, not what the server has now, is compared at the save.
                tree.acknowledge(record.inode.rawValue, base)
            }
            tree.nodes[record.inode.rawValue]?.working = working
            return record.inode.rawValue
        }
        guard let id else {
            throw FileSystemError(.notFound, "its folder is no longer there")
        }
        if !record.isLocalOnly {
            tree.withLock { tree in
                tree.nodes[id]?.saveError = FileSystemError(
                    .inputOutput, "left over from an earlier run")
            }
            saves.failed(id, now: SystemClocks.monotonicSeconds() - 3_600)
        }
    }

    /// Lists the folders above a record, from the top down, so that it can be hung in.
    private func restoreAncestors(of record: InodeRecord) async throws(FileSystemError) {
        var chain: [InodeRecord] = []
        var next = record.parent
        while next != .root, chain.count < 4096 {
            guard let folder = try await store.record(next) else { break }
            chain.append(folder)
            next = folder.parent
        }
        for folder in chain.reversed() {
            let isKnown = tree.withLock { $0.nodes[folder.inode.rawValue] != nil }
            guard isKnown else { continue }
            try await ensureListed(folder.inode.rawValue)
        }
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
            group.addTask { await self.repeatEvery(seconds: 1) { await self.retrySaves() } }
            group.addTask { await self.repeatEvery(seconds: 60) { await self.refreshAccount() } }
            group.addTask {
                await self.repeatEvery(seconds: 15) { await self.tryToFinishUndertakings() }
            }
            group.addTask { await self.repeatEvery(seconds: 10) { self.shrink() } }
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

    private func retrySaves() async {
        for id in saves.due(now: SystemClocks.monotonicSeconds()) {
            let isOpen = tree.withLock { ($0.nodes[id]?.writeHandles ?? 0) > 0 }
            guard tree.withLock({ $0.nodes[id]?.working?.isSaved == false }) else {
                saves.succeeded(id)
                continue
            }
            do throws(FileSystemError) {
                try await save(id)
                if !isOpen {
                    await gate.enter([id]) { await retireWorkingCopy(of: id) }
                    await giveLockBack(id)
                }
            } catch {
                logger.warning("a file is still not stored", metadata: ["error": "\(error)"])
            }
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
        } catch {
            logger.debug("quota can't be read", metadata: ["error": "\(error)"])
        }
    }

    /// Drops folders from memory that nobody used lately, while there are too many inodes.
    func shrink() {
        tree.withLock { tree in
            guard tree.nodes.count > options.nodeLimit else { return }
            let folders = tree.nodes.values.filter { $0.children != nil && $0.id != Tree.rootID }
                .sorted { $0.usedAt < $1.usedAt }.map(\.id)
            for id in folders {
                if tree.nodes.count <= options.nodeLimit * 3 / 4 { break }
                tree.forgetChildren(of: id)
            }
        }
    }

    /// The end: one last try for what is unsent, locks given back, state closed.
    package func shutdown() async {
        for id in saves.all() {
            do throws(FileSystemError) {
                try await save(id)
                await gate.enter([id]) { await retireWorkingCopy(of: id) }
            } catch {
                logger.error(
                    "a file stays unsent until the next mount", metadata: ["error": "\(error)"])
            }
        }
        await locks.releaseAll()
        cache.close()
        await store.close()
    }
}

extension Tree {
    /// Forgets a folder's entries if neither the kernel nor anybody else refers to one of them.
    mutating func forgetChildren(of id: UInt64) {
        guard let children = nodes[id]?.children, nodes[id]?.openHandles == 0 else { return }
        let isUsed = children.values.contains { child in
            guard let node = nodes[child] else { return false }
            return !node.isIdle || node.children != nil || node.server == nil
        }
        guard !isUsed else { return }
        for child in children.values {
            if let server = nodes[child]?.server { byKey[ItemKey(server.reference)] = nil }
            nodes[child] = nil
        }
        nodes[id]?.children = nil
    }
}
