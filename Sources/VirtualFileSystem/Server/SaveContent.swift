import BlockCache
import CloudStorage
import FileSystemTypes
import LockManager
import Logging
import Reconciler
import StateStore
import Synchronization

/// Storing a file's content on the server.
extension VirtualFileSystem {
    /// Brings the server to the content of a file's working copy, as it is when this begins.
    func storeContent(of id: UInt64) async throws(JobFailure) {
        guard let node = tree.withLock({ $0.nodes[id] }), let working = node.working,
            !working.isSaved, !node.isRemoved
        else { return }
        try await complete(working, of: id)
        await tryToFinishUndertakings()
        try await clearOrphans(before: id)
        try await settleUndertakings(of: [id])
        // That may have been all there was to do.
        guard !working.isSaved, let place = tree.withLock({ $0.storagePlace(of: id) }) else {
            return
        }
        try await clearSent(of: id, elsewhereThan: place)
        guard let frozen = try await freeze(working, of: id) else { return }
        let result: Result<Void, JobFailure>
        do throws(JobFailure) {
            result = .success(try await send(frozen, of: id, working, at: place))
        } catch {
            result = .failure(error)
        }
        working.unfreeze(frozen.file, sent: sentPaths(of: node.inode))
        // The row speaks of what there is before anything goes.
        var answered: [StateChange] = []
        if case .success = result {
            answered = forgetSent(node.inode) + forgetBase(node.inode) + timeRecord(of: id)
        }
        let rows = tree.withLock { $0.recordChanges(of: [id]) } + answered
        try await asLocalJob { () async throws(FileSystemError) in
            try await self.store.commit(rows, durability: .normal)
        }
        working.removeSuperseded(keeping: sentPaths(of: node.inode))
        try result.get()
    }

    /// Fetches what is missing, and journals that it is here: what it came from may go.
    func complete(_ working: WorkingCopy, of id: UInt64) async throws(JobFailure) {
        guard !working.isComplete else { return }
        try await asLocalJob { () async throws(FileSystemError) in
            try await working.fill(ByteRange(0, working.size), on: self.disk)
            try await self.disk.run { () throws(FileSystemError) in try working.sync() }
            working.noteFilled()
            let rows = self.tree.withLock { $0.recordChanges(of: [id]) }
            try await self.store.commit(rows, durability: .normal)
        }
    }

    private func send(
        _ frozen: FrozenContent, of id: UInt64, _ working: WorkingCopy, at place: NodePlace
    ) async throws(JobFailure) {
        let server = tree.withLock { $0.nodes[id]?.server }
        let content = LocalContent(
            path: frozen.file.path, size: frozen.size, modified: timeToSend(of: id))
        if let server, await isCached(server, equalTo: content) {
            return acknowledgeUnchanged(id, working, generation: frozen.generation)
        }
        var isFirstTry = false
        if let node = tree.withLock({ $0.nodes[id] }),
            let target = tree.withLock({ $0.serverPlace(at: place) })
        {
            isFirstTry = try await noteSending(content, of: node.inode, to: target)
        }
        let saved: SavedContent
        do throws(CloudStorageError) {
            saved = try await store(content, of: id, at: place)
        } catch {
            if isFirstTry, !error.mayHaveHappened {
                store.enqueue(forgetSent(inodeNumber(of: id), content.path))
            }
            throw placeFailure(error, folder: place.folder)
        }
        acknowledgeSave(of: id, saved, working, generation: frozen.generation)
    }

    private func acknowledgeSave(
        of id: UInt64, _ saved: SavedContent, _ working: WorkingCopy, generation: UInt64
    ) {
        let next = ServerSide(saved.item)
        let old = tree.withLock { $0.nodes[id]?.server }
        if old?.revision == next.revision { forgetCached(next) }
        let lock = tree.withLock { tree in
            let oldSize = tree.nodes[id]?.server?.size ?? 0
            tree.acknowledge(id, next, at: saved.place)
            // What it may have had was the lock of an item that is gone.
            if old == nil { tree.nodes[id]?.holdsLock = false }
            tree.nodes[id]?.overlay.revision = saved.item.revision
            tree.bytesSinceAccount += saved.item.size - oldSize
            working.markSaved(generation)
            tree.noteServerTime(of: id)
            return saved.left.flatMap { tree.leaveLock(of: id, on: $0) }
        }
        if let lock { Task { await locks.release(lock) } }
        // A close that waits for the server counts as an open handle: it needs no lock any more.
        let isNewlyOpen = old == nil && options.synchronization != .all
        if lock != nil || isNewlyOpen { lockWhileWritten(id) }
        if old == nil { lockForOwnerFile(of: id) }
    }

