import CloudStorage
import FileSystemTypes
import Glibc
import StateStore
import Synchronization

/// Making files, folders and links.
extension VirtualFileSystem {
    /// Makes a file and opens it. An existing one is opened. Answers on the caller's thread, which
    /// may wait for the local disk, where the folder is known.
    package func create(
        parent: UInt64, name: String, mode: UInt16, options: OpenOptions, caller: Caller
    ) -> Outcome<CreatedFile> {
        let isFree = tree.withLock { tree in
            tree.nodes[parent]?.children != nil && tree.child(of: parent, named: name) == nil
        }
        if isFree, !isOwnerFile(name) {
            return now { () throws(FileSystemError) in
                try make(parent: parent, name: name, mode: mode, options: options)
            }
        }
        return pending { () throws(FileSystemError) in
            guard let existing = try await self.existing(parent: parent, name: name) else {
                return try await self.makeUnderLock(parent: parent, name: name, options) {
                    () throws(FileSystemError) in
                    try await self.disk.run { () throws(FileSystemError) in
                        try self.make(parent: parent, name: name, mode: mode, options: options)
                    }
                }
            }
            guard !options.contains(.exclusive) else {
                throw FileSystemError(.exists, "\(name) exists")
            }
            let file = try await self.open(node: existing, options: options, caller: caller)
                .value()
            return CreatedFile(entry: try self.countedEntry(of: existing), file: file)
        }
    }

    private func make(
        parent: UInt64, name: String, mode: UInt16, options: OpenOptions
    ) throws(FileSystemError) -> CreatedFile {
        try checkCreation(of: name, in: parent)
        if !staysHereByName(name) {
            // The server is not asked before there is content to send.
            try tree.withLock { tree throws(FileSystemError) in
                try tree.checkLock(of: try tree.folder(parent))
            }
        }
        let id = try addLocalFile(parent: parent, name: name, mode: mode)
        let file = try openPrepared(id, options: options, offerInPlace(id, options: options))
        return CreatedFile(entry: try countedEntry(of: id), file: file)
    }

    /// Makes an empty file (`mknod` with `S_IFREG`).
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
            guard folder.server != nil || folder.id != Tree.rootID else {
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
            if self.options.synchronization == .none, !staysHereByName(name) {
                try tree.checkLock(of: folder)
            }
        }
    }

    /// Refuses extensions that the organisation excludes, but for names that are temporary by nature.
    func checkPolicy(for name: String) throws(FileSystemError) {
        guard !staysHere(name), let match = excludedExtension(of: name) else { return }
        throw FileSystemError(.policy, "the organisation refuses files that end in \(match)")
    }

    private func excludedExtension(of name: String) -> String? {
        let excluded = tree.withLock { $0.account?.policy.excludedExtensions ?? [] }
        guard !excluded.isEmpty else { return nil }
        let lowered = name.lowercased()
        return excluded.first { lowered.hasSuffix($0) }
    }

    /// Whether files of a name stay on this machine: by the mount's options, or since they are
    /// temporary by nature and the organisation excludes them.
    func staysHere(_ name: String) -> Bool {
        if staysHereByName(name) { return true }
        return options.temporaryPatterns.contains { fnmatch($0, name, 0) == 0 }
            && excludedExtension(of: name) != nil
    }

    private func staysHereByName(_ name: String) -> Bool {
        options.localOnlyPatterns.contains { fnmatch($0, name, 0) == 0 }
            || OwnerFileName.isOfWPS(name)
    }

    /// Adds a file that exists only here so far.
    private func addLocalFile(
        parent: UInt64, name: String, mode: UInt16
    ) throws(FileSystemError) -> UInt64 {
        try checkPolicy(for: name)
        if let failure = store.failure { throw failure }
        var node = makeNode(kind: .file, parent: parent, name: name)
        node.overlay = newOverlay(mode: mode)
        node.isLocalOnly = staysHere(name)
        let working = try makeWorkingCopy(of: node.inode, base: nil)
        node.working = working
        let added = node
        do throws(FileSystemError) {
            try tree.withLock { tree throws(FileSystemError) in
                guard tree.child(of: parent, named: name) == nil else {
                    throw FileSystemError(.exists, "\(name) exists")
                }
                tree.attach(added)
                tree.noteLocalChange(of: added.id)
                tree.touch(parent)
            }
        } catch {
            working.discard()
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

    /// Makes a folder.
    package func mkdir(
        parent: UInt64, name: String, mode: UInt16, caller: Caller
    ) -> Outcome<Entry> {
        pending { () throws(FileSystemError) in
            if try await self.existing(parent: parent, name: name) != nil {
                throw FileSystemError(.exists, "\(name) exists")
            }
            try self.checkCreation(of: name, in: parent)
            var node = self.makeNode(kind: .folder, parent: parent, name: name)
            node.overlay = self.newOverlay(mode: mode)
            node.children = [:]
            node.validatedAt = SystemClocks.monotonicSeconds()
            node.usedAt = node.validatedAt
            try await self.add(node)
            return try self.countedEntry(of: node.id)
        }
    }

    /// Hangs in a folder or link that is only here so far, and journals it; where the mount is to
    /// answer for the server, waits for it, and takes the node away where the server refuses.
    private func add(_ node: Node) async throws(FileSystemError) {
        let changes = try tree.withLock { tree throws(FileSystemError) in
            guard let parent = node.parent, tree.child(of: parent, named: node.name) == nil else {
                throw FileSystemError(.exists, "\(node.name) exists")
            }
            tree.attach(node)
            tree.touch(parent)
            tree.noteLocalChange(of: node.id)
            tree.compare(node.id)
            return tree.recordChanges(of: [node.id, parent])
        }
        try await journal(changes)
        guard options.synchronization != .none else { return }
        do throws(FileSystemError) {
            try await settle([node.id])
        } catch {
            let removal = tree.withLock { $0.removeNameLocally(node.id) }
            node.working?.discard()
            if let parent = node.parent { refreshLater(parent) }
            store.enqueue(removal)
            throw error
        }
    }

    /// Keeps a symbolic link as a small text file.
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
            var node = self.makeNode(kind: .symbolicLink, parent: parent, name: name)
            node.overlay = self.newOverlay(mode: 0o777)
            node.symlinkTarget = target
            node.working = try await self.linkContent(target, inode: node.inode)
            try await self.add(node)
            return try self.countedEntry(of: node.id)
        }
    }

    private func linkContent(
        _ target: String, inode: InodeNumber
    ) async throws(FileSystemError) -> WorkingCopy {
        let working = try await newWorkingCopy(of: inode, base: nil)
        try await disk.run { () throws(FileSystemError) in
            let bytes = Array(target.utf8)
            let result: Result<Void, FileSystemError> = bytes.withUnsafeBytes { buffer in
                do throws(FileSystemError) {
                    try working.write(buffer, at: 0)
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            try result.get()
            working.keep(whole: false)
            working.park()
        }
        return working
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
