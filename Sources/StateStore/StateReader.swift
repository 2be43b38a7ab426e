import CloudStorage
import FileSystemTypes
import FoundationEssentials
import GRDB

/// The questions to the tables. Belongs to the store's thread, inside its one connection.
struct StateReader {
    let db: Database

    func record(_ inode: InodeNumber) throws -> InodeRecord? {
        try records("FROM inode WHERE inode = ?", [.inode(inode)]).first
    }

    /// Without the top of the mount, which is its own parent, and without what was removed.
    func children(of folder: InodeNumber) throws -> [InodeRecord] {
        try records(
            "FROM inode WHERE parent = ? AND inode <> parent AND is_removed = 0",
            [.inode(folder)])
    }

    func dirtyRecords() throws -> [InodeRecord] {
        // The top of the mount is no item of its own. Else word for word the condition of index `inode_unsent`, or the index isn't used.
        try records(
            """
            FROM inode
            WHERE (content_file IS NOT NULL OR (server_root IS NULL AND is_local_only = 0)
            OR server_name IS NOT NULL OR is_removed <> 0) AND inode <> 1
            """, [])
    }

    func records(for keys: [ItemKey]) throws -> [ItemKey: InodeRecord] {
        var found: [ItemKey: InodeRecord] = [:]
        found.reserveCapacity(keys.count)
        for (group, ids) in Dictionary(grouping: keys, by: Group.init) {
            // JSON text can't carry a NUL through SQLite.
            let plain = ids.lazy.map { $0.id }.filter { !$0.utf8.contains(0) }
            let list = try JSONEncoder().encode(Array(plain))
            for record in try records(
                """
                FROM json_each(?1) AS wanted CROSS JOIN inode
                WHERE server_root = ?2 AND server_kind = ?3
                AND coalesce(server_id, server_path) = wanted.value
                """,
                [.text(String(decoding: list, as: UTF8.self)), group.root, group.kind])
            {
                Self.add(record, to: &found)
            }
            for key in ids where key.id.utf8.contains(0) {
                for record in try records(
                    """
                    FROM inode WHERE server_root = ? AND server_kind = ?
                    AND coalesce(server_id, server_path) = ?
                    """,
                    [group.root, group.kind, .text(key.id)])
                {
                    Self.add(record, to: &found)
                }
            }
        }
        return found
    }

    /// Folders, and files that something is unsent of.
    func serverFolders() throws -> [StoredServerItem] {
        try serverItems(
            """
            server_kind <> \(ItemReference.Kind.file.rawValue) OR content_file IS NOT NULL
            OR server_name IS NOT NULL OR is_removed <> 0
            """, [])
    }

    /// What the server has in a folder, as far as it is known.
    func serverItems(in folder: InodeNumber) throws -> [StoredServerItem] {
        let here = try serverItems(
            "parent = ? AND server_name IS NULL AND inode <> parent", [.inode(folder)])
        let moved = try serverItems(
            "server_name IS NOT NULL AND inode <> 1 AND server_parent = ?", [.inode(folder)])
        return here + moved
    }

    /// The items of the rows that a condition picks, those with the lowest inode numbers first.
    private func serverItems(
        _ condition: String, _ values: [DatabaseValue]
    ) throws -> [StoredServerItem] {
        var found: [StoredServerItem] = []
        // The parent of a removed item's row is where the server has it.
        let rows = try cursor(
            """
            SELECT inode, coalesce(server_parent, parent), server_root, server_kind, server_id,
            server_path, server_revision, server_size
            FROM inode WHERE server_root IS NOT NULL AND (\(condition)) ORDER BY inode
            """, values)
        while let row = try rows.next() {
            guard let kind = ItemReference.Kind(rawValue: try row.integer(3)) else {
                throw row.damage(3)
            }
            let reference = ItemReference(
                root: RootIdentifier(try row.text(2)), kind: kind, id: try row.optionalText(4),
                path: try row.text(5))
            found.append(
                StoredServerItem(
                    inode: try row.inode(0), folder: try row.inode(1), reference: reference,
                    revision: try row.optionalText(6), size: try row.integer(7)))
        }
        return found
    }

    func attributes(of inode: InodeNumber) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        let rows = try cursor("SELECT name, value FROM attribute WHERE inode = ?", [.inode(inode)])
        while let row = try rows.next() { found[try row.text(0)] = try row.bytes(1) }
        return found
    }

    func intents() throws -> [Intent] {
        var found: [Intent] = []
        let rows = try cursor("SELECT id, kind, payload, created_at FROM intent ORDER BY id", [])
        while let row = try rows.next() {
            guard let created = try row.time(3) else { throw row.damage(3) }
            found.append(
                Intent(
                    id: try row.integer(0), kind: try row.text(1), payload: try row.bytes(2),
                    createdAt: created))
        }
        return found
    }

    func value(forKey key: String) throws -> String? {
        try first("SELECT value FROM value WHERE key = ?", [.text(key)])?.text(0)
    }

    /// The end of the last reservation of numbers.
    func nextNumber() throws -> UInt64 {
        guard let row = try first("SELECT next_number FROM counter", []) else {
            throw DamagedValue(description: "the counter of the state table is missing")
        }
        return try row.integer(0)
    }

    /// Keys that share their root and kind.
    private struct Group: Hashable {
        let root: DatabaseValue
        let kind: DatabaseValue

        init(_ key: ItemKey) {
            root = .text(key.root.rawValue)
            kind = Int64(key.kind.rawValue).databaseValue
        }
    }

    /// Where two rows stand for one item, the newer inode counts.
    private static func add(_ record: InodeRecord, to found: inout [ItemKey: InodeRecord]) {
        guard let reference = record.server?.reference else { return }
        let key = ItemKey(reference)
        if let other = found[key], other.inode > record.inode { return }
        found[key] = record
    }

    private func records(_ source: String, _ values: [DatabaseValue]) throws -> [InodeRecord] {
        var found: [InodeRecord] = []
        let rows = try cursor("SELECT \(InodeRecord.selection) \(source)", values)
        while let row = try rows.next() { found.append(try InodeRecord(row: row)) }
        return found
    }

    /// The caller keeps the cursor while it reads a row: the row is the cursor's statement.
    /// The first row, as a copy: the row of a cursor ends with the cursor.
    private func first(_ sql: String, _ values: [DatabaseValue]) throws -> Row? {
        try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: StatementArguments(values))
    }

    private func cursor(_ sql: String, _ values: [DatabaseValue]) throws -> RowCursor {
        try Row.fetchCursor(
            db.cachedStatement(sql: sql), arguments: .columns(values))
    }
}
