import GRDB

/// A password that one program of a person uses.
package struct AppPassword: Sendable, Equatable {
    package var id: Int64
    /// What the program called itself.
    package var name: String
    /// Seconds since 1970.
    package var created: Int64
}

/// App passwords in the database: as hashes only, since each has 256 random bits.
enum AppPasswords {
    /// Of one person; the oldest go where there are more.
    static let maximum = 200
    private static let maximumName = 200

    /// Makes one and gives it: the only time that it can be seen.
    static func make(_ db: Database, person: Int64, name: String, now: Int64) throws -> String {
        let password = TokenHash.random()
        try db.execute(
            sql: "INSERT INTO app_passwords (person_id, name, hash, created) VALUES (?, ?, ?, ?)",
            arguments: [person, String(name.prefix(maximumName)), TokenHash.hash(password), now])
        try db.execute(
            sql: """
                DELETE FROM app_passwords WHERE person_id = ?1 AND id IN (
                    SELECT id FROM app_passwords WHERE person_id = ?1
                    ORDER BY id DESC LIMIT -1 OFFSET ?2)
                """, arguments: [person, maximum])
        return password
    }

    static func find(_ db: Database, person: Int64, hash: String) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT id FROM app_passwords WHERE hash = ? AND person_id = ?"),
            arguments: [hash, person])
    }

    static func all(_ db: Database, person: Int64) throws -> [AppPassword] {
        try Row.fetchAll(
            db, sql: "SELECT id, name, created FROM app_passwords WHERE person_id = ? ORDER BY id",
            arguments: [person]
        ).map { AppPassword(id: $0[0], name: $0[1], created: $0[2]) }
    }

    static func revoke(_ db: Database, _ id: Int64, person: Int64) throws {
        try db.execute(
            sql: "DELETE FROM app_passwords WHERE id = ? AND person_id = ?",
            arguments: [id, person])
    }
}

extension EmbeddedCloud {
    /// The app passwords of a person, the oldest first.
    package func appPasswords(person: Int64) async throws -> [AppPassword] {
        try await services.database.read { try AppPasswords.all($0, person: person) }
    }

    /// Ends an app password: requests with it are answered with 401 from now on.
    package func revokeAppPassword(_ id: Int64, person: Int64) async throws {
        try await services.database.write { try AppPasswords.revoke($0, id, person: person) }
    }
}
