import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization

/// Closing files, and putting them on stable storage.
extension VirtualFileSystem {
    /// close(2): the content survives the driver when this answers; where the mount is to answer
    /// for the server, it is there, or the error says why not.
    package func flush(handle: UInt64) -> Outcome<Void> {
        guard mayStore(handle) else { return flushWritten(handle) }
        return pending { () throws(FileSystemError) in
            try await self.takeStores(by: handle)
            try await self.flushWritten(handle).value()
            self.noteClosing(handle, true)
        }
    }

    private func noteClosing(_ handle: UInt64, _ isClosing: Bool) {
        tree.withLock { tree in
            guard let open = tree.handles[handle], open.isInPlace else { return }
            tree.nodes[open.node]?.isClosingInPlace = isClosing
        }
    }

    /// The same, for what is in the working copy.
    /// - Parameter waits: for the server, where the mount is to answer for it.
    func flushWritten(_ handle: UInt64, waits: Bool = true) -> Outcome<Void> {
        let node = tree.withLock { tree -> Node? in
            guard let open = tree.handles[handle],
                open.options.contains(.write) || open.isClosed && open.isInPlace
            else { return nil }
            return tree.nodes[open.node]
        }
        guard let node, let working = node.working, !working.isSaved else { return .success(()) }
        guard node.parent != nil else {
            return node.isRemoved
                ? .success(()) : .failure(.stale, "another client has deleted the file")
        }
        let refusal = refusalInPlace(of: node.id)
        let waitsForServer = waits && options.synchronization == .all && !node.isLocalOnly
        let isWhole = node.writeHandles == 1
        if !waitsForServer, node.isFlushed, refusal == nil, working.keepAgain(whole: isWhole) {
            return .success(())
        }
        let (changes, confirmation) = keepContent(of: node.id, working, whole: isWhole)
        if !waitsForServer, let result = store.commitNow(changes, durability: .normal) {
            if case .success = result {
                working.noteJournaled(confirmation)
                working.removeSuperseded(keeping: sentPaths(of: node.inode))
                if let refusal { return .ready(.failure(refusal)) }
            }
            return .ready(result)
        }
        return pending { () throws(FileSystemError) in
            try await self.store.commit(changes, durability: .normal)
            working.noteJournaled(confirmation)
            working.removeSuperseded(keeping: self.sentPaths(of: node.inode))
            if let refusal { throw refusal }
            guard waitsForServer else { return }
            self.wake()
            do throws(FileSystemError) {
                try await self.settle([node.id])
            } catch {
                throw error.code == .notFound ? FileSystemError(.stale, error.message) : error
            }
        }
    }

    /// From now on the row speaks of the content, and it may be sent.
    private func keepContent(
        of id: UInt64, _ working: WorkingCopy, whole: Bool
    ) -> ([StateChange], WorkingCopy.Confirmation) {
        tree.withLock { tree in
            let confirmation = working.keep(whole: whole)
            tree.nodes[id]?.isFlushed = true
            tree.noteLocalChange(of: id)
            tree.compare(id)
            return (tree.recordChanges(of: [id]), confirmation)
        }
    }

    /// fsync(2): the content survives power loss of this machine; a later mount sends it.
    ///
    /// Throws, once, what became known after a close had succeeded.
    package func fsync(handle: UInt64, dataOnly: Bool) -> Outcome<Void> {
        let id = tree.withLock { $0.handles[handle]?.node }
        guard let id else { return .success(()) }
        if let error = takeOwedError(of: [id]) { return .ready(.failure(error)) }
        guard mayStore(handle) else { return fsyncWritten(id, dataOnly: dataOnly) }
        return pending { () throws(FileSystemError) in
            self.noteClosing(handle, false)
            try await self.takeStores(by: handle)
            try await self.fsyncWritten(id, dataOnly: dataOnly).value()
        }
    }

