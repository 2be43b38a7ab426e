import GRDB
import LeitzCloudAPI

/// Persons, roots and subscriptions, as an administrator sets them up.
enum Accounts {
    static let permissionWords = [
        PermissionWord.view, PermissionWord.read, PermissionWord.write,
    ]
    static let rootKinds = ["sync", "share", "backup"]

    struct Person: Sendable {
        var email: String
        var displayName: String
        var quota: Int64
    }

    static func passwordRecord(_ db: Database, email: String) throws -> String? {
        try String.fetchOne(
            db, sql: "SELECT password FROM persons WHERE email = ?", arguments: [email])
    }

    /// Makes a person or brings one up to date.
    ///
    /// - Parameter password: the new record; nil to keep the present one.
    static func ensure(_ db: Database, _ person: Person, password: String?) throws -> Int64 {
        let known = try Int64.fetchOne(
            db, sql: "SELECT id FROM persons WHERE email = ?", arguments: [person.email])
        guard let known else {
            guard let password else { throw EmbeddedCloudError.noSuch("person \(person.email)") }
            try db.execute(
                sql: """
                    INSERT INTO persons (email, password, display_name, quota, created)
                    VALUES (?, ?, ?, ?, unixepoch())
                    """,
                arguments: [person.email, password, person.displayName, person.quota])
            return db.lastInsertedRowID
        }
        try db.execute(
            sql: """
                UPDATE persons SET display_name = ?, quota = ?, password = coalesce(?, password)
                WHERE id = ?
                """, arguments: [person.displayName, person.quota, password, known])
        return known
    }

    static func ensureRoot(_ db: Database, name: String, kind: String) throws -> Int64 {
        guard rootKinds.contains(kind) else { throw EmbeddedCloudError.noSuch("root kind \(kind)") }
        let known = try Int64.fetchOne(
            db, sql: "SELECT id FROM roots WHERE name = ? AND kind = ? AND is_deleted = 0",
            arguments: [name, kind])
        return try known
            ?? makeRoot(db, name: name, kind: kind, organization: Schema.firstOrganization)
    }

    /// A new root that nobody sees yet.
    static func makeRoot(_ db: Database, name: String, kind: String, organization: Int64) throws
        -> Int64
    {
        try db.execute(
            sql: "INSERT INTO roots (name, kind, organization_id) VALUES (?, ?, ?)",
            arguments: [name, kind, organization])
        let id = db.lastInsertedRowID
        try db.execute(
            sql: "INSERT INTO folders (id, root_id, name, folded) VALUES (?, ?, '', '')",
            arguments: [-id, id])
        return id
    }

    /// The person's own sync root, named after the person, with all permissions.
    static func ensureOwnRoot(_ db: Database, person: Int64) throws -> Int64 {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT p.display_name, (SELECT r.id FROM roots r
                    WHERE r.id = p.own_root_id AND r.is_deleted = 0), p.organization_id
                FROM persons p WHERE p.id = ?
                """, arguments: [person])
        guard let row else { throw EmbeddedCloudError.noSuch("person \(person)") }
        if let known: Int64 = row[1] { return known }
        let root = try makeRoot(db, name: row[0], kind: "sync", organization: row[2])
        try db.execute(
            sql: "UPDATE persons SET own_root_id = ? WHERE id = ?", arguments: [root, person])
        try subscribe(db, person: person, root: root, permissions: permissionWords)
        return root
    }

    /// Sets what a person may do in a root, whatever groups they are in; no permissions end that.
    static func subscribe(_ db: Database, person: Int64, root: Int64, permissions: [String]) throws
    {
        for word in permissions where !permissionWords.contains(word) {
            throw EmbeddedCloudError.noSuch("permission \(word)")
        }
        for (table, id) in [("persons", person), ("roots", root)] {
            let isKnown = try Bool.fetchOne(
                db, sql: "SELECT count(*) FROM \(table) WHERE id = ?", arguments: [id])
            if isKnown != true { throw EmbeddedCloudError.noSuch("\(table) row \(id)") }
        }
        if permissions.isEmpty {
            try db.execute(
                sql: "DELETE FROM direct_grants WHERE person_id = ? AND root_id = ?",
                arguments: [person, root])
        } else {
            let words = permissionWords.filter(permissions.contains).joined(separator: ",")
            try db.execute(
                sql: """
                    INSERT INTO direct_grants (person_id, root_id, permissions) VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET permissions = excluded.permissions
                    """, arguments: [person, root, words])
        }
        try Subscriptions.refresh(db, root: root, person: person)
    }
}
