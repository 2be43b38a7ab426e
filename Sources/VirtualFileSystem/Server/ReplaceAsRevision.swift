import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import Reconciler
import StateStore
import Synchronization

/// Giving a removed file's item the content of the file that takes its place.
extension VirtualFileSystem {
    /// The content becomes the next revision of the other file, which keeps its identity (rule 2).
    func replaceAsRevision(_ plan: Replacement) async throws(JobFailure) {
        guard let node = tree.withLock({ $0.nodes[plan.item] }) else { return }
        guard node.working?.isSaved ?? true else {
            try await keepUnconfirmed(plan.item)
            return try await inherit(plan, node, stored: nil)
        }
        guard let saved = node.server else {
            throw JobFailure(FileSystemError(.stale, "the file is gone"))
        }
        let copy = try await asLocalJob { () async throws(FileSystemError) in
            try await self.copy(of: node, saved)
        }
        let removed = tree.withLock { $0.nodes[plan.removed]?.inode } ?? InodeNumber(plan.removed)
        defer { copy.discard(keeping: sentPaths(of: removed)) }
        let content = LocalContent(
            path: copy.path, size: saved.size, modified: timeToSend(of: node.id))
        let stored = ServerSide(try await upload(content, as: plan, inode: removed))
        forgetCached(stored)
        try await inherit(plan, node, stored: (stored, copy))
    }

    /// Deletes the item that the file was so far, and makes the other one its own.
    /// - Parameter stored: what the other one has by now, and a file with the same content, which the
    ///   cache takes; nil where the content is to be sent next.
    private func inherit(
        _ plan: Replacement, _ node: Node, stored copy: (server: ServerSide, file: WorkingCopy)?
    ) async throws(JobFailure) {
        let taken = copy?.server ?? plan.known
        let gone = PlannedMove(
            item: plan.move.item, place: nil, origin: plan.move.origin,
            revision: node.server?.revision)
        let seen = SeenVersion(node.server)
        let stored = SeenVersion(copy?.server)
        _ = try await asJob { () async throws(CloudStorageError) in
            var undertaking = self.undertaking(for: [gone])
            undertaking.seen = [seen]
            undertaking.heir = plan.reference
            undertaking.heirSeen = copy == nil ? SeenVersion(plan.known) : nil
            undertaking.heirStored = stored
            return try await self.undertake(undertaking, of: plan.item)
        }
        if let copy { await keep(copy.file, as: copy.server) }
        inheritLock(of: plan.removed, plan.reference, by: plan.item, plan.move.item)
        forgetDeleted([plan.removed], inJobOf: plan.item)
        tree.withLock { tree in
            tree.recordDeparture(of: plan.move.item)
            tree.acknowledge(plan.item, taken, at: plan.goal)
            tree.nodes[plan.item]?.lockClaims -= 1
            if copy == nil {
                tree.nodes[plan.item]?.working?.markUnsaved()
            } else {
                if node.overlay.revision == node.server?.revision {
                    tree.nodes[plan.item]?.overlay.revision = taken.revision
                }
                tree.noteServerTime(of: plan.item)
            }
        }
        if copy != nil { store.enqueue(timeRecord(of: plan.item)) }
        await giveLockBack(plan.item)
    }

    /// Content that no close has confirmed survives from now on as it is: what it came from goes.
    private func keepUnconfirmed(_ id: UInt64) async throws(JobFailure) {
        guard let node = tree.withLock({ $0.nodes[id] }), let working = node.working else { return }
        try await complete(working, of: id)
        guard working.kept == nil else { return }
        let rows = tree.withLock { tree in
            working.keep(whole: false)
            return tree.recordChanges(of: [id])
        }
        try await asLocalJob { () async throws(FileSystemError) in
            try await self.store.commit(rows, durability: .normal)
        }
    }

    /// A file of its own with a saved file's content: what is here of it, or else what the server has.
    private func copy(
        of node: Node, _ saved: ServerSide
    ) async throws(FileSystemError) -> WorkingCopy {
        if let working = node.working, let copy = try await copy(of: working, node, saved.size) {
            return copy
        }
        let reference = tree.withLock { $0.reference(of: node.id) } ?? saved.reference
        let base = try cachedContent(for: saved, reference: reference)
        let copy = try await newWorkingCopy(of: node.inode, base: base)
        do throws(FileSystemError) {
            try await copy.fill(ByteRange(0, saved.size), on: disk)
        } catch {
            copy.discard()
            throw error
        }
        return copy
    }

    /// What is still open, or waits for its turn, the cache does not have. Nil where not all that the
    /// server has is in the working copy, or a program has just changed it.
    private func copy(
        of working: WorkingCopy, _ node: Node, _ size: Int64
    ) async throws(FileSystemError) -> WorkingCopy? {
        guard let frozen = working.freezeSaved(size: size) else { return nil }
        defer { working.unfreeze(frozen.file, sent: sentPaths(of: node.inode)) }
        let copy = try await newWorkingCopy(of: node.inode, base: nil)
        do throws(FileSystemError) {
            try await disk.run { () throws(FileSystemError) in
                try copy.file.truncate(to: size)
                try frozen.file.copy(ByteRange(0, size), to: copy.file, at: 0)
            }
        } catch {
            copy.discard()
            throw error
        }
        return copy
    }

    /// Uploads a copy of a saved file's content as the next version of the removed one; on record, so
    /// that it is known as our own after a crash.
    private func upload(
        _ content: LocalContent, as plan: Replacement, inode removed: InodeNumber
    ) async throws(JobFailure) -> CloudItem {
        let isFirstTry = try await noteSending(content, of: removed, to: plan.place)
        do throws(CloudStorageError) {
            return try await cloud.upload(
                content, name: plan.place.name, to: plan.place.folder,
                onto: target(plan.known.revision))
        } catch {
            if isFirstTry, !error.mayHaveHappened {
                store.enqueue(forgetSent(removed, content.path))
            }
            // The next try sees what the server has, and keeps both.
            guard error.kind == .revisionChanged else { throw JobFailure(error) }
            throw JobFailure(FileSystemError(error), .retry(after: nil))
        }
    }

    /// Hands what the server has under a new revision to the cache, before anybody can ask for that.
    /// Where it can't be kept it is fetched.
    private func keep(_ copy: WorkingCopy, as server: ServerSide) async {
        do throws(FileSystemError) {
            try await disk.run { () throws(FileSystemError) in
                try self.cache.adopt(
                    file: copy.path, as: server.contentKey, size: server.size)
            }
        } catch {
            logger.warning("a stored file could not be cached", metadata: ["error": "\(error)"])
        }
    }
}
