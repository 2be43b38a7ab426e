import GRDB
import LeitzCloudAPI

/// COPY: new items that share the content of the old ones.
extension DAVTree {
    /// The tree was changed between the plan of a copy and the copy.
    struct PlanOutdated: Error {}

    private static let maximumFiles = 100_000

    /// A revision that a copy needs.
    struct Original: Sendable {
        var revision: Int64
        var size: Int64
    }

    func originals(below node: DAVNode) throws -> [Original] {
        if let file = node.file { return [Original(revision: file.revision, size: file.size)] }
        let rows = try Row.fetchAll(
            db,
            sql: """
                WITH RECURSIVE down (id) AS (
                    SELECT ? UNION ALL
                    SELECT f.id FROM folders f JOIN down ON f.parent_id = down.id
                    WHERE f.is_deleted = 0)
                SELECT revision_id, size FROM files WHERE parent_id IN (SELECT id FROM down)
                AND is_deleted = 0 LIMIT ?
                """, arguments: [node.chain.folder.id, Self.maximumFiles + 1])
        if rows.count > Self.maximumFiles {
            throw DAVError.forbidden("The folder has too many files to copy")
        }
        return rows.map { Original(revision: $0[0], size: $0[1]) }
    }

    /// Copies an item with everything below it.
    ///
    /// - Parameters:
    ///   - isDeep: false for a folder without what is in it.
    ///   - revisions: the new revisions by the originals.
    /// - Throws: `PlanOutdated` where a revision is missing there.
    func copy(_ source: DAVNode, to goal: Goal, isDeep: Bool, revisions: [Int64: Int64]) throws
        -> DAVNode
    {
        try source.root.require(PermissionWord.read)
        if let file = source.file { return try copy(file, to: goal, revisions) }
        let copied = try copyFolder(source, to: goal.parent, name: goal.name)
        guard isDeep else { return copied }
        var open = [(source, copied)]
        while let (from, to) = open.popLast() {
            for file in try files(of: from) {
                let goal = Goal(parent: to, name: file.name)
                _ = try copy(file, to: goal, revisions)
            }
            for folder in try folders(of: from) {
                open.append((folder, try copyFolder(folder, to: to, name: folder.name)))
            }
        }
        return copied
    }

    private func copy(_ file: FileRow, to goal: Goal, _ revisions: [Int64: Int64]) throws
        -> DAVNode
    {
        guard let revision = revisions[file.revision] else { throw PlanOutdated() }
        let content = Tree.NewContent(
            name: goal.name, size: file.size, revision: revision, modified: file.modified,
            checksum: file.checksum)
        let made = try tree.addContent(content, to: goal.parent.address)
        try copyProperties(of: ItemNumber.file(file.id), to: ItemNumber.file(made.file.id))
        return node(made.file, in: goal.parent)
    }

    private func copyFolder(_ source: DAVNode, to parent: DAVNode, name: String) throws -> DAVNode {
        let chain = try tree.createFolder(in: parent.address, name: name)
        try tree.run("UPDATE folders SET modified = ? WHERE id = ?", [now, chain.folder.id])
        try copyProperties(of: source.number, to: ItemNumber.folder(chain.folder.id))
        return node(chain.folder, in: parent)
    }

    private func files(of folder: DAVNode) throws -> [FileRow] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT \(FileRow.columns) FROM files WHERE parent_id = ? AND is_deleted = 0
                    ORDER BY id
                    """), arguments: [folder.chain.folder.id]
        ).map { FileRow($0, now: now) }
    }

    private func folders(of folder: DAVNode) throws -> [DAVNode] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT \(FolderRow.columns) FROM folders WHERE parent_id = ? AND is_deleted = 0
                    ORDER BY id
                    """), arguments: [folder.chain.folder.id]
        ).map { node(FolderRow($0, now: now), in: folder) }
    }
}
