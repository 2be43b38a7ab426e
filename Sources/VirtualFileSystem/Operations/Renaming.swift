import BlockCache
import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore
import Synchronization

/// Renaming: within a folder, between folders, over an existing name, and exchanging two names.
extension VirtualFileSystem {
    /// rename(2) and renameat2(2).
    package func rename(
        parent: UInt64, name: String, newParent: UInt64, newName: String, mode: RenameMode,
        caller: Caller
    ) -> Outcome<Void> {
        pending { () throws(FileSystemError) in
            try await self.ensureListed(parent)
            try await self.ensureListed(newParent)
            let job = try self.renameJob(
                from: (parent, name), to: (newParent, newName), mode: mode)
            guard job.source.id != job.target?.id else { return }
            if let target = job.target, target.isFolder, mode == .replace {
                try await self.checkEmpty(target.id)
            }
            let keys = Set([job.source.id] + (job.target.map { [$0.id] } ?? []))
            try await self.inGate(keys) { () throws(FileSystemError) in
                await self.tryToFinishUndertakings()
                try await self.carryOut(job)
            }
        }
    }

    /// A rename that was found to be allowed.
    private struct RenameJob {
        var source: Node
        var target: Node?
        var parent: UInt64
        var newParent: UInt64
        var newName: String
        var mode: RenameMode
    }

    private func renameJob(
        from: (parent: UInt64, name: String), to: (parent: UInt64, name: String), mode: RenameMode
    ) throws(FileSystemError) -> RenameJob {
        let source = try removable(parent: from.parent, name: from.name)
        let target = tree.withLock { $0.child(of: to.parent, named: to.name) }
        let storedName = source.kind == .symbolicLink ? LinkName.stored(to.name) : to.name
        try checkCreation(of: storedName, in: to.parent)
        if source.kind == .file { try checkPolicy(for: to.name) }
        if target != nil { _ = try removable(parent: to.parent, name: to.name) }
        switch mode {
        case .noReplace where target != nil:
            throw FileSystemError(.exists, "\(to.name) exists")
        case .exchange where target == nil:
            throw FileSystemError(.notFound, "no \(to.name) to exchange with")
        case .replace:
            if let target, target.isFolder != source.isFolder {
                throw target.isFolder
                    ? FileSystemError(.isFolder, "\(to.name) is a folder")
                    : FileSystemError(.notFolder, "\(to.name) is no folder")
            }
        case .noReplace, .exchange: break
        }
        try tree.withLock { tree throws(FileSystemError) in
            if source.isFolder, tree.isBelow(to.parent, source.id) {
                throw FileSystemError(.invalidArgument, "a folder can't move into itself")
            }
            let roots = (
                tree.nodes[from.parent]?.server?.reference.root,
                tree.nodes[to.parent]?.server?.reference.root
            )
            guard roots.0 == roots.1 else {
                throw FileSystemError(.crossRoot, "the cloud can't move between roots")
            }
        }
        return RenameJob(
            source: source, target: target, parent: from.parent, newParent: to.parent,
            newName: to.name, mode: mode)
    }

    private func carryOut(_ job: RenameJob) async throws(FileSystemError) {
        let ids = [job.source.id] + (job.target.map { [$0.id] } ?? [])
        tree.withLock { tree in for id in ids { tree.nodes[id]?.busy += 1 } }
        defer {
            tree.withLock { tree in
                for id in ids {
                    tree.nodes[id]?.busy -= 1
                    tree.stamp(id)
                    tree.dropIfUnused(id)
                }
            }
        }
        guard let target = job.target else { return try await moveToFreeName(job) }
        if job.mode == .exchange { return try await exchange(job, target) }
        if target.server == nil {
            forgetRemoved(target.id, parent: job.newParent)
            return try await moveToFreeName(job)
        }
        try await keepReadable(target)
        if job.source.server == nil {
            try await supersede(job, target)
        } else if job.source.kind == .file, target.kind == .file, uploadOntoName == .revision {
            try await replaceAsRevision(job, target)
        } else {
            try await replaceOnServer(job, target)
        }
    }

    /// An open file that loses its name must stay readable: what is missing is fetched first.
    private func keepReadable(_ target: Node) async throws(FileSystemError) {
        guard target.openHandles > 0, let cached = target.cached, !cached.isComplete else { return }
        try await ask { () async throws(CloudStorageError) in
            try await cached.ensure(ByteRange(0, cached.size))
        }
    }

