import FoundationEssentials
import GRDB
import LeitzCloudAPI

/// Accounts, sessions and tokens in the database. Tokens are kept as hashes only.
enum SignIn {
    static let maximumFailures = 10
    /// Seconds an account stays locked after too many failed tries.
    static let lockSeconds: Int64 = 15 * 60
    /// A session whose refresh token was not used for this long has ended (policy
    /// `deactivate_token_frequency`, 30 days).
    static let sessionSeconds: Int64 = 30 * 86_400
    /// Oldest sessions and machines of a person beyond these numbers are forgotten.
    static let maximumSessions = 200
    static let maximumMachines = 500

    static let invalidCredentials = APIError.invalidGrant("Invalid credentials given.")
    static let accountLocked = APIError.invalidGrant(
        "Account temporarily locked due to repeated failed login attempts.")

    struct Account: Sendable {
        var person: Int64
        var password: String
        var twoStepMode: String?
        var twoStepCode: String?
        var lockedUntil: Int64
        /// Seconds since 1970 from which the password is no longer taken.
        var passwordExpires: Int64?
    }

    /// What a client says about itself with a password grant.
    struct Machine: Sendable {
        var guid: String?
        var dnsName: String?
        var osType: String?
        var osVersion: String?

        /// `machine_type`: phones and tablets have no agent that syncs folders.
        var kind: String {
            ["android", "ios", "winphone"].contains(osType ?? "") ? "mobile" : "agent"
        }
    }

    static func account(_ db: Database, email: String) throws -> Account? {
        try Row.fetchOne(
            db,
            sql: """
                SELECT id, password, two_step_mode, two_step_code, locked_until,
                    password_expires
                FROM active_persons WHERE email = ?
                """, arguments: [email]
        ).map {
            Account(
                person: $0[0], password: $0[1], twoStepMode: $0[2], twoStepCode: $0[3],
                lockedUntil: $0[4], passwordExpires: $0[5])
        }
    }

    static func recordFailure(_ db: Database, person: Int64, now: Int64) throws {
        try db.execute(
            sql: """
                UPDATE persons SET
                locked_until = CASE WHEN failed_tries + 1 >= ?1 THEN ?2 ELSE locked_until END,
                failed_tries = CASE WHEN failed_tries + 1 >= ?1 THEN 0 ELSE failed_tries + 1 END
                WHERE id = ?3
                """, arguments: [maximumFailures, now + lockSeconds, person])
    }

    /// Opens a session for a person whose password was right.
    static func open(_ db: Database, person: Int64, machine: Machine, _ context: CallContext)
        throws -> WireToken
    {
        try db.execute(
            sql: """
                UPDATE persons SET failed_tries = 0, locked_until = 0, last_login = ? WHERE id = ?
                """, arguments: [context.now, person])
        let guid = try register(db, machine, person: person, now: context.now)
        let refresh = TokenHash.random()
        try db.execute(
            sql: """
                INSERT INTO sessions (person_id, guid, refresh_hash, last_used)
                VALUES (?, ?, ?, ?)
                """, arguments: [person, guid, TokenHash.hash(refresh), context.now])
        let session = db.lastInsertedRowID
        try forget(db, "sessions", key: "id", person: person, order: "last_used", maximumSessions)
        try note(db, .signedIn, person: person, guid: guid, now: context.now)
        return try grant(db, session: session, guid: guid, refresh: refresh, context)
    }

