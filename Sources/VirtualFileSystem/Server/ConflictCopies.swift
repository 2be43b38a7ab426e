import CloudStorage
import FileSystemTypes
import Logging
import Reconciler
import StateStore
import Synchronization

/// Keeping both sides of a conflict, each under a name of its own (DESIGN section 1).
extension VirtualFileSystem {
    /// Saves the content beside a version that this machine has not seen (DESIGN section 1).
    func keepBoth(
        _ content: LocalContent, of id: UInt64, at target: NodePlace, _ place: ServerPlace
    ) async throws(CloudStorageError) -> SavedContent {
        if let item = try await ownConflictCopy(content, of: id, at: place) {
            await showConflict(of: id, at: target, as: item.name)
            return SavedContent(
                item: item, place: NodePlace(folder: target.folder, name: item.name))
        }
        var attempt = 1
        while true {
            let name = ConflictName.make(
                for: place.name, host: options.hostName, date: options.chance.nameStamp(),
                attempt: attempt)
            do throws(CloudStorageError) {
                var isTaken = false
                if !checksTargets {
                    isTaken = try await entry(named: name, in: place.folder) != nil
                }
                if !isTaken {
                    try await noteCopying(content, of: id, as: name, in: place.folder)
                    let item = try await cloud.upload(
                        content, name: name, to: place.folder,
                        onto: checksTargets ? .nothing : .anything)
                    await showConflict(of: id, at: target, as: name)
                    return SavedContent(
                        item: item, place: NodePlace(folder: target.folder, name: name))
                }
            } catch {
                if error.mayHaveHappened,
                    let item = try await after(
                        error,
                        { () async throws(CloudStorageError) in
                            try await self.copy(of: content, named: name, in: place.folder)
                        })
                {
                    await showConflict(of: id, at: target, as: name)
                    return SavedContent(
                        item: item, place: NodePlace(folder: target.folder, name: name))
                }
                guard error.kind == .nameConflict, attempt < 8 else { throw error }
            }
            attempt += 1
        }
    }

    /// Records the copy as on its way: one that arrives unheard, of a file that is removed here
    /// meanwhile, is known as our own.
    private func noteCopying(
        _ content: LocalContent, of id: UInt64, as name: String, in folder: ItemReference
    ) async throws(CloudStorageError) {
        do throws(JobFailure) {
            _ = try await noteSending(
                content, of: inodeNumber(of: id), to: ServerPlace(folder: folder, name: name))
        } catch {
            throw CloudStorageError(.localFile, error.error.message)
        }
    }

    /// The entry of that name, if it has the content.
    private func copy(
        of content: LocalContent, named name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem? {
        guard let item = try await entry(named: name, in: folder) else { return nil }
        return try await isContent(content, equalTo: item) ? item : nil
    }

    /// A conflict copy that an earlier try has left, its answer unheard, with this content in it.
    private func ownConflictCopy(
        _ content: LocalContent, of id: UInt64, at place: ServerPlace
    ) async throws(CloudStorageError) -> CloudItem? {
        guard case .entries(let items, _, _) = try await cloud.list(place.folder, validator: nil)
        else { return nil }
        let prefix = "\(SplitName(place.name).stem) (conflict \(options.hostName) "
        for item in items where item.name.hasPrefix(prefix) {
            guard try await isUnclaimed(item) else { continue }
            if try await isContent(content, equalTo: item) {
                if take(item, for: id) { return item }
            } else if try await isOurs(item, inodeNumber(of: id)), take(item, for: id) {
                // An earlier state of it.
                let place = ServerPlace(folder: place.folder, name: item.name)
                return try await storeNext(content, of: id, insteadOf: item, place)
            }
        }
        return nil
    }

    /// Whether no file here has ever had the item stored, be it in memory or in the state table:
    /// nobody knows it but a listing.
    func isUnclaimed(_ item: CloudItem) async throws(CloudStorageError) -> Bool {
        let key = ItemKey(item.reference)
        let isUnclaimed: Bool? = tree.withLock { tree in
            guard let holder = tree.byKey[key] else { return nil }
            return tree.isUntouched(holder) && tree.nodes[holder]?.overlay.revision == nil
        }
        if let isUnclaimed { return isUnclaimed }
        return try await storedRecord(of: key)?.overlay.revision == nil
    }

    /// The state table's record of an item.
    func storedRecord(of key: ItemKey) async throws(CloudStorageError) -> InodeRecord? {
        try await localAsync { () async throws(FileSystemError) in
            try await self.store.records(for: [key])[key]
        }
    }

    /// Takes an item away from the file that a listing since may have made of it; false where
    /// something is done with that file here.
    func take(_ item: CloudItem, for id: UInt64) -> Bool {
        var effects = MergeEffects()
        let isFree = tree.withLock { tree in
            guard let holder = tree.byKey[ItemKey(item.reference)], holder != id else {
                return true
            }
            guard tree.isUntouched(holder) else { return false }
            tree.vanish(holder, &effects)
            return true
        }
        carryOut(effects)
        return isFree
    }

    /// The file takes the conflict copy's name; its own name is looked up again.
    private func showConflict(of id: UInt64, at target: NodePlace, as name: String) async {
        let change: (parent: UInt64, old: String)? = tree.withLock { tree in
            guard let node = tree.nodes[id], let parent = node.parent,
                tree.goal(of: node) == target
            else { return nil }
            let original = tree.path(of: id)
            tree.move(id, to: parent, name: name)
            tree.forgetValidator(of: parent)
            tree.nodes[parent]?.validatedAt = -.infinity
            if let copy = tree.path(of: id), let original { tree.addConflict(copy, original) }
            return (parent, node.name)
        }
        guard let change else { return }
        journalConflicts()
        notifier?.invalidateEntry(parent: change.parent, name: change.old)
        notifier?.invalidateEntry(parent: change.parent, name: name)
        logger.warning("kept both versions of a file", metadata: ["copy": "\(name)"])
        refreshLater(change.parent)
    }
}

extension Tree {
    /// Whether a file is as the server has it, and no program uses it.
    fileprivate func isUntouched(_ id: UInt64) -> Bool {
        guard let node = nodes[id] else { return true }
        return node.parent != nil && node.displaced == nil && node.working == nil
            && node.openHandles == 0 && node.busy == 0
    }
}
