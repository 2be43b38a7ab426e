import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import Reconciler
import StateStore
import Synchronization

/// Carrying out the reconciler's jobs on the server. Runs in the gate of the job's items.
extension VirtualFileSystem {
    func perform(_ job: ReconciliationJob) async throws(JobFailure) {
        switch job {
        case .makeFolder(let id): try await makeFolderOnServer(id)
        case .store(let id): try await storeContent(of: id)
        case .setTime(let id): try await sendTime(of: id)
        case .relocate(let id): try await relocate(id)
        case .stepAside(let id): try await stepAside(id)
        case .replace(let item, let removed): try await replace(removed, by: item)
        case .adopt(let item, let removed): try await adopt(removed, by: item)
        case .delete(let id, let others): try await delete(id, with: others)
        }
    }

    // MARK: Folders

    private func makeFolderOnServer(_ id: UInt64) async throws(JobFailure) {
        try await clearOrphans()
        let target = tree.withLock { tree -> (NodePlace, ServerPlace)? in
            guard let node = tree.nodes[id], node.server == nil, let goal = tree.goal(of: node),
                let place = tree.serverPlace(at: goal)
            else { return nil }
            return (goal, place)
        }
        guard let (goal, place) = target else { return }
        var isOthers = false
        let item: CloudItem
        do throws(CloudStorageError) {
            item = try await cloud.createFolder(name: place.name, in: place.folder)
        } catch {
            // A program that waits is told that the name is taken.
            let isTold = options.synchronization != .none && !error.mayHaveHappened
            guard error.kind == .nameConflict || error.mayHaveHappened, !isTold else {
                throw placeFailure(error, folder: goal.folder)
            }
            let found = try await asJob { () async throws(CloudStorageError) in
                try await self.entry(named: place.name, in: place.folder)
            }
            guard let found else { throw JobFailure(error) }
            guard found.reference.isFolder else { return giveConflictName(id) }
            try leaveToOwner(found, id, in: goal.folder)
            item = found
            isOthers = true
        }
        let merges = isOthers
        tree.withLock { tree in
            tree.acknowledge(id, ServerSide(item), at: goal)
            if merges { tree.nodes[id]?.validatedAt = -.infinity }
        }
        if merges { refreshLater(id) }
    }

    /// Throws where a folder is known here under another name: the listing shows that another client
    /// has renamed it.
    private func leaveToOwner(
        _ found: CloudItem, _ id: UInt64, in folder: UInt64
    ) throws(JobFailure) {
        let isKnown = tree.withLock { tree in
            guard let owner = tree.byKey[ItemKey(found.reference)], owner != id else {
                return false
            }
            tree.forgetValidator(of: folder)
            tree.nodes[folder]?.validatedAt = -.infinity
            return true
        }
        guard isKnown else { return }
        refreshLater(folder)
        throw JobFailure(
            FileSystemError(.inputOutput, "another client has just renamed a folder to its name"),
            .retry(after: nil))
    }

    /// A call about a place failed; where its folder is gone, that is looked into.
    func placeFailure(_ error: CloudStorageError, folder: UInt64) -> JobFailure {
        guard error.kind == .notFound else { return JobFailure(error) }
        refreshLater(folder)
        return JobFailure(FileSystemError(error), .retry(after: nil))
    }

    /// The name an item was to have belongs to somebody else's: this machine's takes another one.
    func giveConflictName(_ id: UInt64) {
        let change = tree.withLock { tree -> (parent: UInt64, old: String, new: String)? in
            guard let node = tree.nodes[id], let parent = node.parent else { return nil }
            var name = node.name
            var attempt = 1
            while tree.child(of: parent, named: name) != nil {
                name = ConflictName.make(
                    for: node.name, host: options.hostName, date: options.chance.nameStamp(),
                    attempt: attempt)
                attempt += 1
            }
            let original = tree.path(of: id)
            tree.moveLocally(id, to: parent, name: name)
            tree.forgetValidator(of: parent)
            tree.nodes[parent]?.validatedAt = -.infinity
            if let copy = tree.path(of: id), let original { tree.addConflict(copy, original) }
            return (parent, node.name, name)
        }
        guard let change else { return }
        journalConflicts()
        notifier?.invalidateEntry(parent: change.parent, name: change.old)
        notifier?.invalidateEntry(parent: change.parent, name: change.new)
        logger.warning("kept both versions", metadata: ["copy": "\(change.new)"])
        refreshLater(change.parent)
    }

