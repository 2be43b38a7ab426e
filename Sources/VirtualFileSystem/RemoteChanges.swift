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
        for folder in fileSystem.affectedFolders(items, in: root) {
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
    /// Folders in memory whose entries a change concerns; changes of our own concern none.
    func affectedFolders(_ items: [CloudItem], in root: RootIdentifier) -> Set<UInt64> {
        tree.withLock { tree in
            var folders: Set<UInt64> = []
            for item in items {
                let known = tree.byKey[ItemKey(item.reference)].flatMap { tree.nodes[$0] }
                if let known {
                    let isSeen = !item.isDeleted && known.server?.revision == item.revision
                    let isHere = tree.reference(of: known.id)?.path == item.reference.path
                    if isSeen && isHere && known.server?.isLocked == item.isLocked { continue }
                    if let parent = known.parent { folders.insert(parent) }
                }
                if item.isDeleted && known == nil { continue }
                if let parent = tree.loadedFolder(above: item.reference.path, in: root) {
                    folders.insert(parent)
                }
            }
            return folders
        }
    }
}

extension Tree {
    /// The folder in memory that a path of the server is in; nil where it was never listed.
    func loadedFolder(above path: String, in root: RootIdentifier) -> UInt64? {
        guard let top = byKey[ItemKey(.top(of: root))] else { return nil }
        var current = top
        for part in path.split(separator: "/").dropLast() {
            guard let next = nodes[current]?.children?[NameKey(String(part))] else { return nil }
            current = next
        }
        return nodes[current]?.children == nil ? nil : current
    }
}