    /// The content is, byte for byte, what the server has: nothing is sent.
    private func acknowledgeUnchanged(_ id: UInt64, _ working: WorkingCopy, generation: UInt64) {
        tree.withLock { tree in
            let revision = tree.nodes[id]?.server?.revision
            tree.nodes[id]?.overlay.revision = revision
            working.markSaved(generation)
        }
    }

    /// Uploads `content` as what the file is on the server now: new, replaced, or gone.
    private func store(
        _ content: LocalContent, of id: UInt64, at target: NodePlace
    ) async throws(CloudStorageError) -> SavedContent {
        guard let place = tree.withLock({ $0.serverPlace(at: target) }) else {
            throw CloudStorageError(.notFound, "the file's folder is not on the server")
        }
        let (known, reference) = tree.withLock { ($0.nodes[id]?.server, $0.reference(of: id)) }
        guard let old = known else { return try await storeNew(content, of: id, at: target, place) }
        let stored = reference ?? old.reference
        if checksTargets, let revision = old.revision {
            do throws(CloudStorageError) {
                let next = try await uploadNext(content, of: stored, revision, as: place)
                return SavedContent(item: next, place: target)
            } catch {
                guard error.kind == .revisionChanged || error.kind == .notFound else { throw error }
            }
        }
        let current: CloudItem
        do throws(CloudStorageError) {
            current = try await cloud.item(stored)
        } catch {
            // Somebody deleted it: what was changed here counts for more.
            guard error.kind == .notFound else { throw error }
            let saved = try await storeNew(content, of: id, at: target, place)
            if ItemKey(stored) != ItemKey(saved.item.reference) {
                moveLock(of: id, from: stored, to: saved.item.reference)
            }
            return saved
        }
        guard current.revision == old.revision else {
            if try await isContent(content, equalTo: current) {
                return SavedContent(item: current, place: target)
            }
            var isOurs = try await isOurs(current, inodeNumber(of: id))
            if !isOurs { isOurs = try await isTimeOnly(current, of: id) }
            if isOurs {
                let item = try await storeNext(content, of: id, insteadOf: current, place)
                return SavedContent(item: item, place: target)
            }
            var saved = try await keepBoth(content, of: id, at: target, place)
            saved.left = stored
            return saved
        }
        guard current.name.hasSameBytes(as: place.name) else {
            followRename(of: id, from: target, to: current.name)
            throw CloudStorageError(
                .temporarilyUnavailable, "another client has just renamed it to \(current.name)")
        }
        let item = try await storeNext(content, of: id, insteadOf: current, place)
        return SavedContent(item: item, place: target)
    }

    func inodeNumber(of id: UInt64) -> InodeNumber {
        tree.withLock { $0.nodes[id]?.inode } ?? InodeNumber(id)
    }

    /// Another client has given a file another name in its folder: so does this machine, where that
    /// is free; else the file gets its own back.
    private func followRename(of id: UInt64, from target: NodePlace, to name: String) {
        let changes = tree.withLock { tree -> [StateChange] in
            guard let node = tree.nodes[id], let server = node.server else { return [] }
            let home = NodePlace(folder: target.folder, name: name)
            let isUnmoved = tree.goal(of: node) == target && node.kind == .file
            if isUnmoved, let parent = node.parent, tree.child(of: parent, named: name) == nil {
                tree.move(id, to: parent, name: name)
            }
            tree.acknowledge(id, server, at: home)
            tree.compare(id)
            return tree.recordChanges(of: [id])
        }
        store.enqueue(changes)
        notifier?.invalidateEntry(parent: target.folder, name: target.name.name)
        notifier?.invalidateEntry(parent: target.folder, name: name)
    }

    /// Uploads content as the next version of a file whose present version this machine has seen.
    func storeNext(
        _ content: LocalContent, of id: UInt64, insteadOf current: CloudItem, _ place: ServerPlace
    ) async throws(CloudStorageError) -> CloudItem {
        if checksTargets, let revision = current.revision {
            do throws(CloudStorageError) {
                return try await uploadNext(content, of: current.reference, revision, as: place)
            } catch {
                guard error.kind == .revisionChanged else { throw error }
                // Somebody has been quicker just now: the next try keeps both.
                throw CloudStorageError(
                    .temporarilyUnavailable, error.message, mayHaveHappened: error.mayHaveHappened)
            }
        }
        if uploadOntoName != .conflict {
            do throws(CloudStorageError) {
                let item = try await cloud.upload(content, name: place.name, to: place.folder)
                if item.reference.id == current.reference.id {
                    learnedUploadBehaviour.withLock { $0 = .revision }
                }
                return item
            } catch {
                if error.mayHaveHappened,
                    let item = try await after(
                        error,
                        { () async throws(CloudStorageError) in
                            try await self.stored(
                                content, in: current.reference, current.revision)
                        })
                {
                    return item
                }
                guard error.kind == .nameConflict else { throw error }
                learnedUploadBehaviour.withLock { $0 = .conflict }
            }
        }
        return try await replace(current, with: content, of: id, at: place)
    }