    private func fsyncWritten(_ id: UInt64, dataOnly: Bool) -> Outcome<Void> {
        guard let working = tree.withLock({ $0.nodes[id]?.working }), !working.isSaved else {
            return .success(())
        }
        let refusal = refusalInPlace(of: id)
        return pending { () throws(FileSystemError) in
            try await self.disk.runShort { () throws(FileSystemError) in try working.sync() }
            let (changes, confirmation) = self.keepContent(of: id, working, whole: false)
            if dataOnly, case .put(let row)? = changes.first, changes.count == 1,
                working.isStable(row)
            {
                // Only times are new, which fdatasync(2) leaves out.
                self.store.enqueue(changes)
            } else {
                if case .put(let row)? = changes.first { working.expectStable(row) }
                try await self.commitFully(changes)
                if case .put(let row)? = changes.first {
                    working.noteStable(row, epoch: confirmation.rowEpoch)
                }
            }
            working.noteJournaled(confirmation)
            if let inode = self.tree.withLock({ $0.nodes[id]?.inode }) {
                working.removeSuperseded(keeping: self.sentPaths(of: inode))
            }
            self.wake()
            if let refusal { throw refusal }
        }
    }

    /// Commits changes, and with them all before, to stable storage.
    func commitFully(_ changes: [StateChange]) async throws(FileSystemError) {
        if RequestThread.isCurrent, let result = store.commitNow(changes, durability: .full) {
            return try result.get()
        }
        try await store.commit(changes, durability: .full)
    }

    /// A failure that no program was told of yet, of the first of the items that has one.
    func takeOwedError(of items: some Sequence<UInt64>) -> FileSystemError? {
        tree.withLock { tree in
            for id in items where tree.nodes[id]?.owesError == true {
                tree.nodes[id]?.owesError = false
                if let error = tree.nodes[id]?.saveError {
                    return FileSystemError(.inputOutput, error.message)
                }
            }
            return nil
        }
    }

    /// The last close of a handle.
    package func release(handle: UInt64) -> Outcome<Void> {
        releaseNow(handle, unlessMapped: true)
    }

    /// - Parameter unlessMapped: stays as it is, to be ended later, while programs map the file by it.
    func releaseNow(_ handle: UInt64, unlessMapped: Bool) -> Outcome<Void> {
        enum Rest { case nothing(CachedContent?), work(UInt64), mapped }
        var ended: (BackedFile, WorkingCopy?)?
        defer {
            if let (file, working) = ended {
                working?.setMirror(nil)
                file.end()
            }
        }
        var dropsPages: UInt64?
        defer { if let node = dropsPages { notifier?.invalidateContent(ofNode: node) } }
        let smallest = backingFiles == nil ? Int64.max : options.smallestBacked
        let rest: Rest = tree.withLock { tree in
            guard let open = tree.handles[handle], var node = tree.nodes[open.node] else {
                tree.handles[handle] = nil
                return .nothing(nil)
            }
            if unlessMapped, node.isStillMapped(by: open) {
                tree.handles[handle]?.isClosed = true
                return .mapped
            }
            tree.handles[handle] = nil
            node.openHandles -= 1
            if open.isBacked, let file = node.endBacked(open.options) {
                ended = (file, node.working)
            }
            if open.isInPlace { node.endInPlace() }
            if node.givesUpPages(of: open, smallest: smallest) { dropsPages = open.node }
            if open.options.contains(.write) { node.writeHandles -= 1 }
            var unused: CachedContent?
            if node.openHandles == 0 {
                unused = node.cached
                node.cached = nil
            }
            tree.nodes[open.node] = node
            if open.isInPlace { tree.noteEndInPlace(of: open.node) }
            tree.compare(open.node)
            let needsWork = node.writeHandles == 0 && (node.working != nil || node.holdsLock)
            if needsWork { return .work(open.node) }
            tree.dropIfUnused(open.node)
            return .nothing(unused)
        }
        switch rest {
        case .mapped:
            releaseWhenUnmapped(handle)
            return .success(())
        case .nothing(let unused):
            unused?.release()
            wake()
            return .success(())
        case .work(let node):
            if leaveUnsent(node) { return .success(()) }
            return pending { () throws(FileSystemError) in await self.finishWriting(node) }
        }
    }

    /// Hands the content to the cache, and gives the lock back.
    func finishWriting(_ id: UInt64) async {
        await gate.enter([id]) { await self.retireWorkingCopy(of: id) }
        await finishClosing(id)
    }

