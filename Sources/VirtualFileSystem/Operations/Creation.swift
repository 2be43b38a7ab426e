import CloudStorage
import FileSystemTypes
import Glibc
import StateStore
import Synchronization

/// Making files, folders and links.
extension VirtualFileSystem {
    /// Makes a file and opens it; it is uploaded when it is closed. An existing one is opened.
    package func create(
        parent: UInt64, name: String, mode: UInt16, options: OpenOptions, caller: Caller
    ) -> Outcome<CreatedFile> {
        pending { () throws(FileSystemError) in
            if let existing = try await self.existing(parent: parent, name: name) {
                guard !options.contains(.exclusive) else {
                    throw FileSystemError(.exists, "\(name) exists")
                }
                let file = try await self.open(node: existing, options: options, caller: caller)
                    .value()
                return CreatedFile(entry: try self.countedEntry(of: existing), file: file)
            }
            try self.checkCreation(of: name, in: parent)
            let id = try await self.addLocalFile(parent: parent, name: name, mode: mode)
            let file = try self.finishOpening(id, options: options, content: nil)
            return CreatedFile(entry: try self.countedEntry(of: id), file: file)
        }
    }

    /// Makes an empty file on the server (`mknod` with `S_IFREG`).
    package func mknod(
        parent: UInt64, name: String, mode: UInt16, caller: Caller
    ) -> Outcome<Entry> {
        pending { () throws(FileSystemError) in
            let made = try await self.create(
                parent: parent, name: name, mode: mode, options: [.write, .exclusive],
                caller: caller
            ).value()
            try await self.closeMade(made)
            return made.entry
        }
    }

