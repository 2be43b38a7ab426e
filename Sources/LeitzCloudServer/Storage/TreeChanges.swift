import GRDB
import LeitzCloudAPI

/// The changes of the tree; each runs in a write transaction and checks everything itself.
extension Tree {
    /// A root that the caller may write to.
    func writableRoot(_ id: Int64) throws -> RootAccess {
        let root = try root(id)
        try root.require(PermissionWord.write)
        return root
    }

    /// Makes a folder and gives it with its way up.
    func createFolder(in address: ItemAddress, name: String) throws -> FolderChain {
        let root = try writableRoot(address.root)
        let parent = try liveContainer(address, in: root)
        try NameRules.check(name)
        try checkLocks(parent.locks)
        if try holder(of: name, in: parent.folder.id) != nil { throw APIError.nameConflict }
        try run(
            "INSERT INTO folders (root_id, parent_id, name, folded) VALUES (?, ?, ?, ?)",
            [root.id, parent.folder.id, name, NameRules.fold(name)])
        let id = db.lastInsertedRowID
        try touch(parent.folder.id)
        try note(.folderCreated, root, parent.path(of: name))
        return try chain(id, root: root.id)
    }

    func rename(_ address: ItemAddress, to name: String) throws {
        let root = try writableRoot(address.root)
        switch address {
        case .root: throw APIError.notFound
        case .folder(_, let id):
            let chain = try liveFolder(id, in: root)
            try NameRules.check(name)
            try checkLocks(chain.locks)
            try checkLocksBelow(chain.folder)
            let parent = chain.folders[1].id
            let other = try holder(of: name, in: parent)
            guard other == nil || other == .folder(id) else { throw APIError.nameConflict }
            try run(
                """
                UPDATE folders SET name = ?, folded = ?, listing_version = listing_version + 1
                WHERE id = ?
                """, [name, NameRules.fold(name), id])
            try touch(parent)
            try note(.itemRenamed, root, "\(chain.path) -> \(name)")
        case .file(_, let id):
            let file = try liveFile(id, in: root)
            try NameRules.check(name)
            try NameRules.checkExtension(name, behaviour)
            try checkLocks(chain(file.parent, root: root.id).locks + [file.lock].compactMap(\.self))
            let other = try holder(of: name, in: file.parent)
            guard other == nil || other == .file(id) else { throw APIError.nameConflict }
            try run(
                "UPDATE files SET name = ?, folded = ?, changed = ? WHERE id = ?",
                [name, NameRules.fold(name), now, id])
            try touch(file.parent)
            try note(.itemRenamed, root, "\(try path(of: file)) -> \(name)")
        }
    }

    /// Moves into another folder of the same root; nil for the top level. Never replaces.
    func move(_ address: ItemAddress, into target: Int64?) throws {
        let root = try writableRoot(address.root)
        switch address {
        case .root: throw APIError.notFound
        case .folder(_, let id):
            let chain = try liveFolder(id, in: root)
            let parent = chain.folders[1].id
            let goal = try target.map { try liveFolder($0, in: root) } ?? top(of: root)
            if goal.contains(id) { throw APIError.invalid("to_folder_id") }
            try checkLocks(chain.locks + goal.locks)
            try checkLocksBelow(chain.folder)
            if goal.folder.id == parent { return }
            if try holder(of: chain.folder.name, in: goal.folder.id) != nil {
                throw APIError.nameConflict
            }
            try run(
                """
                UPDATE folders SET parent_id = ?, listing_version = listing_version + 1
                WHERE id = ?
                """, [goal.folder.id, id])
            try touch(parent)
            try touch(goal.folder.id)
            try note(.itemMoved, root, "\(chain.path) -> \(goal.path)")
        case .file(_, let id):
            let file = try liveFile(id, in: root)
            let goal = try target.map { try liveFolder($0, in: root) } ?? top(of: root)
            try checkLocks(
                chain(file.parent, root: root.id).locks + [file.lock].compactMap(\.self)
                    + goal.locks)
            if goal.folder.id == file.parent { return }
            if try holder(of: file.name, in: goal.folder.id) != nil {
                throw APIError.nameConflict
            }
            try run(
                "UPDATE files SET parent_id = ?, changed = ? WHERE id = ?",
                [goal.folder.id, now, id])
            try touch(file.parent)
            try touch(goal.folder.id)
            try note(.itemMoved, root, goal.path(of: file.name))
        }
    }

