import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization

/// Opening and closing files.
extension VirtualFileSystem {
    /// Opens a file. For writing, the server's lock is taken before this answers.
    package func open(node: UInt64, options: OpenOptions, caller: Caller) -> Outcome<OpenedFile> {
        if options.contains(.write) {
            return pending { () throws(FileSystemError) in
                try await self.openForWriting(node, options: options)
            }
        }
        return now { () throws(FileSystemError) in try openForReading(node, options: options) }
    }

    private func openForReading(
        _ id: UInt64, options: OpenOptions
    ) throws(FileSystemError) -> OpenedFile {
        let node = try tree.withLock { tree throws(FileSystemError) in try tree.node(id) }
        guard node.kind == .file else { throw Self.notAFile(node) }
        var content: CachedContent?
        if node.working == nil, node.cached == nil, let server = node.server {
            let reference = tree.withLock { $0.reference(of: id) } ?? server.reference
            content = try cachedContent(for: server, reference: reference)
        }
        return try finishOpening(id, options: options, content: content)
    }

    private func openForWriting(
        _ id: UInt64, options: OpenOptions
    ) async throws(FileSystemError) -> OpenedFile {
        try checkWritable(id)
        try await takeLock(id)
        let result: Result<OpenedFile, FileSystemError> = await gate.enter([id]) {
            do throws(FileSystemError) {
                try checkWritable(id)
                try await prepareWorkingCopy(of: id, truncated: options.contains(.truncate))
                return .success(try finishOpening(id, options: options, content: nil))
            } catch {
                return .failure(error)
            }
        }
        if case .failure = result { await giveLockBack(id) }
        return try result.get()
    }

    static func notAFile(_ node: Node) -> FileSystemError {
        node.isFolder
            ? FileSystemError(.isFolder, "\(node.name) is a folder")
            : FileSystemError(.invalidArgument, "\(node.name) is no regular file")
    }

    /// Refuses what the account may not write.
    func checkWritable(_ id: UInt64) throws(FileSystemError) {
        guard !options.isReadOnly else {
            throw FileSystemError(.readOnly, "the mount is read-only")
        }
        try tree.withLock { tree throws(FileSystemError) in
            let node = try tree.node(id)
            guard node.kind == .file else { throw Self.notAFile(node) }
            guard node.parent != nil || node.openHandles > 0 else {
                throw FileSystemError(.stale, "the file is gone")
            }
            guard tree.permissions(of: node).contains(.write) else {
                throw FileSystemError(.accessDenied, "the account may not change \(node.name)")
            }
        }
    }

    /// Gives a file a working copy, over the version the server has.
    func prepareWorkingCopy(of id: UInt64, truncated: Bool) async throws(FileSystemError) {
        let node = try tree.withLock { tree throws(FileSystemError) in try tree.node(id) }
        var working = node.working
        if working == nil {
            var base: CachedContent?
            if let server = node.server, !truncated, server.size > 0 {
                let reference = tree.withLock { $0.reference(of: id) } ?? server.reference
                base = try cachedContent(for: server, reference: reference)
            }
            working = try await newWorkingCopy(of: node.inode, base: base)
            if node.server?.size == 0 { working?.markSaved(0) }
        } else if truncated, let working {
            try await disk.run { () throws(FileSystemError) in try working.truncate(to: 0) }
        }
        let isNew = node.working == nil
        let finished = working
        let old: CachedContent? = tree.withLock { tree in
            guard var changed = tree.nodes[id] else { return nil }
            changed.working = finished
            // Its pages are the same bytes until somebody writes.
            if isNew, !truncated, node.pagesOf == node.contentVersion {
                changed.pagesOf = changed.contentVersion
            }
            let old = changed.cached
            changed.cached = nil
            tree.nodes[id] = changed
            return old
        }
        old?.release()
        if truncated { noteChange(of: id, handle: nil) }
    }

