import BlockCache
import CloudStorage
import FileSystemTypes
import LockManager
import Reconciler
import StateStore
import Synchronization

/// Deleting, and giving the place of one file to another.
extension VirtualFileSystem {
    /// Deletes an item unless it is, or holds, something this machine has not seen (rule 4).
    func delete(_ id: UInt64, with others: [UInt64]) async throws(JobFailure) {
        try await clearOrphans()
        try await settleUndertakings(of: [id] + others)
        let (known, reference) = tree.withLock { ($0.nodes[id]?.server, $0.reference(of: id)) }
        guard let known, let reference else { return forgetDeleted([id] + others) }
        do throws(CloudStorageError) {
            if reference.isFolder {
                try await checkContents(of: [id] + others)
                try await deleteOnce(reference, revision: known.revision)
            } else {
                try await deleteUnchanged(id, known, reference)
            }
        } catch {
            guard error.kind == .notFound else {
                if error.kind == .revisionChanged { refreshHome(of: id) }
                throw JobFailure(error)
            }
            return forgetDeleted([id] + others, byOther: true)
        }
        forgetDeleted([id] + others)
    }

    /// Deletes a file in the version that this machine has seen, or has sent unheard.
    private func deleteUnchanged(
        _ id: UInt64, _ known: ServerSide, _ reference: ItemReference
    ) async throws(CloudStorageError) {
        if checksTargets {
            // The server compares; a look is needed only where it refuses.
            do throws(CloudStorageError) {
                return try await deleteOnce(reference, revision: known.revision)
            } catch {
                guard error.kind == .revisionChanged else { throw error }
            }
        }
        let current = try await checkUnchanged(id, known, reference)
        try await deleteOnce(reference, revision: current.revision)
    }

    private func refreshHome(of id: UInt64) {
        let folder = tree.withLock { tree in tree.nodes[id].flatMap { tree.home(of: $0) }?.folder }
        if let folder { refreshLater(folder) }
    }

    /// Refuses to touch a version that this machine has not seen (rule 4).
    private func checkUnchanged(
        _ id: UInt64, _ known: ServerSide, _ reference: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        let current = try await cloud.item(reference)
        if current.revision == known.revision { return current }
        // What it sent without hearing the answer counts as seen.
        if try await isOurs(current, inodeNumber(of: id)) { return current }
        guard try await isTimeOnly(current, of: id) else {
            throw CloudStorageError(
                .revisionChanged, "another client changed it; look at it again")
        }
        return current
    }

    /// Deletes; where the answer was lost, looks whether it was done.
    private func deleteOnce(
        _ reference: ItemReference, revision: String?
    ) async throws(CloudStorageError) {
        do throws(CloudStorageError) {
            try await deleteItem(reference, revision: revision)
        } catch {
            guard error.mayHaveHappened else { throw error }
            _ = try await cloud.item(reference)
            try await deleteItem(reference, revision: revision)
        }
    }

    /// Deletes an item; a listing that was asked for before, and comes later, does not show it again.
    func deleteItem(
        _ reference: ItemReference, revision: String? = nil
    ) async throws(CloudStorageError) {
        try await cloud.delete(reference, revision: revision)
        tree.withLock { $0.recordDeparture(of: reference) }
    }

    /// The server no longer has what was removed here.
    ///
    /// - Parameters:
    ///   - byOther: whether another client has deleted it. What was sent of it unheard may then have
    ///     made an item of its own, which is looked for as an orphan.
    ///   - job: the item whose job replaces it: the rows end with that job's, since its record speaks
    ///     of both until then.
    func forgetDeleted(
        _ ids: [UInt64], byOther: Bool = false, inJobOf job: UInt64? = nil
    ) {
        var deleted: [(item: ItemReference, isLocked: Bool)] = []
        let (changes, inodes) = tree.withLock { tree -> ([StateChange], [InodeNumber]) in
            var changes: [StateChange] = []
            var inodes: [InodeNumber] = []
            for id in ids {
                guard let node = tree.nodes[id], node.isRemoved else { continue }
                if let server = node.server {
                    tree.recordDeparture(of: server.reference)
                    if let home = tree.home(of: node) { tree.forgetValidator(of: home.folder) }
                    tree.bytesSinceAccount -= server.size
                }
                if let server = node.server { deleted.append((server.reference, node.holdsLock)) }
                tree.nodes[id]?.holdsLock = false
                tree.acknowledge(id, nil)
                tree.compare(id)
                changes.append(tree.removal(of: node))
                inodes.append(node.inode)
                tree.dropIfUnused(id)
            }
            return (changes + tree.recordChanges(of: []), inodes)
        }
        // The item may live on with another content.
        giveLocksBack(of: deleted, mayLiveOn: job != nil)
        let ends = changes + (byOther ? [] : inodes.flatMap { endSent($0) })
        guard let job else { return store.enqueue(ends) }
        ended.withLock { $0[job, default: []] += ends }
    }

    // MARK: Taking a place