    /// Marks as deleted; a folder with everything below it.
    func delete(_ address: ItemAddress) throws {
        let root = try writableRoot(address.root)
        switch address {
        case .root: throw APIError.notFound
        case .file(_, let id):
            let file = try liveFile(id, in: root)
            try checkLocks(chain(file.parent, root: root.id).locks + [file.lock].compactMap(\.self))
            try run(
                """
                UPDATE files SET is_deleted = 1, changed = ?, lock_person = NULL, lock_guid = NULL,
                lock_expires = NULL WHERE id = ?
                """, [now, id])
            try account(-file.size, root: root.id, person: file.owner)
            try touch(file.parent)
            try note(.itemDeleted, root, try path(of: file))
        case .folder(_, let id):
            let chain = try liveFolder(id, in: root)
            try checkLocks(chain.locks)
            try checkLocksBelow(chain.folder)
            try deleteBelow(id, root: root.id)
            try touch(chain.folders[1].id)
            try note(.itemDeleted, root, chain.path)
        }
    }

    private static let below = """
        WITH RECURSIVE down (id) AS (
            SELECT ? UNION ALL
            SELECT f.id FROM folders f JOIN down ON f.parent_id = down.id WHERE f.is_deleted = 0)

        """

    private func deleteBelow(_ folder: Int64, root: Int64) throws {
        let owners = try Row.fetchAll(
            db,
            sql: Self.below + """
                SELECT owner_id, SUM(size) FROM files
                WHERE parent_id IN (SELECT id FROM down) AND is_deleted = 0 GROUP BY owner_id
                """, arguments: [folder])
        for owner in owners { try account(-(owner[1] as Int64), root: root, person: owner[0]) }
        try run(
            Self.below + """
                UPDATE files SET is_deleted = 1, changed = ?, lock_person = NULL,
                lock_guid = NULL, lock_expires = NULL
                WHERE parent_id IN (SELECT id FROM down) AND is_deleted = 0
                """, [folder, now])
        try run(
            Self.below + """
                UPDATE folders SET is_deleted = 1, deleted = ?,
                listing_version = listing_version + 1, lock_person = NULL, lock_guid = NULL, lock_expires = NULL
                WHERE id IN (SELECT id FROM down)
                """, [folder, now])
    }

    /// The path of a file within its root.
    func path(of file: FileRow) throws -> String {
        try chain(file.parent, root: file.root).path(of: file.name)
    }

    /// Records what the caller did with an item of a root.
    ///
    /// - Parameter path: of the item, with what became of it.
    func note(_ kind: ActivityKind, _ root: RootAccess, _ path: String) throws {
        try Activities.note(
            db,
            ActivityNote(
                kind: kind, subject: .root(root.id, name: root.name),
                organization: root.organization, data: path),
            by: caller.person, guid: caller.guid, now: now)
    }

    /// Adds to the space used by a root and its organization, and by the person whose files are
    /// in it.
    func account(_ bytes: Int64, root: Int64, person: Int64) throws {
        if bytes == 0 { return }
        try run("UPDATE roots SET space_used = space_used + ? WHERE id = ?", [bytes, root])
        try run("UPDATE persons SET space_usage = space_usage + ? WHERE id = ?", [bytes, person])
        try run(
            """
            UPDATE organizations SET space_used = space_used + ?
            WHERE id = (SELECT organization_id FROM roots WHERE id = ?)
            """, [bytes, root])
    }
}