    func newWorkingCopy(
        of inode: InodeNumber, base: CachedContent?
    ) async throws(FileSystemError) -> WorkingCopy {
        let serial = nextSerial()
        let stamp = SystemClocks.now().nanosecondsSince1970
        let path = "\(store.contentFolder)/\(inode)-\(stamp)-\(serial)"
        return try await disk.run { () throws(FileSystemError) in
            try WorkingCopy(serial: serial, path: path, base: base)
        }
    }

    /// Makes the handle. Takes over `content`, which readers of the node share.
    func finishOpening(
        _ id: UInt64, options: OpenOptions, content: CachedContent?
    ) throws(FileSystemError) -> OpenedFile {
        enum Ending { case opened(OpenedFile, unused: CachedContent?), failed(FileSystemError) }
        let ending: Ending = tree.withLock { tree in
            guard tree.handles.count + tree.directoryHandles.count < self.options.handleLimit else {
                return .failed(FileSystemError(.tooManyOpen, "too many open files on the mount"))
            }
            guard var node = tree.nodes[id] else {
                return .failed(FileSystemError(.stale, "the file is gone"))
            }
            var unused = content
            if node.cached == nil, node.working == nil {
                node.cached = content
                unused = nil
            }
            node.openHandles += 1
            if options.contains(.write) { node.writeHandles += 1 }
            let version = node.contentVersion
            let keepsCache = node.pagesOf == version
            node.pagesOf = version
            tree.nodes[id] = node
            let handle = tree.nextHandle
            tree.nextHandle += 1
            tree.handles[handle] = FileHandle(node: id, options: options)
            return .opened(OpenedFile(handle: handle, keepsCache: keepsCache), unused: unused)
        }
        switch ending {
        case .opened(let file, let unused):
            unused?.release()
            return file
        case .failed(let error):
            content?.release()
            throw error
        }
    }

    /// close(2): the content is on the server when this answers, or the error says why not.
    package func flush(handle: UInt64) -> Outcome<Void> {
        let node = tree.withLock { tree -> Node? in
            guard let open = tree.handles[handle], open.options.contains(.write) else { return nil }
            return tree.nodes[open.node]
        }
        guard let node, let working = node.working, !working.isSaved else { return .success(()) }
        return pending { () throws(FileSystemError) in try await self.save(node.id) }
    }

    /// fsync(2): the content survives power loss of this machine; a later mount sends it.
    package func fsync(handle: UInt64, dataOnly: Bool) -> Outcome<Void> {
        let id = tree.withLock { $0.handles[handle]?.node }
        guard let id, let working = tree.withLock({ $0.nodes[id]?.working }), !working.isSaved
        else {
            return .success(())
        }
        return pending { () throws(FileSystemError) in
            try await working.fill(ByteRange(0, working.size), on: self.disk)
            try await self.disk.run { () throws(FileSystemError) in try working.sync() }
            guard let record = self.tree.withLock({ $0.record(of: id) }) else { return }
            try await self.store.commit([.put(record)], durability: .full)
        }
    }

    /// The last close of a handle. What could not be stored stays here and is tried again.
    package func release(handle: UInt64) -> Outcome<Void> {
        enum Rest { case nothing(CachedContent?), work(UInt64) }
        let rest: Rest = tree.withLock { tree in
            guard let open = tree.handles.removeValue(forKey: handle),
                var node = tree.nodes[open.node]
            else { return .nothing(nil) }
            node.openHandles -= 1
            if open.options.contains(.write) { node.writeHandles -= 1 }
            var unused: CachedContent?
            if node.openHandles == 0 {
                unused = node.cached
                node.cached = nil
            }
            tree.nodes[open.node] = node
            let needsWork =
                (node.writeHandles == 0 && (node.working != nil || node.holdsLock))
                || (node.openHandles == 0 && node.deletesAtClose != nil)
            if needsWork { return .work(open.node) }
            tree.dropIfUnused(open.node)
            return .nothing(unused)
        }
        switch rest {
        case .nothing(let unused):
            unused?.release()
            return .success(())
        case .work(let node):
            return pending { () throws(FileSystemError) in await self.finishClosing(node) }
        }
    }

