import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization

/// Fetching what a program that goes through a tree is about to ask for (DESIGN section 5).
///
/// Nothing in here fails: what can't be had ahead is asked for, with its error, by who needs it.
extension VirtualFileSystem {
    /// Files up to so many bytes are fetched ahead as a whole.
    static let smallFile: Int64 = 1 << 20

    /// Seconds until a listing is no longer waited for.
    private static let longestListing: Double = 60

    // MARK: Folders

    /// A program opens a folder that was listed before, or is to be listed now.
    func noteOpened(folder id: UInt64, isListed: Bool) {
        guard options.readsAhead else { return }
        let now = SystemClocks.monotonicSeconds()
        let parent = tree.withLock { $0.nodes[id]?.parent }
        let step = readAhead.withLock {
            $0.folders.opened(id, in: parent, isListed: isListed, at: now)
        }
        switch step {
        case .nothing: return
        // One that is still being listed is followed when that is done.
        case .goesInto: if isListed { listNext(below: id) }
        case .goesAround: if let parent { listNext(below: parent, but: id) }
        }
    }

    /// The top was listed for the first time: whoever mounts wants to see what is in it.
    func noteFirstListing() {
        guard options.readsAhead else { return }
        let now = SystemClocks.monotonicSeconds()
        readAhead.withLock { $0.folders.begins(at: Tree.rootID, at: now) }
        listNext(below: Tree.rootID)
    }

    /// A folder that a walk is in has been listed: those in it come next.
    ///
    /// - Parameter opened: is being listed already.
    func listNext(below folder: UInt64, but opened: UInt64? = nil) {
        if readAhead.withLock({ $0.folders.wantsFolders(in: folder) }) {
            let unlisted = tree.withLock { tree in
                (tree.nodes[folder]?.children ?? [:]).values.filter {
                    $0 != opened && tree.isToBeListed($0)
                }
            }.sorted()
            readAhead.withLock { $0.folders.found(unlisted, in: folder) }
        }
        listAhead()
    }

    /// Begins as many listings as may be under way.
    private func listAhead() {
        while let id = readAhead.withLock({ $0.folders.next() }) {
            let isWanted = tree.withLock { tree in
                tree.nodes.count < options.nodeLimit && tree.isToBeListed(id)
                    && !tree.isChanging(from: id)
            }
            guard isWanted, !isServerSilent else {
                readAhead.withLock { $0.folders.drop(id) }
                continue
            }
            aheadTasks.run { await self.listAhead(id) }
        }
    }

    private func listAhead(_ id: UInt64) async {
        var isListed = false
        do throws(FileSystemError) {
            isListed = try await listings.run(id, forSeconds: Self.longestListing) {
                () throws(FileSystemError) in
                if try await self.load(id), self.isCurrent(id) { return }
                try await self.list(id)
            }
        } catch {
            logger.debug("listing ahead failed", metadata: ["error": "\(error)"])
        }
        readAhead.withLock { $0.folders.ended(id, isListed: isListed) }
        guard isListed else { return listAhead() }
        // Watched for changes from now on, as if it had been used.
        tree.withLock { $0.nodes[id]?.usedAt = SystemClocks.monotonicSeconds() }
        listNext(below: id)
    }

    // MARK: Small files

    /// A program opens a file for reading whose content comes from the server.
    func noteOpened(file id: UInt64, content: CachedContent) {
        guard options.readsAhead, content.size <= Self.smallFile else { return }
        let isHere = content.isComplete
        let now = SystemClocks.monotonicSeconds()
        guard let parent = tree.withLock({ $0.nodes[id]?.parent }) else { return }
        let step = readAhead.withLock { ahead in
            ahead.files.opened(id, in: parent, isHere: isHere, at: now)
        }
        switch step {
        case .nothing: return
        case .order(let folder, let last):
            let files = smallFiles(of: folder, after: last)
            readAhead.withLock { $0.files.setOrder(files, of: folder, at: now) }
            fetchNext(in: folder)
        case .more(let folder): fetchNext(in: folder)
        }
    }

