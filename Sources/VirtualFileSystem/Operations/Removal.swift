import BlockCache
import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore
import Synchronization

/// Removing files and folders.
extension VirtualFileSystem {
    /// Removes a file's name. An open file stays readable; it leaves the server at its last close
    /// where its content is not all here.
    package func unlink(parent: UInt64, name: String, caller: Caller) -> Outcome<Void> {
        pending { () throws(FileSystemError) in
            try await self.ensureListed(parent)
            let node = try self.removable(parent: parent, name: name)
            guard !node.isFolder else { throw FileSystemError(.isFolder, "\(name) is a folder") }
            try await self.inGate([node.id]) { () throws(FileSystemError) in
                try await self.removeFile(node.id, parent: parent, name: name)
            }
        }
    }

    /// Removes an empty folder.
    package func rmdir(parent: UInt64, name: String, caller: Caller) -> Outcome<Void> {
        pending { () throws(FileSystemError) in
            try await self.ensureListed(parent)
            let node = try self.removable(parent: parent, name: name)
            guard node.isFolder else { throw FileSystemError(.notFolder, "\(name) is no folder") }
            try await self.inGate([node.id]) { () throws(FileSystemError) in
                try await self.checkEmpty(node.id)
                try await self.deleteOnServer(node.id)
                self.forgetRemoved(node.id, parent: parent)
            }
        }
    }

