import FileSystemTypes
import StateStore
import Synchronization

/// Reading folders.
extension VirtualFileSystem {
    /// Opens a folder.
    package func opendir(node: UInt64) -> Outcome<OpenedFolder> {
        let state: Result<ListingState, FileSystemError> = tree.withLock { tree in
            do throws(FileSystemError) {
                let folder = try tree.folder(node)
                tree.nodes[node]?.usedAt = SystemClocks.monotonicSeconds()
                return .success(listingState(of: folder))
            } catch {
                return .failure(error)
            }
        }
        switch state {
        case .failure(let error): return .ready(.failure(error))
        case .success(.current):
            noteOpened(folder: node, isListed: true)
            do throws(FileSystemError) {
                if let opened = try openListing(node) { return .success(opened) }
            } catch {
                return .ready(.failure(error))
            }
            return pending { () throws(FileSystemError) in
                try await self.openUnknown(node, .unknown)
            }
        case .success(let state):
            return pending { () throws(FileSystemError) in
                try await self.openUnknown(node, state)
            }
        }
    }

    /// Opens a folder whose entries are not in memory, or were not checked lately.
    private func openUnknown(
        _ node: UInt64, _ known: ListingState
    ) async throws(FileSystemError) -> OpenedFolder {
        var state = known
        // The entries may leave memory again before the folder is open.
        for _ in 0..<Self.attemptsToLook {
            if state == .unknown, try await load(node) {
                let folder = try tree.withLock { tree throws(FileSystemError) in
                    try tree.folder(node)
                }
                state = listingState(of: folder)
            }
            switch state {
            case .current: noteOpened(folder: node, isListed: true)
            case .stale, .unknown:
                // Its own listing goes before those that are made ahead.
                if state == .unknown { refreshLater(node) }
                noteOpened(folder: node, isListed: state != .unknown)
                try await ensureCurrent(node)
                if state == .unknown { listNext(below: node) }
            }
            if let opened = try openListing(node) { return opened }
            state = .unknown
        }
        throw FileSystemError(.inputOutput, "too much is going on to keep the folder in memory")
    }

    /// Nil where the entries are not in memory.
    private func openListing(_ node: UInt64) throws(FileSystemError) -> OpenedFolder? {
        let now = SystemClocks.monotonicSeconds()
        return try tree.withLock { tree throws(FileSystemError) in
            let folder = try tree.folder(node)
            guard folder.children != nil else { return nil }
            guard tree.handles.count + tree.directoryHandles.count < options.handleLimit else {
                throw FileSystemError(.tooManyOpen, "too many open files on the mount")
            }
            let handle = tree.nextHandle
            tree.nextHandle += 1
            var pages = folder.listingPages
            let opening = pages.open(
                version: folder.entriesVersion, now: now, validity: options.entrySeconds)
            tree.directoryHandles[handle] = DirectoryHandle(
                node: node, parent: folder.parent ?? Tree.rootID, fillsPages: opening.fills)
            tree.nodes[node]?.listingPages = pages
            tree.nodes[node]?.openHandles += 1
            return OpenedFolder(
                handle: handle, isCacheable: opening.fills, keepsCache: opening.keeps)
        }
    }

    /// The entry behind `cookie` (0 for the first) and its own cookie, nil at the end of the listing.
    package func directoryEntry(
        handle: UInt64, after cookie: UInt64
    ) -> (line: DirectoryEntry, cookie: UInt64)? {
        takeLines(handle, after: cookie)
        return tree.withLock { $0.directoryLine(handle, after: cookie) }
    }

    /// The folder is taken as it is when a program starts to read it, and again when it starts over.
    private func takeLines(_ handle: UInt64, after cookie: UInt64) {
        guard cookie >= DirectoryHandle.ownLines,
            let unsorted = tree.withLock({ $0.missingLines(of: handle) })
        else { return }
        // By number, which on a first listing goes by name: a program that reads one file after the
        // other can be followed.
        let lines = unsorted.sorted { $0.node < $1.node }
        tree.withLock { $0.directoryHandles[handle]?.lines = lines }
    }

    /// As `directoryEntry`, with attributes and as a counted kernel reference; no entry for `.`,
    /// `..` and names that are gone since.
    package func directoryEntryPlus(
        handle: UInt64, after cookie: UInt64
    ) -> (line: DirectoryEntry, cookie: UInt64, entry: Entry?)? {
        takeLines(handle, after: cookie)
        return tree.withLock { tree in
            guard let (line, next) = tree.directoryLine(handle, after: cookie) else { return nil }
            guard cookie >= DirectoryHandle.ownLines, let open = tree.directoryHandles[handle],
                let child = tree.child(of: open.node, named: line.name)
            else { return (line, next, nil) }
            tree.nodes[child.id]?.lookups += 1
            return (line, next, tree.entry(for: child, options: options))
        }
    }

    package func releasedir(handle: UInt64) {
        tree.withLock { tree in
            guard let open = tree.directoryHandles.removeValue(forKey: handle) else { return }
            if open.fillsPages { tree.nodes[open.node]?.listingPages.close() }
            tree.nodes[open.node]?.openHandles -= 1
            tree.dropIfUnused(open.node)
        }
    }

    /// Puts every name that was changed on stable storage; a later mount brings it to the server.
    ///
    /// Throws, once, what became known of an entry after the program had been answered.
    package func fsyncdir(handle: UInt64, dataOnly: Bool) -> Outcome<Void> {
        let entries = tree.withLock { tree in
            tree.directoryHandles[handle].flatMap { tree.nodes[$0.node]?.children }
        }
        if let error = takeOwedError(of: (entries ?? [:]).values) {
            return .ready(.failure(error))
        }
        return pending { () throws(FileSystemError) in
            try await self.commitFully([])
        }
    }
}