    private func newPlace(of job: RenameJob) throws(FileSystemError) -> ServerPlace {
        guard let folder = tree.withLock({ $0.reference(of: job.newParent) }) else {
            throw FileSystemError(.stale, "the folder is gone")
        }
        let name =
            job.source.kind == .symbolicLink ? LinkName.stored(job.newName) : job.newName
        return ServerPlace(folder: folder, name: name)
    }

    private func moveToFreeName(_ job: RenameJob) async throws(FileSystemError) {
        guard job.source.server != nil else { return try await moveLocally(job) }
        let items = try await undertakeRename([(job.source, try newPlace(of: job))])
        finish(job, server: items[0])
    }

    /// A file that is only on this machine takes its new name; if it may, it is stored now.
    private func moveLocally(_ job: RenameJob) async throws(FileSystemError) {
        let id = job.source.id
        tree.withLock { tree in
            tree.move(id, to: job.newParent, name: job.newName)
            tree.nodes[id]?.isLocalOnly =
                job.source.isLocalOnly && isLocalOnly(job.newName)
            tree.touch(job.parent)
            tree.touch(job.newParent)
            let records = [id, job.parent, job.newParent].compactMap { tree.record(of: $0) }
            store.enqueue(records.map { .put($0) })
        }
        try await storeIfClosed(id)
    }

    private func storeIfClosed(_ id: UInt64) async throws(FileSystemError) {
        let isClosed = tree.withLock { tree in
            guard let node = tree.nodes[id] else { return false }
            return node.writeHandles == 0 && !node.isLocalOnly
        }
        guard isClosed else { return }
        do throws(FileSystemError) {
            try await saveAlone(id)
            await retireWorkingCopy(of: id)
        } catch {
            tree.withLock { $0.nodes[id]?.saveError = error }
            saves.failed(id, now: SystemClocks.monotonicSeconds())
            throw error
        }
    }

    /// Content that was never sent becomes the next content of the file it is renamed over.
    private func supersede(_ job: RenameJob, _ target: Node) async throws(FileSystemError) {
        let id = job.source.id
        if job.source.isLocalOnly, isLocalOnly(job.newName) || job.source.isFolder {
            try await deleteOnServer(target.id)
            forgetRemoved(target.id, parent: job.newParent)
            return try await moveLocally(job)
        }
        forgetRemoved(target.id, parent: job.newParent)
        tree.withLock { tree in
            tree.acknowledge(id, target.server)
            tree.nodes[id]?.working?.markUnsaved()
        }
        try await moveLocally(job)
    }

    /// The content becomes the next revision of the target, which keeps its identity (rule 2).
    private func replaceAsRevision(_ job: RenameJob, _ target: Node) async throws(FileSystemError) {
        let id = job.source.id
        guard let old = job.source.server,
            let oldReference = tree.withLock({ $0.reference(of: id) })
        else { throw FileSystemError(.stale, "the file is gone") }
        guard let origin = tree.withLock({ $0.place(of: id) }) else {
            throw FileSystemError(.stale, "the file is gone")
        }
        try await checkUnchanged(target)
        let place = try newPlace(of: job)
        var server = target.server
        if job.source.working?.isSaved ?? true {
            let item = try await uploadCopy(of: job.source, as: place)
            server = ServerSide(item)
        } else {
            job.source.working?.markUnsaved()
        }
        let undertaking = Undertaking(
            convergence: Convergence(goals: [
                Goal(item: oldReference, place: nil, temporaryName: temporaryName(for: origin.name))
            ]),
            origins: [origin.placement])
        _ = try await ask { () async throws(CloudStorageError) in
            try await self.undertake(undertaking)
        }
        forgetRemoved(target.id, parent: job.newParent)
        tree.withLock { tree in
            tree.acknowledge(id, server)
            tree.nodes[id]?.overlay.revision = server?.revision
            tree.recordDeparture(of: old.reference)
        }
        finish(job, server: nil)
        try await storeIfClosed(id)
    }

    /// Uploads a saved file's content once more, under another name.
    private func uploadCopy(
        of node: Node, as place: ServerPlace
    ) async throws(FileSystemError) -> CloudItem {
        guard let server = node.server else { throw FileSystemError(.stale, "the file is gone") }
        let reference = tree.withLock { $0.reference(of: node.id) } ?? server.reference
        let base = try cachedContent(for: server, reference: reference)
        let copy = try await newWorkingCopy(of: node.inode, base: base)
        defer { copy.discard() }
        try await copy.fill(ByteRange(0, server.size), on: disk)
        let content = LocalContent(path: copy.path, size: server.size)
        return try await ask { () async throws(CloudStorageError) in
            try await self.cloud.upload(content, name: place.name, to: place.folder)
        }
    }