    /// Runs work while no other changes the nodes on the server.
    func inGate<Value: Sendable>(
        _ keys: Set<UInt64>, _ body: () async throws(FileSystemError) -> Value
    ) async throws(FileSystemError) -> Value {
        let result: Result<Value, FileSystemError> = await gate.enter(keys) {
            do throws(FileSystemError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// The node of a name that may be removed or renamed.
    func removable(parent: UInt64, name: String) throws(FileSystemError) -> Node {
        guard !options.isReadOnly else {
            throw FileSystemError(.readOnly, "the mount is read-only")
        }
        return try tree.withLock { tree throws(FileSystemError) in
            let folder = try tree.folder(parent)
            guard let node = tree.child(of: parent, named: name) else {
                throw FileSystemError(.notFound, "no such name")
            }
            guard folder.server != nil else {
                throw FileSystemError(
                    .notPermitted, "the account's roots are managed on the server")
            }
            guard tree.permissions(of: folder).contains(.write),
                node.isLocalOnly || tree.permissions(of: node).contains(.write)
            else {
                throw FileSystemError(.accessDenied, "the account may not change \(name)")
            }
            return node
        }
    }

    /// Looks at the server for what has been put into a folder meanwhile.
    func checkEmpty(_ id: UInt64) async throws(FileSystemError) {
        let isKnownFull = tree.withLock { !($0.nodes[id]?.children?.isEmpty ?? true) }
        if !isKnownFull { try await refreshAnew(id) }
        let isEmpty = tree.withLock { $0.nodes[id]?.children?.isEmpty ?? false }
        guard isEmpty else { throw FileSystemError(.notEmpty, "the folder has entries") }
    }

    private func removeFile(
        _ id: UInt64, parent: UInt64, name: String
    ) async throws(FileSystemError) {
        let node = try tree.withLock { tree throws(FileSystemError) in try tree.node(id) }
        guard node.parent == parent, node.name.hasSameBytes(as: name) else {
            throw FileSystemError(.notFound, "the name changed meanwhile")
        }
        guard node.server != nil else {
            forgetRemoved(id, parent: parent)
            await retireWorkingCopy(of: id)
            return
        }
        await tryToFinishUndertakings()
        if node.openHandles > 0, node.working == nil, node.cached?.isComplete == false {
            try await putAside(id)
        } else {
            try await deleteOnServer(id)
        }
        forgetRemoved(id, parent: parent)
        await retireWorkingCopy(of: id)
    }

    /// Deletes a node's item, unless its content is one this machine has not seen (rule 4).
    func deleteOnServer(_ id: UInt64) async throws(FileSystemError) {
        let (known, reference) = tree.withLock { ($0.nodes[id]?.server, $0.reference(of: id)) }
        guard let known, let reference else { return }
        tree.withLock { $0.nodes[id]?.busy += 1 }
        defer {
            tree.withLock { tree in
                tree.nodes[id]?.busy -= 1
                tree.stamp(id)
            }
        }
        do throws(CloudStorageError) {
            if reference.kind == .file {
                let current = try await cloud.item(reference)
                guard current.revision == known.revision else {
                    throw CloudStorageError(
                        .revisionChanged, "another client changed it; look at it again")
                }
            }
            try await deleteOnce(reference)
        } catch {
            if error.kind == .revisionChanged,
                let parent = tree.withLock({ $0.nodes[id]?.parent })
            {
                refreshLater(parent)
            }
            guard error.kind == .notFound else { throw FileSystemError(error) }
        }
        tree.withLock { tree in
            tree.recordDeparture(of: known.reference)
            tree.bytesSinceAccount -= known.size
        }
    }

    /// Deletes; where the answer was lost, looks whether it was done.
    private func deleteOnce(_ reference: ItemReference) async throws(CloudStorageError) {
        do throws(CloudStorageError) {
            try await cloud.delete(reference)
        } catch {
            guard error.mayHaveHappened else { throw error }
            _ = try await cloud.item(reference)
            try await cloud.delete(reference)
        }
    }

    /// Frees the name of an open file; the item is deleted at the last close, by a record that
    /// survives a crash.
    private func putAside(_ id: UInt64) async throws(FileSystemError) {
        guard let place = tree.withLock({ $0.place(of: id) }),
            let reference = tree.withLock({ $0.reference(of: id) })
        else { throw FileSystemError(.stale, "the file is gone") }
        let undertaking = Undertaking(
            convergence: Convergence(goals: [
                Goal(item: reference, place: nil, temporaryName: temporaryName(for: place.name))
            ]),
            origins: [place.placement])
        let intent = Intent(
            id: store.allocateIntentID(), kind: Undertaking.intentKind,
            payload: try undertaking.payload(), createdAt: SystemClocks.now())
        let name = undertaking.convergence.goals[0].temporaryName
        tree.withLock { _ = $0.temporaryNames.insert(name) }
        try await store.commit([.putIntent(intent)], durability: .normal)
        do throws(FileSystemError) {
            let item = try await ask { () async throws(CloudStorageError) in
                try await self.cloud.relocate(reference, to: RelocationTarget(name: name))
            }
            tree.withLock { tree in
                tree.acknowledge(id, ServerSide(item))
                tree.nodes[id]?.deletesAtClose = intent.id
                tree.recordDeparture(of: reference)
            }
        } catch {
            closeUndertaking(intent.id, undertaking)
            throw error
        }
    }

    /// Deletes what `putAside` kept for open handles, once they are closed.
    func deleteIfClosed(_ id: UInt64) async {
        let waiting: (Int64, ItemReference)? = tree.withLock { tree in
            guard let node = tree.nodes[id], node.openHandles == 0,
                let intent = node.deletesAtClose, let server = node.server
            else { return nil }
            tree.nodes[id]?.deletesAtClose = nil
            return (intent, server.reference)
        }
        guard let (intent, reference) = waiting else { return }
        let undertaking = Undertaking(
            convergence: Convergence(goals: [
                Goal(item: reference, place: nil, temporaryName: reference.id ?? reference.path)
            ]), origins: [nil])
        do throws(CloudStorageError) {
            try await cloud.delete(reference)
            closeUndertaking(intent, undertaking)
        } catch {
            if error.kind == .notFound {
                closeUndertaking(intent, undertaking)
            } else {
                unfinished.withLock { $0[intent] = undertaking }
            }
        }
    }

    /// Takes a removed node's name away here.
    func forgetRemoved(_ id: UInt64, parent: UInt64) {
        let changes = tree.withLock { tree -> [StateChange] in
            guard let node = tree.nodes[id] else { return [] }
            let removal: StateChange =
                node.isFolder ? .removeSubtree(node.inode) : .remove(node.inode)
            tree.detach(id)
            tree.touch(parent)
            return [removal] + (tree.record(of: parent).map { [.put($0)] } ?? [])
        }
        store.enqueue(changes)
    }
}
