import BlockCache
import CloudStorage
package import FileSystemTypes
import StateStore
import Synchronization

/// lookup(2)-like operations: names, attributes, links.
extension VirtualFileSystem {
    /// Finds a name in a folder. Each entry answered counts as one kernel reference.
    package func lookup(parent: UInt64, name: String, caller: Caller) -> Outcome<Entry> {
        do throws(FileSystemError) {
            if let entry = try lookUpInMemory(parent: parent, name: name) {
                return .success(entry)
            }
        } catch {
            return .ready(.failure(error))
        }
        return pending { () throws(FileSystemError) in
            try await self.lookUpOnServer(parent: parent, name: name)
        }
    }

    /// Nil where that can't be told from memory.
    private func lookUpInMemory(
        parent: UInt64, name: String
    ) throws(FileSystemError) -> Entry? {
        let known = try tree.withLock { tree throws(FileSystemError) -> (Entry, isStale: Bool)? in
            let folder = try tree.folder(parent)
            guard folder.parent != nil else {
                throw FileSystemError(.notFound, "the folder is gone")
            }
            tree.nodes[parent]?.usedAt = SystemClocks.monotonicSeconds()
            let state = listingState(of: folder)
            guard state != .unknown else { return nil }
            guard let child = tree.child(of: parent, named: name) else {
                if state == .stale { return nil }
                throw FileSystemError(.notFound, "no such name")
            }
            tree.nodes[child.id]?.lookups += 1
            return (tree.entry(for: child, options: options), state == .stale)
        }
        if known?.isStale == true { refreshLater(parent) }
        return known?.0
    }

    private func lookUpOnServer(
        parent: UInt64, name: String
    ) async throws(FileSystemError) -> Entry {
        // The entries may leave memory again before they are looked at.
        for _ in 0..<Self.attemptsToLook {
            if try await load(parent), wasChecked(parent),
                let entry = try lookUpInMemory(parent: parent, name: name)
            {
                return entry
            }
            try await ensureCurrent(parent)
            let found = try tree.withLock { tree throws(FileSystemError) -> Entry? in
                if let child = tree.child(of: parent, named: name) {
                    tree.nodes[child.id]?.lookups += 1
                    return tree.entry(for: child, options: options)
                }
                if tree.isUnloaded(parent) { return nil }
                throw FileSystemError(.notFound, "no such name")
            }
            if let found { return found }
        }
        throw FileSystemError(.inputOutput, "too much is going on to keep the folder in memory")
    }

    /// How often a folder's entries are brought back that have left memory by the time they are used.
    static let attemptsToLook = 16

    /// Takes back `count` references the kernel held.
    package func forget(node: UInt64, count: UInt64) {
        let isLastAsked = tree.withLock { tree in
            guard node != Tree.rootID, let lookups = tree.nodes[node]?.lookups else { return false }
            tree.nodes[node]?.lookups = lookups > count ? lookups - count : 0
            if tree.nodes[node]?.parent == nil { tree.dropIfUnused(node) }
            guard lookups <= count, !tree.leaving.isEmpty else { return false }
            return tree.leaving.remove(node) != nil && tree.leaving.isEmpty
        }
        if isLastAsked { allIsForgotten() }
    }

    /// What `stat` shows.
    package func getattr(node: UInt64, handle: UInt64?) -> Outcome<FileAttributes> {
        let known = tree.withLock { tree in
            tree.nodes[node].map { tree.attributes(of: $0, options: options) }
        }
        guard let known else { return .failure(.stale, "no such node") }
        return .success(known)
    }

    /// Where a symbolic link points.
    package func readlink(node: UInt64) -> Outcome<String> {
        if let target = tree.withLock({ $0.nodes[node]?.symlinkTarget }) { return .success(target) }
        return pending { () throws(FileSystemError) in try await self.target(of: node) }
    }

    /// The target of a link, fetched where it is not known.
    func target(of node: UInt64) async throws(FileSystemError) -> String {
        let known = try tree.withLock { tree throws(FileSystemError) in try tree.node(node) }
        guard known.kind == .symbolicLink else {
            throw FileSystemError(.invalidArgument, "no symbolic link")
        }
        if let target = known.symlinkTarget { return target }
        guard let server = known.server, server.size <= 4096 else {
            throw FileSystemError(.inputOutput, "the stored link is too long to be one")
        }
        let content = try cachedContent(for: server, reference: server.reference)
        defer { content.release() }
        do throws(CloudStorageError) {
            try await content.ensure(ByteRange(0, server.size))
        } catch {
            throw FileSystemError(openFile: error)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(server.size), alignment: 8)
        defer { buffer.deallocate() }
        guard let count = try content.readNow(offset: 0, into: buffer),
            let text = String(validating: buffer[..<count], as: UTF8.self)
        else { throw FileSystemError(.inputOutput, "the stored link is damaged") }
        tree.withLock { tree in
            tree.nodes[node]?.symlinkTarget = text
            if let record = tree.record(of: node) { store.enqueue([.put(record)]) }
        }
        return text
    }

    /// Opens the cache's content for a server version. The caller releases it.
    func cachedContent(
        for server: ServerSide, reference: ItemReference
    ) throws(FileSystemError) -> CachedContent {
        try cache.content(for: server.contentKey, of: reference, size: server.size, from: cloud)
    }

    /// What the cache has of a version is not its content any more: some servers name two contents
    /// alike that were stored within one second.
    func forgetCached(_ server: ServerSide) { cache.discard(server.contentKey) }
}

extension ServerSide {
    /// What the cache knows this content as.
    var contentKey: ContentKey {
        ContentKey(
            root: reference.root, item: reference.id ?? reference.path, revision: revision ?? "")
    }
}