    private func smallFiles(of folder: UInt64, after id: UInt64) -> [UInt64] {
        let files = tree.withLock { tree in
            (tree.nodes[folder]?.children ?? [:]).values.filter { child in
                guard child > id, let node = tree.nodes[child] else { return false }
                return tree.isFileOfServer(node, upTo: Self.smallFile)
            }
        }
        return files.sorted()
    }

    private func fetchNext(in folder: UInt64) {
        while let id = readAhead.withLock({ $0.files.next(in: folder) }) {
            guard !isServerSilent, let file = contentToFetch(of: id, upTo: Self.smallFile) else {
                readAhead.withLock { $0.files.drop(id, in: folder) }
                continue
            }
            readAhead.withLock { $0.files.began(file.server.size) }
            aheadTasks.run {
                await self.fetchAhead(file.server, reference: file.reference)
                self.readAhead.withLock { $0.files.ended(file.server.size) }
            }
        }
    }

    /// The version to fetch of a file; nil where nothing is, or all is here.
    private func contentToFetch(
        of id: UInt64, upTo size: Int64
    ) -> (server: ServerSide, reference: ItemReference)? {
        let found = tree.withLock { tree -> (server: ServerSide, reference: ItemReference)? in
            guard let node = tree.nodes[id], tree.isFileOfServer(node, upTo: size),
                let server = node.server
            else { return nil }
            return (server, tree.reference(of: id) ?? server.reference)
        }
        guard let found, !cache.hasAll(of: found.server.contentKey, size: found.server.size)
        else { return nil }
        return found
    }

    /// What a program reads first of a file that it opens to change it comes while the server is asked
    /// for the lock (DESIGN section 6).
    func fetchWhileLocking(_ id: UInt64) {
        guard options.readsAhead, !isServerSilent,
            let file = contentToFetch(of: id, upTo: .max), !file.server.isLocked
        else { return }
        let bytes = min(file.server.size, Self.smallFile)
        guard readAhead.withLock({ $0.files.admit(bytes) }) else { return }
        aheadTasks.run {
            await self.fetchAhead(file.server, reference: file.reference)
            self.readAhead.withLock { $0.files.ended(bytes) }
        }
    }

    /// Fetches a file's beginning, which is all of a small one.
    private func fetchAhead(_ server: ServerSide, reference: ItemReference) async {
        do throws(FileSystemError) {
            let content = try await disk.run { () throws(FileSystemError) in
                try self.cachedContent(for: server, reference: reference)
            }
            defer { content.release() }
            try await ask { () async throws(CloudStorageError) in
                try await content.ensure(ByteRange(0, min(server.size, Self.smallFile)))
            }
        } catch {
            logger.debug("fetching ahead failed", metadata: ["error": "\(error)"])
        }
    }
}

/// What is followed of programs' walks.
struct ReadAhead: Sendable {
    var folders = FolderWalk()
    var files = FileWalk()
}

extension Tree {
    fileprivate func isToBeListed(_ id: UInt64) -> Bool {
        guard let node = nodes[id] else { return false }
        return node.isFolder && node.children == nil && node.server != nil && !node.isRemoved
    }

    /// Whether a folder, or one that it is in, is being changed on the server, or is to be: that would
    /// wait for the listing.
    fileprivate func isChanging(from id: UInt64) -> Bool {
        var current = id
        for _ in 0..<4096 {
            guard let node = nodes[current] else { return true }
            if node.busy > 0 || node.isUnsettled { return true }
            guard current != Tree.rootID, let parent = node.parent else { return false }
            current = parent
        }
        return true
    }

    fileprivate func isFileOfServer(_ node: Node, upTo size: Int64) -> Bool {
        guard node.kind == .file, node.working == nil, node.busy == 0, !node.isRemoved,
            let server = node.server
        else { return false }
        return server.size > 0 && server.size <= size
    }
}