    // MARK: Places

    private func relocate(_ id: UInt64) async throws(JobFailure) {
        try await clearOrphans()
        try await settleUndertakings(of: [id])
        guard let (move, goal) = tree.withLock({ $0.relocation(of: id) }) else {
            return try await lookFor(id)
        }
        let items: [CloudItem?]
        do throws(CloudStorageError) {
            items = try await undertake(undertaking(for: [move]), of: id)
        } catch {
            switch error.kind {
            case .nameConflict:
                let (item, whereabouts) = try await asJob { () async throws(CloudStorageError) in
                    try await self.inspect(move.item)
                }
                guard let item, let wanted = move.place, whereabouts == .at(wanted.placement) else {
                    // A program that waits is told that the name is taken.
                    if options.synchronization != .none { throw JobFailure(error) }
                    try await checkIsTaken(move, id)
                    return giveConflictName(id)
                }
                items = [item]
            case .notFound: return try await itemOrFolderIsGone(id, move.item, goal, error)
            default: throw JobFailure(error)
            }
        }
        guard let item = items[0] else { return try itemIsGone(id) }
        tree.withLock { $0.acknowledgeMove(of: id, item, at: goal) }
    }

    /// Finds out where an item is whose folder on the server is not known any more.
    func lookFor(_ id: UInt64) async throws(JobFailure) {
        let reference = tree.withLock { tree -> ItemReference? in
            guard let node = tree.nodes[id], let home = tree.home(of: node),
                home != tree.goal(of: node)
            else { return nil }
            return tree.reference(of: id)
        }
        guard let reference else { return }
        let (item, whereabouts) = try await asJob { () async throws(CloudStorageError) in
            try await self.inspect(reference)
        }
        guard let item, case .at(let place) = whereabouts else { return try itemIsGone(id) }
        let isFound = tree.withLock { tree in
            guard let folder = tree.byKey[ItemKey(ItemReference(place.folder))] else {
                return false
            }
            tree.acknowledgeMove(
                of: id, item, at: NodePlace(folder: folder, name: place.name))
            return true
        }
        guard isFound else {
            throw JobFailure(
                FileSystemError(.stale, "another client has moved it"), .retry(after: nil))
        }
    }

    /// Another client has deleted what was to be moved. A program that waits is told.
    func itemIsGone(_ id: UInt64) throws(JobFailure) {
        forgetGone(id)
        guard options.synchronization != .none else { return }
        throw JobFailure(FileSystemError(.notFound, "another client has deleted it"))
    }

    /// Throws where it is not the wanted name that is taken, but one on the way to it.
    private func checkIsTaken(_ move: PlannedMove, _ id: UInt64) async throws(JobFailure) {
        guard let place = move.place else { return }
        let other = try await asJob { () async throws(CloudStorageError) in
            try await self.entry(named: place.name, in: place.folder)
        }
        guard other == nil else { return }
        let home = tree.withLock { tree in tree.nodes[id].flatMap { tree.home(of: $0) } }
        if let home { refreshLater(home.folder) }
        throw JobFailure(
            FileSystemError(.exists, "a name on the way is taken"), .retry(after: nil))
    }

    private func itemOrFolderIsGone(
        _ id: UInt64, _ reference: ItemReference, _ goal: NodePlace, _ error: CloudStorageError
    ) async throws(JobFailure) {
        let (item, _) = try await asJob { () async throws(CloudStorageError) in
            try await self.inspect(reference)
        }
        guard item == nil else { throw placeFailure(error, folder: goal.folder) }
        try itemIsGone(id)
    }

