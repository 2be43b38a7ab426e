import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization

/// Folders' entries as the state table has them: from an earlier run, or since they left memory.
extension VirtualFileSystem {
    /// So many entries are taken over, or out, before other calls have their turn.
    static let sliceSize = 1_000

    /// Takes a folder's entries from the state table, where it has them and they are not in memory.
    /// Asks no server. Returns whether they are known now.
    func load(_ folder: UInt64) async throws(FileSystemError) -> Bool {
        let (isKnown, isStored) = tree.withLock { tree in
            (tree.nodes[folder]?.children != nil, tree.nodes[folder]?.isStored == true)
        }
        if isKnown { return true }
        guard isStored else { return false }
        try await loads.run(folder) { () throws(FileSystemError) in
            try await self.takeFromTable(folder)
        }
        return tree.withLock { $0.nodes[folder]?.children != nil }
    }

    private func takeFromTable(_ folder: UInt64) async throws(FileSystemError) {
        await waitForRoom()
        let inode = tree.withLock { tree -> InodeNumber? in
            guard let node = tree.nodes[folder], node.children == nil else { return nil }
            tree.loading.insert(folder)
            return node.inode
        }
        guard let inode else { return }
        defer { tree.withLock { _ = $0.loading.remove(folder) } }
        let rows = try await store.children(of: inode).filter(\.isWorthRestoring)
        var next = rows.startIndex
        while next < rows.endIndex {
            let end = min(next + Self.sliceSize, rows.endIndex)
            let isWanted = tree.withLock { tree in
                guard tree.nodes[folder]?.children == nil else { return false }
                for row in rows[next..<end] {
                    tree.restore(row, below: folder) { self.store.allocateInode() }
                }
                return true
            }
            guard isWanted else { return }
            next = end
        }
        // Nobody has watched it meanwhile: a change is to be seen after two polls at most.
        let oldest = SystemClocks.monotonicSeconds() - 2 * options.pollSeconds
        tree.withLock { $0.endLoading(folder, checkedSince: oldest) }
        updateNotices(in: folder)
        makeRoomIfCrowded()
    }
}

extension Tree {
    /// All entries of a folder are in memory, to be checked where that was not done lately.
    fileprivate mutating func endLoading(_ folder: UInt64, checkedSince oldest: Double) {
        guard let node = nodes[folder], node.children == nil else { return }
        nodes[folder]?.children = node.kept
        nodes[folder]?.kept = [:]
        nodes[folder]?.touchedAt = SystemClocks.monotonicSeconds()
        if node.validatedAt <= max(unplacedAt, oldest) {
            nodes[folder]?.validatedAt = -.infinity
        }
    }
}

extension InodeRecord {
    /// A new file whose content no close has confirmed is not.
    fileprivate var isWorthRestoring: Bool {
        server != nil || kind == .folder || contentFile != nil
    }
}