    /// Exchanges a refresh token for a new pair; the old one is worth nothing afterwards.
    static func refresh(_ db: Database, token: String, _ context: CallContext) throws -> WireToken {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT s.id, s.guid, s.last_used, (SELECT y.value FROM policies y
                    WHERE y.organization_id = p.organization_id
                    AND y.name = 'deactivate_token_frequency')
                FROM sessions s JOIN persons p ON p.id = s.person_id WHERE s.refresh_hash = ?
                """, arguments: [TokenHash.hash(token)])
        guard let row, isFresh(since: row[2], days: row[3], now: context.now) else {
            throw APIError.invalidGrant("Invalid refresh token.")
        }
        let refresh = TokenHash.random()
        try db.execute(
            sql: "UPDATE sessions SET refresh_hash = ?, last_used = ? WHERE id = ?",
            arguments: [TokenHash.hash(refresh), context.now, row[0] as Int64])
        return try grant(db, session: row[0], guid: row[1], refresh: refresh, context)
    }

    /// - Parameter days: of the policy: nil for its default, empty for no end.
    private static func isFresh(since used: Int64, days: String?, now: Int64) -> Bool {
        guard let days else { return used + sessionSeconds > now }
        guard let limit = Int64(days) else { return true }
        return used + min(limit, 36_500) * 86_400 > now
    }

    /// Records a sign-in, or a try.
    static func note(
        _ db: Database, _ kind: ActivityKind, person: Int64, guid: String?, now: Int64
    ) throws {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT display_name, organization_id FROM persons WHERE id = ?"),
            arguments: [person])
        guard let row else { return }
        try Activities.note(
            db,
            ActivityNote(
                kind: kind, subject: .person(person, name: row[0]), organization: row[1]),
            by: person, guid: guid, now: now)
    }

    /// Ends a session by its refresh token, or one access token. Unknown tokens are no error
    /// (RFC 7009, section 2.2).
    static func revoke(_ db: Database, token: String) throws {
        let hash = TokenHash.hash(token)
        try db.execute(sql: "DELETE FROM sessions WHERE refresh_hash = ?", arguments: [hash])
        try db.execute(sql: "DELETE FROM access_tokens WHERE hash = ?", arguments: [hash])
    }

    private static func grant(
        _ db: Database, session: Int64, guid: String, refresh: String, _ context: CallContext
    ) throws -> WireToken {
        let seconds = Int64(context.behaviour.accessTokenSeconds)
        let access = TokenHash.random()
        try db.execute(
            sql: "DELETE FROM access_tokens WHERE expires <= ?", arguments: [context.now])
        try db.execute(
            sql: "INSERT INTO access_tokens (hash, session_id, expires) VALUES (?, ?, ?)",
            arguments: [TokenHash.hash(access), session, context.now + seconds])
        return WireToken(
            accessToken: access, expiresIn: seconds, guid: guid, refreshToken: refresh)
    }

    /// The client's id: the one it sent where that is known, otherwise a new one.
    private static func register(_ db: Database, _ machine: Machine, person: Int64, now: Int64)
        throws -> String
    {
        if let guid = machine.guid, !guid.isEmpty {
            try db.execute(
                sql: "UPDATE machines SET last_seen = ? WHERE guid = ? AND person_id = ?",
                arguments: [now, guid, person])
            if db.changesCount > 0 { return guid }
        }
        let guid = UUID().uuidString.lowercased()
        try db.execute(
            sql: """
                INSERT INTO machines (guid, person_id, dns_name, os_type, os_version,
                machine_type, created, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                guid, person, machine.dnsName, machine.osType, machine.osVersion, machine.kind,
                now, now,
            ])
        let id = db.lastInsertedRowID
        if machine.kind == "agent" { try subscribe(db, machine: id, of: person) }
        try note(db, .machineAdded, person: person, guid: guid, now: now)
        try forget(db, "machines", key: "guid", person: person, order: "last_seen", maximumMachines)
        return guid
    }

    /// What a person is subscribed to with all machines of the future.
    private static func subscribe(_ db: Database, machine: Int64, of person: Int64) throws {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO person_subscribers (root_id, person_id, kind, role)
                SELECT root_id, person_id, CAST(? AS TEXT), role FROM person_subscribers
                WHERE person_id = ? AND kind = 'future'
                """, arguments: [machine, person])
    }

    private static func forget(
        _ db: Database, _ table: String, key: String, person: Int64, order: String, _ keep: Int
    ) throws {
        try db.execute(
            sql: """
                DELETE FROM \(table) WHERE person_id = ?1 AND \(key) IN (
                    SELECT \(key) FROM \(table) WHERE person_id = ?1
                    ORDER BY \(order) DESC, \(key) DESC LIMIT -1 OFFSET ?2)
                """, arguments: [person, keep])
    }
}
