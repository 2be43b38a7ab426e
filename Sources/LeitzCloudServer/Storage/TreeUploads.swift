import GRDB
import LeitzCloudAPI

/// The database side of an upload: asked once before the body is read, once when it is on disk.
extension Tree {
    /// A folder that may be uploaded into.
    struct UploadTarget: Sendable {
        var caller: Caller
        var folder: Int64
        /// Bytes until the caller's quota is used up.
        var remaining: Int64
        /// The switches that bind the caller.
        var behaviour: ServerBehaviour
    }

    /// Refuses what can be refused without the content.
    func uploadTarget(_ address: ItemAddress) throws -> UploadTarget {
        let root = try writableRoot(address.root)
        let chain = try liveContainer(address, in: root)
        try checkLocks(chain.locks)
        return UploadTarget(
            caller: caller, folder: chain.folder.id, remaining: try remainingQuota(),
            behaviour: behaviour)
    }

    private func remainingQuota() throws -> Int64 {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT quota, space_usage FROM persons WHERE id = ?"),
            arguments: [caller.person])
        guard let row else { throw APIError.accessDenied }
        return (row[0] as Int64) - (row[1] as Int64)
    }

    /// Refuses what is over the space quota of an organization or of one above it.
    private func requireRoom(_ growth: Int64, in organization: Int64) throws {
        let quotas = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    WITH RECURSIVE up (id) AS (
                        SELECT ? UNION
                        SELECT parent_id FROM organizations JOIN up USING (id)
                        WHERE parent_id IS NOT NULL)
                    SELECT organization_id, CAST(value AS INTEGER) FROM policies JOIN up
                    ON organization_id = up.id
                    WHERE name = 'space_quota' AND CAST(value AS INTEGER) > 0
                    """), arguments: [organization])
        for quota in quotas {
            let used = try Int64.fetchOne(
                db.cachedStatement(
                    sql: Administrator.inside + """
                        SELECT sum(space_used) FROM organizations
                        WHERE id IN (SELECT id FROM inside)
                        """), arguments: [quota[0] as Int64])
            if (used ?? 0) + growth > quota[1] as Int64 {
                throw APIError(
                    409, .policyError, "The space quota of the organization is used up.")
            }
        }
    }

    /// Refuses a name that is taken, and gives the file that an upload would revise.
    func replacedFile(_ name: String, in folder: Int64) throws -> FileRow? {
        switch try holder(of: name, in: folder) {
        case nil: return nil
        case .folder, .deleted: throw APIError.nameConflict
        case .file(let id):
            guard replacesByName,
                let row = try Row.fetchOne(
                    db.cachedStatement(sql: "SELECT \(FileRow.columns) FROM files WHERE id = ?"),
                    arguments: [id])
            else { throw APIError.nameConflict }
            let file = FileRow(row, now: now)
            try checkLocks([file.lock].compactMap(\.self))
            return file
        }
    }

    /// Content that is on disk and waits for its place in the tree.
    struct NewContent: Sendable {
        var name: String
        var size: Int64
        var revision: Int64
        /// Seconds since 1970; nil for now.
        var modified: Int64?
        /// As the client sent it.
        var checksum: String?
    }

    /// Puts content into the tree as a new file or as the next revision of an existing one.
    func addContent(_ content: NewContent, to address: ItemAddress) throws -> FileMetadata {
        let root = try writableRoot(address.root)
        let parent = try liveContainer(address, in: root)
        try checkLocks(parent.locks)
        let replaced = try replacedFile(content.name, in: parent.folder.id)
        let growth = content.size - (replaced.map { $0.owner == caller.person ? $0.size : 0 } ?? 0)
        if growth > 0 {
            if try remainingQuota() < growth { throw APIError.policyError }
            try requireRoom(growth, in: root.organization)
        }
        let id = try replaced.map { try revise($0, with: content) } ?? insert(content, into: parent)
        try run(
            "INSERT INTO revisions (id, file_id, size, created, person_id) VALUES (?, ?, ?, ?, ?)",
            [content.revision, id, content.size, now, caller.person])
        try account(content.size, root: root.id, person: caller.person)
        try touch(parent.folder.id)
        try note(
            replaced == nil ? .fileUploaded : .fileRevised, root, parent.path(of: content.name))
        return FileMetadata(file: try file(id, in: root), parent: parent)
    }

    private func insert(_ content: NewContent, into parent: FolderChain) throws -> Int64 {
        try run(
            """
            INSERT INTO files (root_id, parent_id, name, folded, created, modified, changed, size,
            revision_id, owner_id, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                parent.folder.root, parent.folder.id, content.name, NameRules.fold(content.name),
                now, content.modified ?? now, now, content.size, content.revision, caller.person,
                content.checksum,
            ])
        return db.lastInsertedRowID
    }

    private func revise(_ file: FileRow, with content: NewContent) throws -> Int64 {
        try account(-file.size, root: file.root, person: file.owner)
        try run(
            """
            UPDATE files SET modified = ?, changed = ?, size = ?, revision_id = ?, owner_id = ?,
            checksum = ? WHERE id = ?
            """,
            [
                content.modified ?? now, now, content.size, content.revision, caller.person,
                content.checksum, file.id,
            ])
        return file.id
    }
}

/// A file together with the folder it is in.
struct FileMetadata: Sendable {
    var file: FileRow
    var parent: FolderChain
}
