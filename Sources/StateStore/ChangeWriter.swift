import FileSystemTypes
import GRDB

/// Writes changes into the tables. Belongs to the store's thread, inside its one connection.
struct ChangeWriter {
    let db: Database

    /// Writes everything in one transaction, in order.
    func commit(_ changes: [StateChange], durability: Durability) throws {
        guard durability == .full else { return try transaction(changes) }
        // Can't be changed inside a transaction, and is per connection.
        try db.execute(sql: "PRAGMA synchronous = FULL")
        let result = Result { try transaction(changes, isSynchronized: true) }
        try db.execute(sql: "PRAGMA synchronous = NORMAL")
        try result.get()
    }

    /// Records that numbers below `end` may be handed out, on disk when it returns.
    func reserve(upTo end: UInt64) throws {
        try db.execute(sql: "PRAGMA synchronous = FULL")
        let result = Result {
            try run(
                "UPDATE counter SET next_number = max(next_number, ?)", [Int64(end).databaseValue])
        }
        try db.execute(sql: "PRAGMA synchronous = NORMAL")
        try result.get()
    }

    private func transaction(_ changes: [StateChange], isSynchronized: Bool = false) throws {
        guard isSynchronized || !changes.isEmpty else { return }
        if !isSynchronized, changes.count == 1, case .put(let record) = changes[0] {
            // One statement is a transaction of its own, for half the time.
            return try put(record)
        }
        let isShort = changes.count <= Self.shortTransaction
        try db.inTransaction(.immediate) {
            for change in changes {
                if isShort, case .put(let record) = change {
                    try put(record)
                } else {
                    try apply(change)
                }
            }
            // A transaction without a change would not sync the log with the earlier ones in it.
            if isSynchronized { try run("UPDATE counter SET syncs = syncs + 1", []) }
            return .commit
        }
    }

    /// Longer ones mostly bring new rows.
    private static let shortTransaction = 16

    /// Replaces or inserts a row. Where no index is concerned, which is most often so, only the page of
    /// the row itself is written.
    private func put(_ record: InodeRecord) throws {
        let values = record.rowValues
        try run(InodeRecord.updateInPlace, values)
        if db.changesCount == 0 { try run(InodeRecord.upsert, values) }
    }

    private func apply(_ change: StateChange) throws {
        switch change {
        case .put(let record): try run(InodeRecord.upsert, record.rowValues)
        case .remove(let inode, _):
            try run("DELETE FROM attribute WHERE inode = ?", [.inode(inode)])
            try run("DELETE FROM inode WHERE inode = ?", [.inode(inode)])
        case .removeSubtree(let top, _):
            try run(Self.removeBelow("attribute"), [.inode(top)])
            try run(Self.removeBelow("inode"), [.inode(top)])
        case .setAttribute(let inode, let name, let value):
            try run(
                "INSERT OR REPLACE INTO attribute(inode, name, value) VALUES (?, ?, ?)",
                [.inode(inode), .text(name), .bytes(value)])
        case .removeAttribute(let inode, let name):
            try run(
                "DELETE FROM attribute WHERE inode = ? AND name = ?",
                [.inode(inode), .text(name)])
        case .putIntent(let intent):
            try run(
                "INSERT OR REPLACE INTO intent(id, kind, payload, created_at) VALUES (?, ?, ?, ?)",
                [
                    intent.id.databaseValue, .text(intent.kind), .bytes(intent.payload),
                    .time(intent.createdAt),
                ])
        case .removeIntent(let id):
            try run("DELETE FROM intent WHERE id = ?", [id.databaseValue])
        case .setValue(let key, let value):
            try run(
                "INSERT OR REPLACE INTO value(key, value) VALUES (?, ?)",
                [.text(key), .text(value)])
        }
    }

    // UNION (not UNION ALL) ends the walk where damaged parents form a cycle.
    private static func removeBelow(_ table: String) -> String {
        """
        WITH RECURSIVE below(inode) AS (
            VALUES (?) UNION SELECT i.inode FROM inode AS i JOIN below ON i.parent = below.inode)
        DELETE FROM \(table) WHERE inode IN below
        """
    }

    private func run(_ sql: String, _ values: [DatabaseValue]) throws {
        let statement = try db.cachedStatement(sql: sql)
        // As many values as the statements here have; checking that costs more than binding them.
        statement.setUncheckedArguments(.columns(values))
        try statement.execute()
    }
}