    /// After the last handle that wrote: the working copy becomes cached content, the lock goes
    /// back, a removed file is removed on the server too.
    private func finishClosing(_ id: UInt64) async {
        await settle(id)
        await gate.enter([id]) {
            await retireWorkingCopy(of: id)
        }
        let isClosed = tree.withLock { tree in
            (tree.nodes[id]?.writeHandles ?? 0) == 0 && (tree.nodes[id]?.working == nil)
        }
        if isClosed { await giveLockBack(id) }
        await deleteIfClosed(id)
        let unused = tree.withLock { tree -> CachedContent? in
            guard tree.nodes[id]?.openHandles == 0 else { return nil }
            let unused = tree.nodes[id]?.cached
            tree.nodes[id]?.cached = nil
            tree.dropIfUnused(id)
            return unused
        }
        unused?.release()
    }

    /// Stores what is unsaved when the last writer has gone; a failure is kept for the retries.
    private func settle(_ id: UInt64) async {
        let needsSave = tree.withLock { tree in
            guard let node = tree.nodes[id], node.parent != nil, let working = node.working else {
                return false
            }
            return !working.isSaved && !node.isLocalOnly && node.saveError == nil
        }
        guard needsSave else { return }
        do throws(FileSystemError) {
            try await save(id)
        } catch {
            logger.warning("a file could not be stored yet", metadata: ["error": "\(error)"])
        }
    }

    /// Hands a saved working copy to the cache; one of a file without a name is thrown away.
    func retireWorkingCopy(of id: UInt64) async {
        let node = tree.withLock { $0.nodes[id] }
        guard let node, let working = node.working, node.writeHandles == 0 else { return }
        if node.parent == nil {
            guard node.openHandles == 0 else { return }
            working.discard()
            tree.withLock { tree in
                tree.nodes[id]?.working = nil
                tree.dropIfUnused(id)
            }
            return
        }
        guard working.isSaved, !node.isLocalOnly, let server = node.server else { return }
        guard let content = await adopt(working, of: server) else {
            // Its readers keep the working copy; without any, the server has the content.
            let isUnused = tree.withLock { tree in
                guard tree.nodes[id]?.openHandles == 0 else { return false }
                tree.nodes[id]?.working = nil
                return true
            }
            if isUnused { working.discard() }
            return
        }
        let (record, unused) = tree.withLock { tree -> (InodeRecord?, CachedContent?) in
            guard var changed = tree.nodes[id] else { return (nil, content) }
            let pagesAreCurrent = changed.pagesOf == changed.contentVersion
            changed.working = nil
            // Who opened it meanwhile reads on from the cache.
            changed.cached = changed.openHandles > 0 ? content : nil
            // The kernel's pages are those of the file the cache now has.
            if pagesAreCurrent { changed.pagesOf = changed.contentVersion }
            tree.nodes[id] = changed
            return (tree.record(of: id), changed.openHandles > 0 ? nil : content)
        }
        unused?.release()
        if let record { store.enqueue([.put(record)]) }
    }

    /// Moves a complete working copy's file into the cache and opens it there.
    private func adopt(
        _ working: WorkingCopy, of server: ServerSide
    ) async -> CachedContent? {
        let key = ContentKey(
            root: server.reference.root, item: server.reference.id ?? server.reference.path,
            revision: server.revision ?? "")
        do throws(FileSystemError) {
            let path = working.path
            let size = working.size
            if working.isComplete, working.size == server.size {
                try await disk.run { () throws(FileSystemError) in
                    try self.cache.adopt(file: path, as: key, size: size)
                }
            } else {
                working.discard()
            }
            return try cachedContent(for: server, reference: server.reference)
        } catch {
            logger.warning("a stored file could not be cached", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
