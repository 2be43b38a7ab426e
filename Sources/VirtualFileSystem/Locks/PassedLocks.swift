import CloudStorage
import FileSystemTypes
import LockManager
import Logging
import StateStore
import Synchronization

/// Locks of files that replace one another, and of content that outlives a mount.
extension VirtualFileSystem {
    /// The locks that programs and persons keep of an item are those of the one that has replaced it.
    /// Returns whether there are such locks.
    @discardableResult
    func moveKeptLocks(from old: ItemReference, to new: ItemReference) -> Bool {
        guard ItemKey(old) != ItemKey(new), keptLocks.withLock({ $0.move(from: old, to: new) })
        else { return false }
        recordLocksByHand()
        locks.rekey(from: old, to: new)
        return true
    }

    /// A file has given up its own item for that of one that was removed here: the lock of that is
    /// its own from now on, where it still needs one, and there is none of the item that is gone.
    ///
    /// Claims the lock: the caller ends that once the file is known as the item.
    ///
    /// - Parameters:
    ///   - item: what the removed file was on the server, and the other one is now.
    ///   - gone: what the other one was.
    func inheritLock(
        of removed: UInt64, _ item: ItemReference, by id: UInt64, _ gone: ItemReference
    ) {
        let isKept = moveKeptLocks(from: gone, to: item)
        let (hadLock, takesIt) = tree.withLock { tree in
            guard let node = tree.nodes[id] else { return (false, false) }
            let isNeeded = node.isBeingWritten || node.working?.isSaved == false
            let isThere = tree.nodes[removed]?.holdsLock ?? false
            if isNeeded, isThere { tree.nodes[removed]?.holdsLock = false }
            tree.nodes[id]?.holdsLock = isNeeded && (isThere || node.holdsLock)
            tree.nodes[id]?.lockClaims += 1
            return (node.holdsLock, isNeeded && !isThere)
        }
        guard hadLock else { return }
        if isKept {
            // Its hold has moved with the others.
            if !takesIt { Task { await locks.release(item) } }
        } else {
            locks.rekey(from: gone, to: takesIt ? item : nil)
        }
    }

    /// Items were deleted, or, where they may live on, have another content: locks of theirs go back,
    /// and programs that have a document open keep that of the file that has its name now.
    func giveLocksBack(of items: [(item: ItemReference, isLocked: Bool)], mayLiveOn: Bool) {
        for (item, isLocked) in items where isLocked { Task { await locks.release(item) } }
        guard !mayLiveOn else { return }
        let gone = Set(items.map { ItemKey($0.item) })
        let owners = keptLocks.withLock { kept in
            kept.documents.filter { gone.contains(ItemKey($0.value)) }.keys.sorted()
        }
        for owner in owners {
            guard let node = tree.withLock({ $0.nodes[owner] }), let folder = node.parent,
                let (document, _) = document(ofOwnerFile: node.name, in: folder)
            else { continue }
            lockForOwnerFile(of: document)
        }
    }

    /// A document has become an item of the server, or another item has its name: where a program has
    /// it open, which an owner file beside it says, its lock is taken. Nobody waits for that.
    func lockForOwnerFile(of id: UInt64) {
        guard bridgesOwnerFiles, !isServerSilent, let (owner, item) = ownerFile(of: id),
            keptLocks.withLock({ $0.documents[owner].map { ItemKey($0) } }) != ItemKey(item)
        else { return }
        Task {
            do throws(CloudStorageError) {
                try await acquire(item)
            } catch {
                if error.kind == .locked { noteForeignLock(on: id) }
                return logger.info(
                    "an open document has no lock", metadata: ["error": "\(error)"])
            }
            let old = keptLocks.withLock { $0.documents.updateValue(item, forKey: owner) }
            if let old { await locks.release(old) }
            // The program may have closed it before the lock was on record.
            if ownerFile(of: id)?.node != owner { ownerFileIsGone(owner) }
        }
    }

    /// The owner file that a program has made for a document of the server.
    private func ownerFile(of id: UInt64) -> (node: UInt64, document: ItemReference)? {
        tree.withLock { tree in
            guard tree.account?.policy.allowsLocks ?? true, let node = tree.nodes[id],
                node.kind == .file, let folder = node.parent, let item = tree.reference(of: id)
            else { return nil }
            for name in OwnerFileName.names(for: node.name) {
                if let owner = tree.child(of: folder, named: name), owner.isLocalOnly,
                    owner.notice == nil
                {
                    return (owner.id, item)
                }
            }
            return nil
        }
    }

    /// What the server has of files whose content it does not have yet, and which are to be locked.
    func unsentItems() -> [ItemReference] {
        guard options.locking != .off, cloud.capabilities.lockSeconds != nil else { return [] }
        return tree.withLock { tree in
            guard tree.account?.policy.allowsLocks ?? true else { return [] }
            return tree.nodes.values.filter(\.isUnsentVersion).compactMap {
                tree.reference(of: $0.id)
            }
        }
    }

    /// Whether an item waits for content of this machine.
    func isUnsent(_ item: ItemReference) -> Bool {
        tree.withLock { tree in
            tree.byKey[ItemKey(item)].flatMap { tree.nodes[$0] }?.isUnsentVersion ?? false
        }
    }
}

extension Node {
    /// Whether it is a file of the server with content that the server does not have.
    fileprivate var isUnsentVersion: Bool {
        kind == .file && server != nil && !isRemoved && !isLocalOnly && working?.isSaved == false
    }
}
