import CloudStorage
import FileSystemTypes
import Logging
import Reconciler
import StateStore
import Synchronization

/// Storing a file's content on the server.
extension VirtualFileSystem {
    /// Brings the server to the content of a file's working copy. Nothing to do is not an error.
    func save(_ id: UInt64) async throws(FileSystemError) {
        let result: Result<Void, FileSystemError> = await gate.enter([id]) {
            do throws(FileSystemError) {
                try await saveAlone(id)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success:
            tree.withLock { $0.nodes[id]?.saveError = nil }
            saves.succeeded(id)
        case .failure(let error):
            let isKept = tree.withLock { tree in
                guard tree.nodes[id]?.working?.isSaved == false else { return false }
                tree.nodes[id]?.saveError = error
                return true
            }
            if isKept { saves.failed(id, now: SystemClocks.monotonicSeconds()) }
            throw error
        }
    }

    /// As `save`, for a caller that is in the gate already.
    func saveAlone(_ id: UInt64) async throws(FileSystemError) {
        let node = try tree.withLock { tree throws(FileSystemError) in try tree.node(id) }
        guard let working = node.working, !working.isSaved else { return }
        // A file without a name has nowhere to go; its bytes live as long as its handles.
        guard node.parent != nil else { return }
        try await working.fill(ByteRange(0, working.size), on: disk)
        await tryToFinishUndertakings()
        if let record = tree.withLock({ $0.record(of: id) }) {
            try await store.commit([.put(record)], durability: .normal)
        }
        guard !node.isLocalOnly else { return }
        tree.withLock { $0.nodes[id]?.busy += 1 }
        let frozen = working.freeze()
        defer {
            working.unfreeze(frozen.file)
            tree.withLock { tree in
                tree.nodes[id]?.busy -= 1
                tree.stamp(id)
            }
        }
        let content = LocalContent(path: frozen.file.path, size: frozen.size)
        do throws(CloudStorageError) {
            let item = try await store(content, of: id)
            acknowledgeSave(of: id, item, working, generation: frozen.generation)
        } catch {
            throw FileSystemError(error)
        }
    }

    private func acknowledgeSave(
        of id: UInt64, _ item: CloudItem, _ working: WorkingCopy, generation: UInt64
    ) {
        let record = tree.withLock { tree -> InodeRecord? in
            let oldSize = tree.nodes[id]?.server?.size ?? 0
            tree.acknowledge(id, ServerSide(item))
            tree.nodes[id]?.overlay.revision = item.revision
            tree.bytesSinceAccount += item.size - oldSize
            working.markSaved(generation)
            return tree.record(of: id)
        }
        if let record { store.enqueue([.put(record)]) }
    }

    /// Uploads `content` as what the file is on the server now: new, replaced, or gone.
    private func store(
        _ content: LocalContent, of id: UInt64
    ) async throws(CloudStorageError) -> CloudItem {
        guard let place = tree.withLock({ $0.place(of: id) }) else {
            throw CloudStorageError(.notFound, "the file's folder is not on the server")
        }
        guard let old = tree.withLock({ tree in tree.nodes[id]?.server }) else {
            return try await storeNew(content, of: id, at: place)
        }
        let current: CloudItem
        do throws(CloudStorageError) {
            current = try await cloud.item(tree.withLock { $0.reference(of: id) } ?? old.reference)
        } catch {
            // Somebody deleted it: what was changed here counts for more.
            guard error.kind == .notFound else { throw error }
            return try await storeNew(content, of: id, at: place)
        }
        guard current.revision == old.revision else {
            if try await isContent(content, equalTo: current) { return current }
            return try await keepBoth(content, of: id, at: place)
        }
        if uploadOntoName != .conflict {
            do throws(CloudStorageError) {
                let item = try await cloud.upload(content, name: place.name, to: place.folder)
                if item.reference.id == old.reference.id {
                    learnedUploadBehaviour.withLock { $0 = .revision }
                }
                return item
            } catch {
                if error.mayHaveHappened,
                    let item = try await stored(content, insteadOf: current)
                {
                    return item
                }
                guard error.kind == .nameConflict else { throw error }
                learnedUploadBehaviour.withLock { $0 = .conflict }
            }
        }
        return try await replace(old.reference, with: content, of: id, at: place)
    }

    /// The item, if an upload whose answer was lost has made `content` its next revision.
    private func stored(
        _ content: LocalContent, insteadOf old: CloudItem
    ) async throws(CloudStorageError) -> CloudItem? {
        let current = try await cloud.item(old.reference)
        guard current.revision != old.revision else { return nil }
        return try await isContent(content, equalTo: current) ? current : nil
    }

    private func storeNew(
        _ content: LocalContent, of id: UInt64, at place: ServerPlace
    ) async throws(CloudStorageError) -> CloudItem {
        do throws(CloudStorageError) {
            guard uploadOntoName == .conflict else {
                return try await storeWithoutOverwriting(content, at: place)
            }
            return try await cloud.upload(content, name: place.name, to: place.folder)
        } catch {
            guard error.kind == .nameConflict || error.mayHaveHappened else { throw error }
            guard let other = try await entry(named: place.name, in: place.folder) else {
                throw error
            }
            return try await settleConflict(with: other, content, of: id, at: place)
        }
    }

    /// The name is taken on the server: by our own upload whose answer was lost, or by a stranger.
    private func settleConflict(
        with other: CloudItem, _ content: LocalContent, of id: UInt64, at place: ServerPlace
    ) async throws(CloudStorageError) -> CloudItem {
        if try await isContent(content, equalTo: other) { return other }
        return try await keepBoth(content, of: id, at: place)
    }

    /// The entry of that name in a folder as it is on the server now.
    func entry(
        named name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem? {
        guard case .entries(let items, _, _) = try await cloud.list(folder, validator: nil) else {
            throw CloudStorageError(.invalidAnswer, "not modified, but nothing was known")
        }
        return items.first { $0.name.hasSameBytes(as: name) }
    }

    /// Saves the content beside a version that this machine has not seen (DESIGN section 1).
    private func keepBoth(
        _ content: LocalContent, of id: UInt64, at place: ServerPlace
    ) async throws(CloudStorageError) -> CloudItem {
        var attempt = 1
        while true {
            let name = ConflictName.make(
                for: place.name, host: options.hostName, date: SystemClocks.nameStamp(),
                attempt: attempt)
            do throws(CloudStorageError) {
                let isTaken = try await entry(named: name, in: place.folder) != nil
                if !isTaken {
                    let item = try await cloud.upload(content, name: name, to: place.folder)
                    await showConflict(of: id, as: name)
                    return item
                }
            } catch {
                guard error.kind == .nameConflict, attempt < 8 else { throw error }
            }
            attempt += 1
        }
    }

    /// The file takes the conflict copy's name; its own name is looked up again.
    private func showConflict(of id: UInt64, as name: String) async {
        let change: (parent: UInt64, old: String)? = tree.withLock { tree in
            guard let node = tree.nodes[id], let parent = node.parent else { return nil }
            tree.move(id, to: parent, name: name)
            tree.nodes[parent]?.validator = nil
            tree.nodes[parent]?.validatedAt = -.infinity
            if tree.conflicts.count < 1_000, let path = tree.path(of: id) {
                tree.conflicts.append(path)
            }
            return (parent, node.name)
        }
        guard let change else { return }
        notifier?.invalidateEntry(parent: change.parent, name: change.old)
        notifier?.invalidateEntry(parent: change.parent, name: name)
        logger.warning("kept both versions of a file", metadata: ["copy": "\(name)"])
    }
}

/// Where a file belongs on the server.
struct ServerPlace: Sendable {
    var folder: ItemReference
    var name: String

    var placement: Placement { Placement(folder: FolderKey(folder), name: name) }
}

extension Tree {
    /// The server's folder and name of a node; nil where its folder is not on the server.
    func place(of id: UInt64) -> ServerPlace? {
        guard let node = nodes[id], let parent = node.parent,
            let folder = reference(of: parent)
        else { return nil }
        return ServerPlace(folder: folder, name: serverName(of: node))
    }
}