    /// Leaves unsent content to the background; false where there is none.
    func leaveUnsent(_ id: UInt64) -> Bool {
        let isUnsent = tree.withLock { tree in
            guard let node = tree.nodes[id] else { return false }
            return node.parent != nil && node.working?.isSaved == false
        }
        if isUnsent { leaveToBackground(id) }
        return isUnsent
    }

    /// Unsent content stays as a closed file until its turn comes.
    private func leaveToBackground(_ id: UInt64) {
        let working = tree.withLock { tree -> WorkingCopy? in
            tree.compare(id)
            return tree.nodes[id]?.openHandles == 0 ? tree.nodes[id]?.working : nil
        }
        working?.park()
        wake()
    }

    /// After the last handle that wrote, and when the server has the content: the lock goes back.
    func finishClosing(_ id: UInt64) async {
        let isClosed = tree.withLock { tree in
            (tree.nodes[id]?.writeHandles ?? 0) == 0 && (tree.nodes[id]?.working == nil)
        }
        if isClosed { await giveLockBack(id) }
        let unused = tree.withLock { tree -> CachedContent? in
            guard tree.nodes[id]?.openHandles == 0 else { return nil }
            let unused = tree.nodes[id]?.cached
            tree.nodes[id]?.cached = nil
            tree.dropIfUnused(id)
            tree.freshen()
            return unused
        }
        unused?.release()
    }

    /// Hands a saved working copy to the cache; one of a file without a name is thrown away.
    func retireWorkingCopy(of id: UInt64) async {
        let claimed = tree.withLock { tree -> Node? in
            guard let node = tree.nodes[id], node.working != nil, node.writeHandles == 0,
                node.inPlace == nil, !node.isRetiring
            else { return nil }
            tree.nodes[id]?.isRetiring = true
            return node
        }
        guard let node = claimed, let working = node.working else { return }
        defer { tree.withLock { $0.nodes[id]?.isRetiring = false } }
        if node.parent == nil {
            guard node.openHandles == 0 else { return }
            let sent = sentPaths(of: node.inode)
            if options.synchronizesInBackground {
                disk.later { working.discard(keeping: sent) }
            } else {
                working.discard(keeping: sent)
            }
            tree.withLock { tree in
                tree.nodes[id]?.working = nil
                tree.compare(id)
                tree.dropIfUnused(id)
            }
            return
        }
        guard working.isSaved, !node.isLocalOnly, let server = node.server else {
            if node.openHandles == 0 { working.park() }
            return
        }
        guard await isAsCopied(working) else { return sendAgain(working, of: id) }
        do throws(FileSystemError) {
            // The row no longer speaks of the file before it moves.
            let rows = tree.withLock { $0.recordChanges(of: [id]) }
            try await store.commit(rows, durability: .normal)
            working.removeSuperseded(keeping: sentPaths(of: node.inode))
        } catch {
            logger.warning("a stored file stays uncached", metadata: ["error": "\(error)"])
            return
        }
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
            changed.isFlushed = false
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

    private func isAsCopied(_ working: WorkingCopy) async -> Bool {
        do throws(FileSystemError) {
            return try await disk.run { () throws(FileSystemError) in try working.isAsCopied() }
        } catch {
            logger.warning("a stored file can't be read", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// The server has not the content that is here after all.
    private func sendAgain(_ working: WorkingCopy, of id: UInt64) {
        tree.withLock { _ in working.markUnsaved() }
        store.enqueue(keepContent(of: id, working, whole: true).0)
        leaveToBackground(id)
    }

    /// Moves a complete working copy's file into the cache and opens it there.
    private func adopt(
        _ working: WorkingCopy, of server: ServerSide
    ) async -> CachedContent? {
        do throws(FileSystemError) {
            let path = working.path
            let size = working.size
            // Who has found the working copy, but not read yet, reads on from it.
            try await disk.run { () throws(FileSystemError) in try working.file.keepOpen() }
            if working.isComplete, working.size == server.size {
                try await disk.run { () throws(FileSystemError) in
                    try self.cache.adopt(file: path, as: server.contentKey, size: size)
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