    /// Old one aside, new one in its place, old one deleted, on record (rule 3).
    private func replaceOnServer(_ job: RenameJob, _ target: Node) async throws(FileSystemError) {
        try await checkUnchanged(target)
        let items = try await undertakeRename([(job.source, try newPlace(of: job)), (target, nil)])
        tree.withLock { tree in
            if let old = target.server { tree.recordDeparture(of: old.reference) }
        }
        forgetRemoved(target.id, parent: job.newParent)
        finish(job, server: items[0])
    }

    private func exchange(_ job: RenameJob, _ target: Node) async throws(FileSystemError) {
        guard job.source.server != nil, target.server != nil,
            job.source.kind != .symbolicLink, target.kind != .symbolicLink,
            let origin = tree.withLock({ $0.place(of: job.source.id) })
        else {
            throw FileSystemError(.notSupported, "only stored files and folders can be exchanged")
        }
        let items = try await undertakeRename([
            (job.source, try newPlace(of: job)), (target, origin),
        ])
        tree.withLock { tree in
            let oldName = job.source.name
            tree.move(job.source.id, to: job.newParent, name: job.newName)
            tree.nodes[target.id]?.parent = job.parent
            tree.nodes[target.id]?.name = oldName
            tree.nodes[job.parent]?.children?[NameKey(oldName)] = target.id
            if let item = items[0] { tree.acknowledge(job.source.id, ServerSide(item)) }
            if let item = items[1] { tree.acknowledge(target.id, ServerSide(item)) }
            let records = [job.source.id, target.id].compactMap { tree.record(of: $0) }
            store.enqueue(records.map { .put($0) })
        }
    }

    /// Makes the calls that bring items to their places; nil deletes.
    private func undertakeRename(
        _ moves: [(node: Node, place: ServerPlace?)]
    ) async throws(FileSystemError) -> [CloudItem?] {
        var goals: [Goal] = []
        var origins: [Placement?] = []
        for move in moves {
            let (reference, origin) = tree.withLock { tree in
                (tree.reference(of: move.node.id), tree.place(of: move.node.id))
            }
            guard let reference, let origin else {
                throw FileSystemError(.stale, "the item is gone")
            }
            origins.append(origin.placement)
            goals.append(
                Goal(
                    item: reference, place: move.place?.placement,
                    temporaryName: temporaryName(for: origin.name)))
        }
        let undertaking = Undertaking(convergence: Convergence(goals: goals), origins: origins)
        do throws(CloudStorageError) {
            return try await undertake(undertaking)
        } catch {
            // Somebody else changed the names: look again before the next try.
            for move in moves { if let parent = move.node.parent { refreshLater(parent) } }
            throw FileSystemError(error)
        }
    }

    /// Refuses to replace a version that this machine has not seen (rule 4).
    private func checkUnchanged(_ target: Node) async throws(FileSystemError) {
        guard target.kind != .folder, let known = target.server else { return }
        let reference = tree.withLock { $0.reference(of: target.id) } ?? known.reference
        let current = try await ask { () async throws(CloudStorageError) in
            try await self.cloud.item(reference)
        }
        guard current.revision == known.revision else {
            if let parent = target.parent { refreshLater(parent) }
            throw FileSystemError(.stale, "another client changed \(target.name); look at it again")
        }
    }

    /// The name as it is now, here and in the state table.
    private func finish(_ job: RenameJob, server item: CloudItem?) {
        let id = job.source.id
        let records = tree.withLock { tree -> [InodeRecord] in
            tree.move(id, to: job.newParent, name: job.newName)
            if let item {
                // A relocation does not change content: the revision stays what it was.
                let isFresh = tree.nodes[id]?.overlay.revision == tree.nodes[id]?.server?.revision
                tree.acknowledge(id, ServerSide(item))
                if isFresh { tree.nodes[id]?.overlay.revision = item.revision }
            }
            tree.nodes[id]?.overlay.changed = SystemClocks.now()
            tree.touch(job.parent)
            tree.touch(job.newParent)
            return [id, job.parent, job.newParent].compactMap { tree.record(of: $0) }
        }
        store.enqueue(records.map { .put($0) })
    }
}