    /// A file that is only here becomes the next content of one that was removed here (rule 2).
    func adopt(_ removed: UInt64, by id: UInt64) async throws(JobFailure) {
        try await settleUndertakings(of: [removed])
        try await keepReadable(removed)
        var inodes: (old: InodeNumber, new: InodeNumber)?
        let changes = tree.withLock { tree -> [StateChange] in
            guard let old = tree.nodes[removed], old.isRemoved, let server = old.server,
                let home = old.displaced, let node = tree.nodes[id], node.server == nil
            else { return [] }
            inodes = (old.inode, node.inode)
            tree.acknowledge(removed, nil)
            tree.acknowledge(id, server, at: home)
            tree.nodes[id]?.working?.markUnsaved()
            if old.holdsLock {
                tree.nodes[removed]?.holdsLock = false
                tree.nodes[id]?.holdsLock = true
            }
            tree.compare(removed)
            tree.compare(id)
            return [tree.removal(of: old)] + tree.recordChanges(of: [id])
        }
        let passed = inodes
        try await asLocalJob { () async throws(FileSystemError) in
            var changes = changes
            if let passed { changes += try self.inheritSent(from: passed.old, to: passed.new) }
            try await self.store.commit(changes, durability: .normal)
        }
    }

    /// Gives an item of the server the place of one that was removed here.
    func replace(_ removed: UInt64, by id: UInt64) async throws(JobFailure) {
        try await clearOrphans()
        try await settleUndertakings(of: [id, removed])
        let plan = tree.withLock { tree -> Replacement? in
            guard let old = tree.nodes[removed], let known = old.server, old.isRemoved,
                let reference = tree.reference(of: removed),
                let (move, goal) = tree.relocation(of: id), let place = move.place
            else { return nil }
            return Replacement(
                item: id, move: move, goal: goal, place: place, removed: removed, known: known,
                reference: reference)
        }
        guard var plan else { return try await lookFor(id) }
        // Where the one is gone there is nothing to give the other's place to.
        guard let isSeen = try await isUnchanged(id, plan.move.item) else {
            return try itemIsGone(id)
        }
        try await keepReadable(removed)
        let isInPlace: Bool
        do throws(CloudStorageError) {
            let current = try await checkUnchanged(plan.removed, plan.known, plan.reference)
            // An upload finds it by its name, which another client may have changed.
            isInPlace = current.reference.path == plan.reference.path
            // What was sent unheard is seen by now, and is what the server has to be told of.
            plan.known = ServerSide(current)
        } catch {
            switch error.kind {
            case .notFound: return forgetDeleted([removed], byOther: true)
            case .revisionChanged:
                refreshLater(plan.goal.folder)
                // A program that waits is told; nobody else is there to be told.
                guard options.synchronization == .none else { throw JobFailure(error) }
                giveConflictName(id)
                return lookAgain(at: bringBack([removed]))
            default: throw JobFailure(error)
            }
        }
        if uploadOntoName == .revision, isSeen, isInPlace {
            try await replaceAsRevision(plan)
        } else {
            try await replaceByMoving(plan)
        }
    }

    /// Whether the server has the version of a file that this machine has seen; nil where it has
    /// no such file.
    private func isUnchanged(
        _ id: UInt64, _ reference: ItemReference
    ) async throws(JobFailure) -> Bool? {
        let known = tree.withLock { $0.nodes[id]?.server?.revision }
        do throws(CloudStorageError) {
            return try await cloud.item(reference).revision == known
        } catch {
            guard error.kind == .notFound else { throw JobFailure(error) }
            return nil
        }
    }

    /// A file that takes the place of one that was removed here.
    struct Replacement {
        let item: UInt64
        let move: PlannedMove
        let goal: NodePlace
        let place: ServerPlace
        let removed: UInt64
        var known: ServerSide
        let reference: ItemReference
    }

    /// Old one aside, new one in its place, old one deleted, on record (rule 3).
    private func replaceByMoving(_ plan: Replacement) async throws(JobFailure) {
        let old = PlannedMove(
            item: plan.reference, place: nil, origin: plan.place, revision: plan.known.revision)
        let items: [CloudItem?]
        do throws(CloudStorageError) {
            var undertaking = undertaking(for: [plan.move, old])
            undertaking.seen = [nil, SeenVersion(plan.known)]
            items = try await undertake(undertaking, of: plan.item)
        } catch {
            // A program that waits is told; nobody else is there to be told.
            guard error.kind == .nameConflict, options.synchronization == .none else {
                throw JobFailure(error)
            }
            // Somebody has it now. What was removed goes by itself.
            return giveConflictName(plan.item)
        }
        if let item = items[0] {
            tree.withLock { $0.acknowledgeMove(of: plan.item, item, at: plan.goal) }
            moveKeptLocks(from: plan.reference, to: item.reference)
        } else {
            forgetGone(plan.item)
        }
        forgetDeleted([plan.removed], inJobOf: plan.item)
    }

    /// An open file that leaves the server must stay readable: what is missing is fetched first.
    private func keepReadable(_ id: UInt64) async throws(JobFailure) {
        let cached = tree.withLock { tree -> CachedContent? in
            guard let node = tree.nodes[id], node.openHandles > 0, node.working == nil else {
                return nil
            }
            return node.cached
        }
        guard let cached, !cached.isComplete else { return }
        do throws(CloudStorageError) {
            try await cached.ensure(ByteRange(0, cached.size))
        } catch {
            // What the server no longer has can't be kept.
            guard error.isFinal, error.kind != .localFile else {
                throw JobFailure(error)
            }
        }
    }
}