    /// Another client has deleted the item: what is unsent of it is new, the rest goes.
    func forgetGone(_ id: UInt64) {
        var effects = MergeEffects()
        tree.withLock { tree in
            guard let node = tree.nodes[id] else { return }
            if node.isRemoved {
                tree.acknowledge(id, nil)
                effects.changes.append(tree.removal(of: node))
            } else if node.working?.isSaved == false {
                tree.noteBase(of: id, &effects)
                tree.acknowledge(id, nil)
                tree.compare(id)
                effects.changes += tree.recordChanges(of: [id])
            } else {
                tree.vanish(id, &effects)
            }
        }
        carryOut(effects)
    }

    /// Frees the place of an item by a temporary name; its own goal is a later job.
    private func stepAside(_ id: UInt64) async throws(JobFailure) {
        try await settleUndertakings(of: [id])
        let plan = tree.withLock { tree -> (PlannedMove, NodePlace)? in
            guard let node = tree.nodes[id], let home = tree.home(of: node),
                let reference = tree.reference(of: id), let origin = tree.serverPlace(at: home)
            else { return nil }
            let name = temporaryName(for: home.name.name)
            let target = ServerPlace(folder: origin.folder, name: name)
            return (
                PlannedMove(item: reference, place: target, origin: origin),
                NodePlace(folder: home.folder, name: name)
            )
        }
        guard let (move, place) = plan else { return }
        let items = try await asJob { () async throws(CloudStorageError) in
            try await self.undertake(self.undertaking(for: [move]), of: id)
        }
        guard let item = items[0] else { return try itemIsGone(id) }
        tree.withLock { $0.acknowledgeMove(of: id, item, at: place) }
    }

    func undertaking(for moves: [PlannedMove]) -> Undertaking {
        Undertaking(
            convergence: Convergence(
                goals: moves.map { move in
                    Goal(
                        item: move.item, place: move.place?.placement,
                        temporaryName: temporaryName(for: move.origin.name),
                        revision: move.revision)
                }),
            origins: moves.map { $0.origin.placement })
    }
}

/// Where an item of the server is, and where it is to be; nil: deleted.
struct PlannedMove: Sendable {
    var item: ItemReference
    var place: ServerPlace?
    var origin: ServerPlace
    /// Of what is to be deleted: the revision that was seen.
    var revision: String?
}

extension Tree {
    /// What the server is to be asked so that a node gets its wanted place.
    func relocation(of id: UInt64) -> (PlannedMove, NodePlace)? {
        guard let node = nodes[id], let home = home(of: node), let goal = goal(of: node),
            home != goal, let reference = reference(of: id),
            let origin = serverPlace(at: home), let place = serverPlace(at: goal)
        else { return nil }
        return (PlannedMove(item: reference, place: place, origin: origin), goal)
    }

    /// Takes over what the server says of an item whose place, not content, has changed.
    mutating func acknowledgeMove(of id: UInt64, _ item: CloudItem, at place: NodePlace) {
        guard let node = nodes[id] else { return }
        var server = ServerSide(item)
        if node.working != nil || node.isRemoved {
            // What is done here is based on the version that was seen.
            server.revision = node.server?.revision
            server.size = node.server?.size ?? server.size
        } else if node.overlay.revision == node.server?.revision,
            SeenVersion(node.server)?.isOther(than: item) != true
        {
            // A server may count the move as a new revision, whose times are still ours.
            nodes[id]?.overlay.revision = item.revision
        }
        acknowledge(id, server, at: place)
    }

    mutating func addConflict(_ copy: String, _ original: String) {
        if conflicts.count >= 1_000 { conflicts.removeFirst() }
        conflicts.append(Conflict(copy: copy, original: original))
    }
}
