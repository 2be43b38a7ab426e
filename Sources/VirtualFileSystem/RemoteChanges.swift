import ChangeFeed
package import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization

/// What other clients changed, told by the change feed.
package struct RemoteChanges: ChangeReceiver {
    private let fileSystem: VirtualFileSystem

    package init(fileSystem: VirtualFileSystem) { self.fileSystem = fileSystem }

    /// Lists again the folders in memory that hold, or should hold, a changed item.
    package func changed(_ items: [CloudItem], in root: RootIdentifier) async {
        for folder in await fileSystem.affectedFolders(items, in: root) {
            do throws(FileSystemError) {
                try await fileSystem.refreshAnew(folder)
            } catch {
                fileSystem.logger.debug(
                    "a changed folder can't be listed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Lists a folder anew where its validator no longer holds.
    package func revalidate(_ folder: ItemReference) async throws(CloudStorageError) {
        let key = ItemKey(folder)
        guard let node = fileSystem.tree.withLock({ $0.byKey[key] }) else { return }
        do throws(FileSystemError) {
            try await fileSystem.refresh(node)
        } catch {
            throw CloudStorageError(
                error.code == .notFound ? .notFound : .temporarilyUnavailable, error.message)
        }
    }

    /// Folders that programs looked into during the last minute, or hold open.
    package func foldersInUse() -> [ItemReference] {
        let now = SystemClocks.monotonicSeconds()
        return fileSystem.tree.withLock { tree in
            var used: [(Double, UInt64)] = []
            for node in tree.nodes.values where node.isFolder && node.children != nil {
                if now - node.usedAt < 60 || node.openHandles > 0 {
                    used.append((node.usedAt, node.id))
                }
            }
            used.sort { $0.0 > $1.0 }
            return used.prefix(256).compactMap { tree.reference(of: $0.1) }
        }
    }

    /// The roots that the mount shows.
    package func rootsInUse() -> [RootIdentifier] {
        fileSystem.tree.withLock { tree in
            if !fileSystem.options.path.isEmpty {
                return (tree.nodes[Tree.rootID]?.server?.reference.root).map { [$0] } ?? []
            }
            return tree.account?.roots.map(\.id) ?? []
        }
    }
}

extension VirtualFileSystem {
    /// Folders in memory whose entries a change concerns; changes of our own concern none. Folders
    /// that are not in memory are checked when they are loaded.
    func affectedFolders(_ items: [CloudItem], in root: RootIdentifier) async -> Set<UInt64> {
        let keys = items.map { ItemKey($0.reference) }
        let unknown = tree.withLock { tree in keys.filter { tree.byKey[$0] == nil } }
        var records: [ItemKey: InodeRecord] = [:]
        do throws(FileSystemError) {
            if !unknown.isEmpty { records = try await store.records(for: unknown) }
        } catch {
            logger.error("state table can't be read", metadata: ["error": "\(error)"])
        }
        return tree.withLock { tree in
            var folders: Set<UInt64> = []
            for item in items {
                tree.noteChange(of: item, in: root, records[ItemKey(item.reference)], &folders)
            }
            return folders
        }
    }
}

extension Tree {
    /// Adds the folders in memory that another client's change concerns.
    /// - Parameter record: of an item that is not in memory.
    fileprivate mutating func noteChange(
        of item: CloudItem, in root: RootIdentifier, _ record: InodeRecord?,
        _ folders: inout Set<UInt64>
    ) {
        let known = byKey[ItemKey(item.reference)].flatMap { nodes[$0] }
        if let known {
            let isSeen = !item.isDeleted && known.server?.revision == item.revision
            let isHere = reference(of: known.id)?.path == item.reference.path
            if isSeen && isHere && known.server?.isLocked == item.isLocked { return }
            if let parent = known.parent { folders.insert(parent) }
        } else if let record {
            let server = record.server
            let isSeen = !item.isDeleted && server?.revision == item.revision
            let isHere = server?.reference.path == item.reference.path
            if isSeen && isHere && server?.isLocked == item.isLocked { return }
            noteUnseenChange(in: record.parent.rawValue)
        } else if item.isDeleted {
            return
        }
        switch folder(above: item.reference.path, in: root) {
        case .loaded(let parent): if !item.isDeleted || known != nil { folders.insert(parent) }
        case .unloaded(let folder): noteUnseenChange(in: folder)
        case .unknown: break
        }
    }

    /// Where a change of another client is.
    private enum Affected {
        case loaded(UInt64)
        /// In this folder, which is not in memory; nil: below one that is not.
        case unloaded(UInt64?)
        /// In a folder that was never listed, or is not there.
        case unknown
    }

    /// The folder that a path of the server is in.
    private func folder(above path: String, in root: RootIdentifier) -> Affected {
        guard let top = byKey[ItemKey(.top(of: root))] else { return .unloaded(nil) }
        var current = top
        for part in path.split(separator: "/").dropLast() {
            guard let next = entry(String(part), of: current) else {
                return isUnloaded(current) ? .unloaded(nil) : .unknown
            }
            current = next
        }
        if nodes[current]?.children != nil { return .loaded(current) }
        return isUnloaded(current) ? .unloaded(current) : .unknown
    }

    /// Whether a folder's entries are known, and not in memory.
    func isUnloaded(_ folder: UInt64) -> Bool {
        nodes[folder]?.children == nil && nodes[folder]?.isStored == true
    }

    /// What is known of a folder that is not in memory has to be checked when it is loaded; nil: of
    /// any such folder.
    private mutating func noteUnseenChange(in folder: UInt64?) {
        if let folder, nodes[folder] != nil {
            nodes[folder]?.validatedAt = -.infinity
        } else {
            unplacedAt = SystemClocks.monotonicSeconds()
        }
    }
}
