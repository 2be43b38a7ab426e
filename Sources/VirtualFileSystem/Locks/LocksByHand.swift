import CloudStorage
package import FileSystemTypes
import LockManager
import Logging
import StateStore
import Synchronization

/// Locks that a person asks for, and the list of all that are known.
extension VirtualFileSystem {
    /// Takes the server's lock of an item, which other clients respect, and keeps it.
    ///
    /// - Parameters:
    ///   - path: names from the mount's top down; not empty.
    ///   - seconds: how long, ten years at most; nil: until `unlock`, or the end of the mount.
    /// - Throws: `locked` where somebody else has it; `notSupported` where nobody can; `notFound`;
    ///   `invalidArgument` for another number of seconds.
    package func lock(path: [String], seconds: Int?) async throws(FileSystemError) {
        try await lock(try await node(at: path), seconds: seconds)
    }

    private static let longestLockByHand = 315_360_000

    func lock(_ id: UInt64, seconds: Int?) async throws(FileSystemError) {
        if let seconds, !(1...Self.longestLockByHand).contains(seconds) {
            throw FileSystemError(.invalidArgument, "a lock lasts from a second to ten years")
        }
        let item = try lockable(id)
        do throws(CloudStorageError) {
            try await acquire(item)
        } catch {
            guard error.kind == .locked else { throw FileSystemError(error) }
            noteForeignLock(on: id)
            throw FileSystemError(.locked, tree.withLock { $0.lockText(of: id) })
        }
        let until = seconds.map { SystemClocks.now().seconds + Int64($0) }
        let isSecond = keptLocks.withLock { kept in
            let isSecond = kept.isByHand(item)
            kept.byHand.removeAll { $0.isOf(item) }
            kept.byHand.append(KeptLocks.ByHand(item: item, until: until, isAcquired: true))
            return isSecond
        }
        recordLocksByHand()
        if isSecond { await locks.release(item) }
    }

    /// Gives back a lock that `lock` has taken, that of a document whose owner file is still there, or
    /// one of this person's that another run left.
    ///
    /// - Throws: `locked` where a program writes it, or somebody else has it.
    package func unlock(path: [String]) async throws(FileSystemError) {
        try await unlock(try await node(at: path))
    }

    func unlock(_ id: UInt64) async throws(FileSystemError) {
        let item = try lockable(id)
        let isInUse = tree.withLock { $0.nodes[id]?.holdsLock ?? false }
        if let holds = keptLocks.withLock({ $0.remove(item) }) {
            recordLocksByHand()
            for _ in 0..<holds { await locks.release(item) }
            // One that was not taken up again may still be on the server.
            if holds > 0 || isInUse { return }
        }
        guard !isInUse else {
            throw FileSystemError(
                .locked, "a program has it open, or its content is still to be sent")
        }
        let isForeign = tree.withLock { tree in
            tree.nodes[id].flatMap { tree.foreignLock(on: $0) } != nil
        }
        guard !isForeign else {
            throw FileSystemError(.locked, tree.withLock { $0.lockText(of: id) })
        }
        try await ask { () async throws(CloudStorageError) in try await self.cloud.unlock(item) }
        try await checkUnlocked(id, item)
    }

    /// Clouds don't refuse to give back somebody else's lock, of which nothing may be known here.
    private func checkUnlocked(
        _ id: UInt64, _ item: ItemReference
    ) async throws(FileSystemError) {
        guard item.kind != .root else { return }
        let known = try await ask { () async throws(CloudStorageError) in
            try await self.cloud.item(item)
        }
        guard known.isLocked else { return }
        let lock = ForeignLock(holder: known.lockHolder, expires: known.lockExpires)
        tree.withLock { $0.noteForeignLock(lock, on: id) }
        noteForeignLock(on: id)
        throw FileSystemError(.locked, tree.withLock { $0.lockText(of: id) })
    }

    /// Gives back those whose time is over, ends those of items that the server no longer has, and
    /// takes up again what was not to be had yet.
    package func endLocksByHand() async {
        let now = SystemClocks.now().seconds
        let gone = leaseJournal.takeGone()
        let over = keptLocks.withLock { kept in
            let over = kept.byHand.filter { lock in
                gone.contains(ItemKey(lock.item)) || lock.until.map { $0 <= now } ?? false
            }
            kept.byHand.removeAll { over.contains($0) }
            return over
        }
        if !over.isEmpty { recordLocksByHand() }
        for lock in over where lock.isAcquired { await locks.release(lock.item) }
        // The earlier run's may still be on the server.
        await locks.adopt(over.filter { !$0.isAcquired }.map(\.item))
        await takeUpLocksByHand()
    }

    /// The locks of this mount, and those of others in the folders that are in memory.
    package func knownLocks() -> [MountStatus.Lock] {
        let kept = keptLocks.withLock { $0 }
        let problems = leaseJournal.problems
        return tree.withLock { tree in
            var list: [MountStatus.Lock] = []
            func add(
                _ item: ItemReference, _ purpose: MountStatus.Lock.Purpose, until: Int64?,
                problem: String? = nil
            ) {
                let path = tree.byKey[ItemKey(item)].flatMap { tree.path(of: $0) }
                list.append(
                    MountStatus.Lock(
                        path: path ?? item.path, purpose: purpose, until: until,
                        problem: problem ?? problems[ItemKey(item)]))
            }
            for item in kept.documents.values { add(item, .office, until: nil) }
            for lock in kept.byHand {
                let problem = lock.isAcquired ? nil : "not taken up again yet"
                add(lock.item, .command, until: lock.until, problem: problem)
            }
            for node in tree.nodes.values where node.holdsLock {
                guard let item = node.server?.reference else { continue }
                add(item, .open, until: nil)
            }
            for folder in tree.lockedFolders.keys {
                for child in tree.nodes[folder]?.children?.values ?? [:].values {
                    guard let node = tree.nodes[child], node.server?.isLocked == true,
                        let lock = tree.foreignLock(on: node)
                    else { continue }
                    list.append(
                        MountStatus.Lock(
                            path: tree.path(of: child) ?? node.name, purpose: .others,
                            holder: lock.holder, until: lock.expires?.seconds))
                }
            }
            return list.sorted { ($0.path, $0.purpose.rawValue) < ($1.path, $1.purpose.rawValue) }
        }
    }

    private func lockable(_ id: UInt64) throws(FileSystemError) -> ItemReference {
        let (reference, allowsLocks) = tree.withLock { tree in
            (tree.reference(of: id), tree.account?.policy.allowsLocks ?? true)
        }
        guard allowsLocks, cloud.capabilities.lockSeconds != nil else {
            throw FileSystemError(.notSupported, "this cloud, or its policy, has no locks")
        }
        guard let reference else {
            throw FileSystemError(.notSupported, "it is not on the server yet")
        }
        return reference
    }

    private func node(at path: [String]) async throws(FileSystemError) -> UInt64 {
        var current = Tree.rootID
        for name in path {
            try await ensureListed(current)
            guard let next = tree.withLock({ $0.child(of: current, named: name)?.id }) else {
                throw FileSystemError(.notFound, "no \(name) in the mount")
            }
            current = next
        }
        return current
    }
}

extension Tree {
    fileprivate func lockText(of id: UInt64) -> String {
        guard let node = nodes[id] else { return "it is gone" }
        let lock = foreignLock(on: node) ?? ForeignLock()
        return "\(node.name) \(lock.text)"
    }
}