    private func closeMade(_ made: CreatedFile) async throws(FileSystemError) {
        let result: Result<Void, FileSystemError>
        do throws(FileSystemError) {
            try await flush(handle: made.file.handle).value()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await release(handle: made.file.handle).value()
        if case .failure = result { forget(node: made.entry.node, count: 1) }
        try result.get()
    }

    /// The node of a name that exists.
    private func existing(parent: UInt64, name: String) async throws(FileSystemError) -> UInt64? {
        try await ensureListed(parent)
        return tree.withLock { $0.child(of: parent, named: name)?.id }
    }

    func countedEntry(of id: UInt64) throws(FileSystemError) -> Entry {
        try tree.withLock { tree throws(FileSystemError) in
            let node = try tree.node(id)
            tree.nodes[id]?.lookups += 1
            return tree.entry(for: node, options: options)
        }
    }

    /// Refuses a name the server would refuse, and folders the account may not write.
    func checkCreation(of name: String, in parent: UInt64) throws(FileSystemError) {
        guard !options.isReadOnly else {
            throw FileSystemError(.readOnly, "the mount is read-only")
        }
        guard name.utf8.count <= 255 else {
            throw FileSystemError(.nameTooLong, "the name has more than 255 bytes")
        }
        try tree.withLock { tree throws(FileSystemError) in
            let folder = try tree.folder(parent)
            guard folder.server != nil else {
                throw FileSystemError(
                    .notPermitted,
                    "the top of the mount lists the account's roots; they are made on the server")
            }
            guard folder.parent != nil else {
                throw FileSystemError(.notFound, "the folder is gone")
            }
            guard tree.permissions(of: folder).contains(.write) else {
                throw FileSystemError(.accessDenied, "the account may not write in \(folder.name)")
            }
        }
    }

    /// Refuses extensions that the organisation excludes.
    func checkPolicy(for name: String) throws(FileSystemError) {
        let excluded = tree.withLock { $0.account?.policy.excludedExtensions ?? [] }
        guard !excluded.isEmpty, !isLocalOnly(name) else { return }
        let lowered = name.lowercased()
        if let match = excluded.first(where: { lowered.hasSuffix($0) }) {
            throw FileSystemError(.policy, "the organisation refuses files that end in \(match)")
        }
    }

    /// Whether files of a name stay on this machine.
    func isLocalOnly(_ name: String) -> Bool {
        options.localOnlyPatterns.contains { fnmatch($0, name, 0) == 0 }
    }

    /// Adds a file that exists only here so far.
    private func addLocalFile(
        parent: UInt64, name: String, mode: UInt16
    ) async throws(FileSystemError) -> UInt64 {
        try checkPolicy(for: name)
        var node = makeNode(kind: .file, parent: parent, name: name)
        node.overlay = newOverlay(mode: mode)
        node.isLocalOnly = isLocalOnly(name)
        node.working = try await newWorkingCopy(of: node.inode, base: nil)
        let added = node
        do throws(FileSystemError) {
            try tree.withLock { tree throws(FileSystemError) in
                guard tree.child(of: parent, named: name) == nil else {
                    throw FileSystemError(.exists, "\(name) exists")
                }
                tree.attach(added)
                tree.touch(parent)
            }
        } catch {
            added.working?.discard()
            throw error
        }
        return node.id
    }

    func newOverlay(mode: UInt16) -> LocalOverlay {
        var overlay = LocalOverlay()
        let now = SystemClocks.now()
        overlay.mode = mode & 0o7777
        overlay.modified = now
        overlay.changed = now
        return overlay
    }

    /// Makes a folder on the server.
    package func mkdir(
        parent: UInt64, name: String, mode: UInt16, caller: Caller
    ) -> Outcome<Entry> {
        pending { () throws(FileSystemError) in
            if try await self.existing(parent: parent, name: name) != nil {
                throw FileSystemError(.exists, "\(name) exists")
            }
            try self.checkCreation(of: name, in: parent)
            let id = try await self.makeFolder(parent: parent, name: name, mode: mode)
            return try self.countedEntry(of: id)
        }
    }

    private func makeFolder(
        parent: UInt64, name: String, mode: UInt16
    ) async throws(FileSystemError) -> UInt64 {
        guard let folder = tree.withLock({ $0.reference(of: parent) }) else {
            throw FileSystemError(.stale, "the folder is gone")
        }
        let item: CloudItem
        do throws(CloudStorageError) {
            item = try await cloud.createFolder(name: name, in: folder)
        } catch {
            if error.kind == .nameConflict { refreshLater(parent) }
            throw FileSystemError(error)
        }
        return acknowledgeNew(item, kind: .folder, parent: parent, name: name, mode: mode)
    }

    /// Adds an item that the server made for us, unless a listing has brought it already.
    private func acknowledgeNew(
        _ item: CloudItem, kind: FileKind, parent: UInt64, name: String, mode: UInt16
    ) -> UInt64 {
        var node = makeNode(kind: kind, parent: parent, name: name)
        node.server = ServerSide(item)
        node.overlay = newOverlay(mode: mode)
        node.overlay.revision = item.revision
        if kind == .folder {
            node.children = [:]
            node.validatedAt = SystemClocks.monotonicSeconds()
        }
        let added = node
        let (id, records) = tree.withLock { tree -> (UInt64, [InodeRecord]) in
            if let known = tree.byKey[ItemKey(item.reference)], tree.nodes[known] != nil {
                tree.nodes[known]?.overlay = added.overlay
                return (known, [])
            }
            if let stranger = tree.child(of: parent, named: name) { tree.detach(stranger.id) }
            tree.attach(added)
            tree.stamp(added.id)
            tree.touch(parent)
            return (added.id, [added.id, parent].compactMap { tree.record(of: $0) })
        }
        store.enqueue(records.map { .put($0) })
        return id
    }

    /// Stores a symbolic link as a small text file.
    package func symlink(
        parent: UInt64, name: String, target: String, caller: Caller
    ) -> Outcome<Entry> {
        guard options.symbolicLinks == .store else {
            return .failure(.notPermitted, "this mount does not keep symbolic links")
        }
        guard !target.isEmpty, target.utf8.count <= 4095 else {
            return .failure(.nameTooLong, "the link's target is too long")
        }
        return pending { () throws(FileSystemError) in
            if try await self.existing(parent: parent, name: name) != nil {
                throw FileSystemError(.exists, "\(name) exists")
            }
            try self.checkCreation(of: LinkName.stored(name), in: parent)
            let item = try await self.uploadLink(parent: parent, name: name, target: target)
            let id = self.acknowledgeNew(
                item, kind: .symbolicLink, parent: parent, name: name, mode: 0o777)
            self.tree.withLock { tree in
                tree.nodes[id]?.symlinkTarget = target
                if let record = tree.record(of: id) { self.store.enqueue([.put(record)]) }
            }
            return try self.countedEntry(of: id)
        }
    }

    private func uploadLink(
        parent: UInt64, name: String, target: String
    ) async throws(FileSystemError) -> CloudItem {
        guard let folder = tree.withLock({ $0.reference(of: parent) }) else {
            throw FileSystemError(.stale, "the folder is gone")
        }
        let working = try await newWorkingCopy(of: store.allocateInode(), base: nil)
        defer { working.discard() }
        try await disk.run { () throws(FileSystemError) in
            var bytes = Array(target.utf8)
            let result: Result<Void, FileSystemError> = bytes.withUnsafeMutableBytes { buffer in
                do throws(FileSystemError) {
                    try working.write(UnsafeRawBufferPointer(buffer), at: 0)
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            try result.get()
        }
        let content = LocalContent(path: working.path, size: working.size)
        let place = ServerPlace(folder: folder, name: LinkName.stored(name))
        return try await ask { () async throws(CloudStorageError) in
            guard self.uploadOntoName == .conflict else {
                return try await self.storeWithoutOverwriting(content, at: place)
            }
            return try await self.cloud.upload(content, name: place.name, to: folder)
        }
    }
}

extension Tree {
    /// A folder whose entries we changed has a new time.
    mutating func touch(_ folder: UInt64) {
        let now = SystemClocks.now()
        nodes[folder]?.overlay.modified = now
        nodes[folder]?.overlay.changed = now
    }
}
