import GRDB
import LeitzCloudAPI

/// Locks on files, folders and roots (API v2, "Sperren" and "Entsperren").
extension Tree {
    /// Locks for the caller; the caller's own lock gets a new end.
    func lock(_ address: ItemAddress, minutes: Int64) throws {
        let root = try lockableRoot(address.root)
        let expires = now + minutes * 60
        try forgetExpiredLocks(root: root.id)
        switch address {
        case .file(_, let id):
            let file = try liveFile(id, in: root)
            try checkLocks(chain(file.parent, root: root.id).locks + [file.lock].compactMap(\.self))
            try run(
                "UPDATE files SET lock_person = ?, lock_guid = ?, lock_expires = ? WHERE id = ?",
                [caller.person, caller.guid, expires, id])
            try Self.markTrees(db, from: file.parent, now: now)
            try note(.itemLocked, root, try path(of: file))
        case .root, .folder:
            let chain = try liveContainer(address, in: root)
            try checkLocks(chain.locks)
            try checkLocksBelow(chain.folder)
            try run(
                "UPDATE folders SET lock_person = ?, lock_guid = ?, lock_expires = ? WHERE id = ?",
                [caller.person, caller.guid, expires, chain.folder.id])
            try Self.markTrees(db, from: chain.folder.id, now: now)
            try note(.itemLocked, root, chain.path)
        }
    }

    /// Gives up the caller's lock; a thing that is not locked stays as it is.
    func unlock(_ address: ItemAddress) throws {
        let root = try lockableRoot(address.root)
        switch address {
        case .file(_, let id):
            let file = try liveFile(id, in: root)
            try unlock("files", id: id, lock: file.lock, item: ItemNumber.file(id))
            try Self.markTrees(db, from: file.parent, now: now)
            try note(.itemUnlocked, root, try path(of: file))
        case .root, .folder:
            let chain = try liveContainer(address, in: root)
            let folder = chain.folder
            try unlock(
                "folders", id: folder.id, lock: folder.lock, item: ItemNumber.folder(folder.id))
            try Self.markTrees(db, from: folder.id, now: now)
            try note(.itemUnlocked, root, chain.path)
        }
    }

    private func unlock(_ table: String, id: Int64, lock: ActiveLock?, item: Int64) throws {
        try checkLocks([lock].compactMap(\.self))
        try run(
            """
            UPDATE \(table) SET lock_person = NULL, lock_guid = NULL, lock_expires = NULL
            WHERE id = ?
            """, [id])
        try run("DELETE FROM dav_locks WHERE item = ?", [item])
    }

    private func lockableRoot(_ id: Int64) throws -> RootAccess {
        let root = try writableRoot(id)
        if !behaviour.userLockFiles { throw APIError.forbidden }
        return root
    }

    /// Keeps the index of locks as small as the number of active ones.
    private func forgetExpiredLocks(root: Int64) throws {
        for table in ["files", "folders"] {
            try run(
                """
                UPDATE \(table) SET lock_person = NULL, lock_guid = NULL, lock_expires = NULL
                WHERE root_id = ? AND lock_expires <= ?
                """, [root, now])
        }
    }
}
