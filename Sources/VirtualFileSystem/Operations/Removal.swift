import BlockCache
import CloudStorage
import FileSystemTypes
import StateStore
import Synchronization

/// Removing files and folders.
extension VirtualFileSystem {
    /// Removes a file's name. An open file stays readable; the server deletes it when that is safe.
    package func unlink(parent: UInt64, name: String, caller: Caller) -> Outcome<Void> {
        pending { () throws(FileSystemError) in
            try await self.ensureListed(parent)
            let node = try self.removable(parent: parent, name: name)
            guard !node.isFolder else { throw FileSystemError(.isFolder, "\(name) is a folder") }
            try await self.remove(node.id, parent: parent, name: name)
        }
    }

    /// Removes an empty folder.
    package func rmdir(parent: UInt64, name: String, caller: Caller) -> Outcome<Void> {
        pending { () throws(FileSystemError) in
            try await self.ensureListed(parent)
            let node = try self.removable(parent: parent, name: name)
            guard node.isFolder else { throw FileSystemError(.notFolder, "\(name) is no folder") }
            try await self.checkEmpty(node.id)
            try await self.remove(node.id, parent: parent, name: name)
        }
    }

    /// Removes a name here and journals that; where the mount is to answer for the server, waits
    /// for it, and undoes the removal where the server refuses.
    private func remove(
        _ id: UInt64, parent: UInt64, name: String
    ) async throws(FileSystemError) {
        let changes = try tree.withLock { tree throws(FileSystemError) -> [StateChange] in
            guard tree.child(of: parent, named: name)?.id == id else {
                throw FileSystemError(.notFound, "the name changed meanwhile")
            }
            return tree.removeNameLocally(id)
        }
        try await journal(changes)
        ownerFileIsGone(id)
        await retireWorkingCopy(of: id)
        guard options.synchronization != .none else { return }
        do throws(FileSystemError) {
            try await settle([id])
        } catch {
            bringBack([id])
            throw error
        }
    }

    /// Commits a change of names; after that it survives the driver.
    func journal(_ changes: [StateChange]) async throws(FileSystemError) {
        if RequestThread.isCurrent, let result = store.commitNow(changes, durability: .normal) {
            try result.get()
        } else {
            try await store.commit(changes, durability: .normal)
        }
        wake()
    }

    /// The node of a name that may be removed or renamed.
    func removable(parent: UInt64, name: String) throws(FileSystemError) -> Node {
        guard !options.isReadOnly else {
            throw FileSystemError(.readOnly, "the mount is read-only")
        }
        if let failure = store.failure { throw failure }
        return try tree.withLock { tree throws(FileSystemError) in
            let folder = try tree.folder(parent)
            guard let node = tree.child(of: parent, named: name) else {
                throw FileSystemError(.notFound, "no such name")
            }
            guard node.server?.reference.kind != .root else {
                throw FileSystemError(
                    .notPermitted, "the account's roots are managed on the server")
            }
            guard tree.permissions(of: folder).contains(.write),
                node.isLocalOnly || tree.permissions(of: node).contains(.write)
            else {
                throw FileSystemError(.accessDenied, "the account may not change \(name)")
            }
            if node.notice != nil {
                throw FileSystemError(.locked, "\(name) stands for somebody else's lock")
            }
            if options.synchronization == .none, !node.isLocalOnly {
                try tree.checkLock(of: node, withEntries: true)
            }
            return node
        }
    }

    /// Refuses a folder with entries. What another client puts into it meanwhile is found by the
    /// server's answer to the deletion.
    func checkEmpty(_ id: UInt64) async throws(FileSystemError) {
        let isKnownFull = tree.withLock { !($0.nodes[id]?.children?.isEmpty ?? true) }
        if !isKnownFull {
            if options.synchronization == .none {
                try await ensureListed(id)
            } else {
                try await refreshAnew(id)
            }
        }
        let isEmpty = tree.withLock { $0.nodes[id]?.children?.isEmpty ?? false }
        guard isEmpty else { throw FileSystemError(.notEmpty, "the folder has entries") }
    }
}

extension Tree {
    /// Takes a name away here; what the server has of it is to be deleted. Returns the rows.
    mutating func removeNameLocally(_ id: UInt64) -> [StateChange] {
        guard let node = nodes[id], let parent = node.parent else { return [] }
        let isOnServer = node.server != nil || node.busy > 0
        removeLocally(id)
        touch(parent)
        let row: [StateChange] =
            isOnServer && nodes[id]?.server != nil
            ? recordChanges(of: [id])
            : [removal(of: node)]
        return row + recordChanges(of: [parent])
    }
}
