import GRDB
import LeitzCloudAPI

/// What a call brings along: who asks, when, and under which rules.
struct CallContext: Sendable {
    /// The hash of the bearer token; nil where the request has none.
    var token: String?
    var now: Int64
    var behaviour: ServerBehaviour
    let letters = Letters()
}

/// The signed-in person behind a call.
struct Caller: Sendable {
    var person: Int64
    var guid: String
}

/// The file tree as one person may see it, within one database access.
struct Tree {
    let db: Database
    let caller: Caller
    let now: Int64
    /// The switches, as the policy of the caller's organization changes them.
    let behaviour: ServerBehaviour
    /// The switches of the whole server.
    let baseBehaviour: ServerBehaviour
    /// The caller has shown the tokens of the locks that have some, or was refused already.
    var hasShownTokens = false
    /// What the call has to tell people.
    let letters: Letters
    /// Content under a taken name becomes the file's next revision.
    var replacesByName: Bool

    /// Finds the caller by the token; throws `access_denied` for none, an unknown or an expired one.
    init(_ db: Database, _ context: CallContext) throws {
        guard let token = context.token else { throw APIError.accessDenied }
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT s.person_id, s.guid FROM access_tokens t
                    JOIN sessions s ON s.id = t.session_id
                    WHERE t.hash = ? AND t.expires > ?
                    """), arguments: [token, context.now])
        guard let row else { throw APIError.accessDenied }
        try self.init(db, caller: Caller(person: row[0], guid: row[1]), context)
    }

    /// For a caller found earlier in the same call.
    init(_ db: Database, caller: Caller, _ context: CallContext) throws {
        self.db = db
        self.caller = caller
        now = context.now
        letters = context.letters
        baseBehaviour = context.behaviour
        behaviour = try context.behaviour.bound(db, person: caller.person)
        replacesByName = behaviour.uploadOntoName == .revision
    }

    /// The root, if the caller may see it: 404, 403 and 410 otherwise.
    func root(_ id: Int64) throws -> RootAccess {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT r.name, r.kind, r.space_used, r.is_deleted, s.permissions,
                        r.organization_id
                    FROM roots r
                    LEFT JOIN subscriptions s ON s.root_id = r.id AND s.person_id = ?
                    WHERE r.id = ?
                    """), arguments: [caller.person, id])
        guard let row else { throw APIError.notFound }
        guard let words: String = row[4] else { throw APIError.forbidden }
        if row[3] { throw APIError.rootDeleted }
        let access = RootAccess(
            id: id, name: row[0], kind: row[1], spaceUsed: row[2],
            permissions: words.split(separator: ",").map(String.init), organization: row[5])
        try access.require(PermissionWord.view)
        return access
    }

    /// A folder of the root with its way up; deleted ones included.
    func folder(_ id: Int64, in root: RootAccess) throws -> FolderChain {
        guard id > 0 else { throw APIError.notFound }
        return try chain(id, root: root.id)
    }

    /// The root's top level.
    func top(of root: RootAccess) throws -> FolderChain { try chain(root.top, root: root.id) }

    /// The folder that an address names: the top level or a folder that is not deleted.
    func liveContainer(_ address: ItemAddress, in root: RootAccess) throws -> FolderChain {
        switch address {
        case .root: return try top(of: root)
        case .folder(_, let id): return try liveFolder(id, in: root)
        case .file: throw APIError.notFound
        }
    }

    func liveFolder(_ id: Int64, in root: RootAccess) throws -> FolderChain {
        let chain = try folder(id, in: root)
        if chain.folder.isDeleted { throw APIError.notFound }
        return chain
    }

    /// A folder with its way up, without a check of ids from outside.
    func chain(_ id: Int64, root: Int64) throws -> FolderChain {
        let folders = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    WITH RECURSIVE up (folder, depth) AS (
                        SELECT ?, 0 UNION ALL
                        SELECT parent_id, depth + 1 FROM folders JOIN up ON id = folder
                        WHERE parent_id IS NOT NULL AND depth < 10000)
                    SELECT \(FolderRow.columns) FROM up JOIN folders ON id = folder ORDER BY depth
                    """), arguments: [id]
        ).map { FolderRow($0, now: now) }
        guard let first = folders.first, first.root == root, folders.last?.isTop == true else {
            throw APIError.notFound
        }
        return FolderChain(folders: folders)
    }

    /// A file of the root; deleted ones included.
    func file(_ id: Int64, in root: RootAccess) throws -> FileRow {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT \(FileRow.columns) FROM files WHERE id = ?"),
            arguments: [id])
        guard let file = row.map({ FileRow($0, now: now) }), file.root == root.id else {
            throw APIError.notFound
        }
        return file
    }

    func liveFile(_ id: Int64, in root: RootAccess) throws -> FileRow {
        let file = try file(id, in: root)
        if file.isDeleted { throw APIError.notFound }
        return file
    }

    /// What takes a name in a folder.
    enum NameHolder: Equatable {
        case file(Int64)
        case folder(Int64)
        /// A deleted item, where such items keep their names.
        case deleted
    }

    /// What takes a name in a folder, by the rules of letter case and deleted names.
    func holder(of name: String, in parent: Int64) throws -> NameHolder? {
        let (column, value) =
            behaviour.isCaseSensitive ? ("name", name) : ("folded", NameRules.fold(name))
        let isBlocking = behaviour.deletedNamesBlock ? "" : " AND is_deleted = 0"
        for table in ["files", "folders"] {
            let row = try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT id, is_deleted FROM \(table)
                        WHERE parent_id = ? AND folded = ? AND \(column) = ?\(isBlocking)
                        ORDER BY is_deleted LIMIT 1
                        """), arguments: [parent, NameRules.fold(name), value])
            guard let row else { continue }
            if row[1] { return .deleted }
            return table == "files" ? .file(row[0]) : .folder(row[0])
        }
        return nil
    }

    /// Throws `resource_locked` where somebody else holds one of the locks.
    func checkLocks(_ locks: [ActiveLock]) throws(APIError) {
        let isRefused = locks.contains {
            $0.person != caller.person && !(hasShownTokens && $0.isToken)
        }
        if isRefused { throw .resourceLocked }
    }

    /// Throws `resource_locked` where somebody else holds a lock on anything below a folder.
    func checkLocksBelow(_ folder: FolderRow) throws {
        let parents = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT parent_id FROM files
                    WHERE root_id = ?1 AND lock_expires > ?2 AND lock_person <> ?3
                    AND (lock_guid IS NULL OR NOT (?4 AND substr(lock_guid, 1, 4) = ?5))
                    UNION SELECT parent_id FROM folders WHERE root_id = ?1
                    AND lock_expires > ?2 AND lock_person <> ?3 AND parent_id IS NOT NULL
                    AND (lock_guid IS NULL OR NOT (?4 AND substr(lock_guid, 1, 4) = ?5))
                    """),
            arguments: [folder.root, now, caller.person, hasShownTokens, ActiveLock.tokenMark])
        for parent in parents where try chain(parent, root: folder.root).contains(folder.id) {
            throw APIError.resourceLocked
        }
    }

    /// Marks a folder's listing as changed, and the trees that the folder is in.
    func touch(_ folder: Int64) throws {
        try run(
            "UPDATE folders SET listing_version = listing_version + 1 WHERE id = ?", [folder])
        try Self.markTrees(db, from: folder, now: now)
    }

    /// Marks a folder and all above it as changed somewhere below: the validators of folders.
    static func markTrees(_ db: Database, from folder: Int64, now: Int64) throws {
        try db.cachedStatement(
            sql: """
                WITH RECURSIVE up (folder, depth) AS (
                    SELECT ?, 0 UNION ALL
                    SELECT parent_id, depth + 1 FROM folders JOIN up ON id = folder
                    WHERE parent_id IS NOT NULL AND depth < 10000)
                UPDATE folders SET tree_version = tree_version + 1, modified = max(modified, ?)
                WHERE id IN (SELECT folder FROM up)
                """
        ).execute(arguments: [folder, now])
    }

    /// Runs a prepared statement.
    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