    /// Uploads content onto a revision that this machine has seen, and no other.
    private func uploadNext(
        _ content: LocalContent, of item: ItemReference, _ revision: String, as place: ServerPlace
    ) async throws(CloudStorageError) -> CloudItem {
        do throws(CloudStorageError) {
            return try await cloud.upload(
                content, name: place.name, to: place.folder, onto: .revision(revision))
        } catch {
            guard error.mayHaveHappened else { throw error }
            let found = try await after(error) { () async throws(CloudStorageError) in
                try await self.stored(content, in: item, revision)
            }
            guard let found else { throw error }
            return found
        }
    }

    /// The item, if an upload whose answer was lost has made `content` its next revision.
    private func stored(
        _ content: LocalContent, in item: ItemReference, _ oldRevision: String?
    ) async throws(CloudStorageError) -> CloudItem? {
        let current = try await cloud.item(item)
        guard current.revision != oldRevision else { return nil }
        return try await isContent(content, equalTo: current) ? current : nil
    }

    private func storeNew(
        _ content: LocalContent, of id: UInt64, at target: NodePlace, _ place: ServerPlace
    ) async throws(CloudStorageError) -> SavedContent {
        do throws(CloudStorageError) {
            let item =
                if let copy = try await copyInstead(of: content, for: id, to: place) {
                    copy
                } else if checksTargets {
                    try await cloud.upload(
                        content, name: place.name, to: place.folder, onto: .nothing)
                } else if uploadOntoName == .conflict {
                    try await cloud.upload(content, name: place.name, to: place.folder)
                } else {
                    try await storeWithoutOverwriting(content, of: id, at: place)
                }
            return SavedContent(item: item, place: target)
        } catch {
            guard error.kind == .nameConflict || error.mayHaveHappened else { throw error }
            return try await after(error) { () async throws(CloudStorageError) in
                guard let other = try await self.entry(named: place.name, in: place.folder) else {
                    throw error
                }
                // Our own upload whose answer was lost, or a stranger's.
                if try await self.isContent(content, equalTo: other), self.take(other, for: id) {
                    return SavedContent(item: other, place: target)
                }
                var isOurs = try await self.isOurs(other, self.inodeNumber(of: id))
                if !isOurs { isOurs = try await self.isStray(other, at: place) }
                if isOurs, self.take(other, for: id) {
                    let item = try await self.storeNext(content, of: id, insteadOf: other, place)
                    return SavedContent(item: item, place: target)
                }
                return try await self.keepBoth(content, of: id, at: target, place)
            }
        }
    }

    /// Goes on after a call that failed; where that may have been done all the same, a later failure
    /// says so too, so that what was sent stays on record.
    func after<Value>(
        _ earlier: CloudStorageError, _ work: () async throws(CloudStorageError) -> Value
    ) async throws(CloudStorageError) -> Value {
        do throws(CloudStorageError) {
            return try await work()
        } catch {
            guard earlier.mayHaveHappened, !error.mayHaveHappened else { throw error }
            throw CloudStorageError(
                error.kind, error.message, retryAfter: error.retryAfter, mayHaveHappened: true)
        }
    }

    /// The entry of that name in a folder as it is on the server now.
    func entry(
        named name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem? {
        if let identities { return try await identities.entry(named: name, in: folder) }
        guard case .entries(let items, _, _) = try await cloud.list(folder, validator: nil) else {
            throw CloudStorageError(.invalidAnswer, "not modified, but nothing was known")
        }
        return items.first { $0.name.hasSameBytes(as: name) }
    }
}

/// An item of the server that has a file's content now, and where it is.
struct SavedContent: Sendable {
    var item: CloudItem
    var place: NodePlace
    /// The item that the file was so far, and that stays on the server beside this one.
    var left: ItemReference?
}

/// Where a file belongs on the server.
struct ServerPlace: Sendable {
    var folder: ItemReference
    var name: String

    var placement: Placement { Placement(folder: FolderKey(folder), name: name) }
}
