import BlockCache
import CloudStorage
package import FileSystemTypes
import StateStore
import Synchronization

/// lookup(2)-like operations: names, attributes, links.
extension VirtualFileSystem {
    /// Finds a name in a folder. Each entry answered counts as one kernel reference.
    package func lookup(parent: UInt64, name: String, caller: Caller) -> Outcome<Entry> {
        enum Known { case entry(Entry, isStale: Bool), absent, ask }
        let known: Result<Known, FileSystemError> = tree.withLock { tree in
            do throws(FileSystemError) {
                let folder = try tree.folder(parent)
                guard folder.parent != nil else {
                    throw FileSystemError(.notFound, "the folder is gone")
                }
                tree.nodes[parent]?.usedAt = SystemClocks.monotonicSeconds()
                let state = listingState(of: folder)
                guard state != .unknown else { return .success(.ask) }
                if let child = tree.child(of: parent, named: name) {
                    tree.nodes[child.id]?.lookups += 1
                    let entry = tree.entry(for: child, options: options)
                    return .success(.entry(entry, isStale: state == .stale))
                }
                return .success(state == .stale ? .ask : .absent)
            } catch {
                return .failure(error)
            }
        }
        switch known {
        case .failure(let error): return .ready(.failure(error))
        case .success(.entry(let entry, let isStale)):
            if isStale { refreshLater(parent) }
            return .success(entry)
        case .success(.absent): return .failure(.notFound, "no such name")
        case .success(.ask):
            return pending { () throws(FileSystemError) in
                try await self.lookUpOnServer(parent: parent, name: name)
            }
        }
    }

    private func lookUpOnServer(
        parent: UInt64, name: String
    ) async throws(FileSystemError) -> Entry {
        try await ensureCurrent(parent)
        return try tree.withLock { tree throws(FileSystemError) in
            guard let child = tree.child(of: parent, named: name) else {
                throw FileSystemError(.notFound, "no such name")
            }
            tree.nodes[child.id]?.lookups += 1
            return tree.entry(for: child, options: options)
        }
    }

    /// Takes back `count` references the kernel held.
    package func forget(node: UInt64, count: UInt64) {
        tree.withLock { tree in
            guard let known = tree.nodes[node], node != Tree.rootID else { return }
            tree.nodes[node]?.lookups = known.lookups > count ? known.lookups - count : 0
            tree.dropIfUnused(node)
        }
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
