import GRDB

/// What some properties need to be counted or looked up.
extension DAVTree {
    /// Bytes of all files below a folder; in the top of the person's files, those of the other
    /// roots too.
    func size(below node: DAVNode) throws -> Int64 {
        if node.chain.folders.count == 1 {
            let roots = [node.root.id] + node.mounts.map(\.root)
            return try roots.reduce(0) { sum, root in
                let used = try Int64.fetchOne(
                    db.cachedStatement(sql: "SELECT space_used FROM roots WHERE id = ?"),
                    arguments: [root])
                return sum + (used ?? 0)
            }
        }
        return try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    WITH RECURSIVE down (id) AS (
                        SELECT ? UNION ALL
                        SELECT f.id FROM folders f JOIN down ON f.parent_id = down.id
                        WHERE f.is_deleted = 0)
                    SELECT coalesce(sum(size), 0) FROM files
                    WHERE parent_id IN (SELECT id FROM down) AND is_deleted = 0
                    """), arguments: [node.chain.folder.id]) ?? 0
    }

    /// How many rows of a table are directly in a folder.
    func children(of node: DAVNode, _ table: String) throws -> Int {
        try Int.fetchOne(
            db.cachedStatement(
                sql: "SELECT count(*) FROM \(table) WHERE parent_id = ? AND is_deleted = 0"),
            arguments: [node.chain.folder.id]) ?? 0
    }

    /// When the file's content arrived, in seconds since 1970.
    func uploadTime(of file: FileRow) throws -> Int64 {
        try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT created FROM revisions WHERE id = ?"),
            arguments: [file.revision]) ?? file.modified
    }

    /// A lock as Nextcloud's app files_lock shows it.
    struct ShownLock {
        var owner: String
        var displayName: String
        var isToken: Bool
        var taken: Int64?
        var seconds: Int64
        var token: String?
    }

    /// The lock that an item shows: of a person first, then one with a token.
    func shownLock(on node: DAVNode) throws -> ShownLock? {
        if let lock = node.personLocks.first {
            let person = try self.person(lock.person)
            return ShownLock(
                owner: person.email, displayName: person.name, isToken: false,
                seconds: lock.expires - now)
        }
        guard let lock = try locks(on: node).first else { return nil }
        let person = try self.person(lock.person)
        let text = lock.ownerText
        return ShownLock(
            owner: person.email, displayName: text.isEmpty ? person.name : text, isToken: true,
            taken: lock.taken, seconds: lock.seconds,
            token: lock.token.split(separator: ":").last.map(String.init))
    }

    private func person(_ id: Int64) throws -> (email: String, name: String) {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT coalesce(username, email), display_name FROM persons WHERE id = ?"),
            arguments: [id])
        return row.map { ($0[0], $0[1]) } ?? ("", "")
    }
}
