import FileSystemTypes
import StateStore
import Synchronization

/// Reading folders.
extension VirtualFileSystem {
    /// Opens a folder: its listing as it is now stays with the handle.
    package func opendir(node: UInt64) -> Outcome<UInt64> {
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
            return now { () throws(FileSystemError) in try openListing(node) }
        case .success(let state):
            return pending { () throws(FileSystemError) in
                // Its own listing goes before those that are made ahead.
                if state == .unknown { self.refreshLater(node) }
                self.noteOpened(folder: node, isListed: state != .unknown)
                try await self.ensureCurrent(node)
                if state == .unknown { self.listNext(below: node) }
                return try self.openListing(node)
            }
        }
    }

    private func openListing(_ node: UInt64) throws(FileSystemError) -> UInt64 {
        let (folder, unsorted) = try tree.withLock { tree throws(FileSystemError) in
            let folder = try tree.folder(node)
            var lines: [DirectoryHandle.Line] = []
            lines.reserveCapacity(folder.children?.count ?? 0)
            for (name, id) in folder.children ?? [:] {
                guard let child = tree.nodes[id] else { continue }
                lines.append(.init(name: name.name, node: id, inode: child.inode, kind: child.kind))
            }
            return (folder, lines)
        }
        // By number, which on a first listing goes by name: a program that reads one file after the
        // other can be followed.
        let lines = unsorted.sorted { $0.node < $1.node }
        return try tree.withLock { tree throws(FileSystemError) in
            _ = try tree.folder(node)
            guard tree.handles.count + tree.directoryHandles.count < options.handleLimit else {
                throw FileSystemError(.tooManyOpen, "too many open files on the mount")
            }
            let handle = tree.nextHandle
            tree.nextHandle += 1
            tree.directoryHandles[handle] = DirectoryHandle(
                node: node, parent: folder.parent ?? Tree.rootID, lines: lines)
            tree.nodes[node]?.openHandles += 1
            return handle
        }
    }

    /// The entry at `index` of the listing as it was at opendir, nil past its end.
    package func directoryEntry(handle: UInt64, index: Int) -> DirectoryEntry? {
        tree.withLock { $0.directoryLine(handle, index) }
    }

    /// As `directoryEntry`, with attributes and as a counted kernel reference; no entry for `.`,
    /// `..` and names that are gone since.
    package func directoryEntryPlus(
        handle: UInt64, index: Int
    ) -> (line: DirectoryEntry, entry: Entry?)? {
        tree.withLock { tree in
            guard let line = tree.directoryLine(handle, index) else { return nil }
            guard index >= 2, let open = tree.directoryHandles[handle],
                let child = tree.child(of: open.node, named: line.name)
            else { return (line, nil) }
            tree.nodes[child.id]?.lookups += 1
            return (line, tree.entry(for: child, options: options))
        }
    }

    package func releasedir(handle: UInt64) {
        tree.withLock { tree in
            guard let open = tree.directoryHandles.removeValue(forKey: handle) else { return }
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
            try await self.store.commit([], durability: .full)
        }
    }
}

extension Tree {
    func directoryLine(_ handle: UInt64, _ index: Int) -> DirectoryEntry? {
        guard let open = directoryHandles[handle] else { return nil }
        switch index {
        case 0:
            return nodes[open.node].map {
                DirectoryEntry(name: ".", inode: $0.inode, kind: .folder)
            }
        case 1:
            return DirectoryEntry(
                name: "..", inode: nodes[open.parent]?.inode ?? .root, kind: .folder)
        default:
            guard index - 2 < open.lines.count else { return nil }
            let line = open.lines[index - 2]
            return DirectoryEntry(name: line.name, inode: line.inode, kind: line.kind)
        }
    }
}
