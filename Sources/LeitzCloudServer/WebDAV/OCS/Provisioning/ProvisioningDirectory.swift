import GRDB

/// The persons and groups of the caller's organization as OCS shows them, within one access to the
/// database. Each call checks the caller's rights.
///
/// A user id is a person's user name, where there is none the e-mail address. The group `admin` is
/// the site administrators and system administrators. Groups in groups don't show here.
struct ProvisioningDirectory {
    /// Every server of this API has it, and it can't be deleted.
    static let administrators = "admin"

    /// 1 or 2.
    let version: Int
    /// The caller's rights, and what all administrative calls share.
    let administrator: Administrator
    let isAdministrator: Bool
    /// The numbers of the groups that the caller administers.
    let administered: Set<Int64>

    var db: Database { administrator.db }
    var now: Int64 { administrator.now }
    var caller: Int64 { administrator.person }
    var organization: Int64 { administrator.organization }

    /// - Parameter version: 1 or 2.
    init(
        _ db: Database, caller: Int64, version: Int, _ context: CallContext
    ) throws {
        self.version = version
        administrator = try Administrator(
            Tree(db, caller: Caller(person: caller, guid: "ocs"), context))
        isAdministrator = try administrator.administers(administrator.organization)
        administered = try Int64.fetchSet(
            db.cachedStatement(sql: "SELECT group_id FROM group_admins WHERE person_id = ?"),
            arguments: [caller])
    }

    // MARK: Rights

    var forbidden: OCSRefusal {
        version == 2
            ? OCSRefusal(403, "Logged in account must be at least a sub admin")
            : OCSRefusal(997, "Unauthorised")
    }

    func requireAdministrator() throws(OCSRefusal) {
        guard isAdministrator else { throw forbidden }
    }

    func requireSubadministrator() throws(OCSRefusal) {
        guard isAdministrator || !administered.isEmpty else { throw forbidden }
    }

    /// Whether the user is one whom the caller may change: for who administers groups, somebody in
    /// them who is no administrator.
    func administers(_ user: UserRecord) throws -> Bool {
        if isAdministrator { return !user.isSystemAdministrator || administrator.isOverAll }
        if user.isAdministrator || administered.isEmpty { return false }
        return try !administered.isDisjoint(with: groupNumbers(ofPerson: user.person))
    }

    /// Records what the caller did to a user.
    func note(_ kind: ActivityKind, _ user: UserRecord, data: String? = nil) throws {
        try administrator.note(
            kind, .person(user.person, name: user.displayName), in: organization, data: data)
    }

    func note(_ kind: ActivityKind, group: Int64, _ name: String) throws {
        try administrator.note(kind, .group(group, name: name), in: organization)
    }

    // MARK: Rows

    struct UserRecord: Sendable {
        var person: Int64
        var id: String
        /// Nil where the person has none: then the row's address is the user name.
        var email: String?
        var displayName: String
        var quota: Int64
        var used: Int64
        var language: String?
        var isActive: Bool
        var isAdministrator: Bool
        var isSystemAdministrator: Bool
        var lastLogin: Int64
        var created: Int64
    }

    /// A user of the caller's organization; nil for none.
    func record(_ id: String) throws -> UserRecord? {
        try record(
            "organization_id = ?1 AND (username = ?2 OR (username IS NULL AND email = ?2))",
            [organization, id])
    }

    func callerRecord() throws -> UserRecord {
        guard let record = try record("id = ?", [caller]) else {
            throw OCSRefusal(997, "Unauthorised")
        }
        return record
    }

    private func record(
        _ condition: String, _ arguments: StatementArguments
    ) throws -> UserRecord? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT id, coalesce(username, email), iif(instr(email, '@'), email, NULL),
                        display_name, quota, space_usage, language, is_active,
                        is_site_admin OR is_system_admin, is_system_admin, last_login, created
                    FROM persons WHERE is_deleted = 0 AND \(condition)
                    """), arguments: arguments
        ).map {
            UserRecord(
                person: $0[0], id: $0[1], email: $0[2], displayName: $0[3], quota: $0[4],
                used: $0[5], language: $0[6], isActive: $0[7], isAdministrator: $0[8],
                isSystemAdministrator: $0[9], lastLogin: $0[10], created: $0[11])
        }
    }

    /// The number of a group of the caller's organization; nil for none, and for `admin`.
    func groupNumber(_ name: String) throws -> Int64? {
        guard name != Self.administrators else { return nil }
        return try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT id FROM groups WHERE organization_id = ? AND name = ?"),
            arguments: [organization, name])
    }

    func groupNumbers(ofPerson person: Int64) throws -> Set<Int64> {
        try Int64.fetchSet(
            db.cachedStatement(sql: "SELECT group_id FROM group_members WHERE person_id = ?"),
            arguments: [person])
    }

    /// The names of the groups a person is in, `admin` among them.
    func groupNames(of user: UserRecord) throws -> [String] {
        let names = try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT g.name FROM group_members m JOIN groups g ON g.id = m.group_id
                    WHERE m.person_id = ? AND g.name <> 'admin' ORDER BY g.name
                    """), arguments: [user.person])
        return user.isAdministrator ? [Self.administrators] + names : names
    }

    func administeredNames(ofPerson person: Int64) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT g.name FROM group_admins a JOIN groups g ON g.id = a.group_id
                    WHERE a.person_id = ? ORDER BY g.name
                    """), arguments: [person])
    }

    // MARK: Descriptions

    /// A user's account: as in ownCloud's document, or as Nextcloud describes it.
    func description(of user: UserRecord) throws -> OCSValue {
        let isLimited = user.quota < ProvisioningQuota.unlimited
        let email: OCSValue = user.email.map { .text($0) } ?? .null
        if version == 1 {
            return .object([
                ("email", email), ("quota", .number(isLimited ? user.quota : 0)),
                ("enabled", .text(user.isActive ? "true" : "false")),
                ("displayname", .text(user.displayName)), ("last_login", .number(user.lastLogin)),
                ("creation_time", .number(user.created)),
                ("language", .text(user.language ?? "en")),
            ])
        }
        let total = isLimited ? user.quota : -3
        let free = isLimited ? max(0, user.quota - user.used) : -3
        let quota: [(String, OCSValue)] = [
            ("free", .number(free)), ("used", .number(user.used)), ("total", .number(total)),
            ("relative", .number(total > 0 ? user.used * 100 / total : 0)),
            ("quota", .number(total)),
        ]
        return .object([
            ("enabled", .flag(user.isActive)), ("id", .text(user.id)),
            ("lastLoginTimestamp", .number(user.lastLogin)),
            ("lastLogin", .number(user.lastLogin * 1000)), ("backend", .text("Database")),
            ("subadmin", .texts(try administeredNames(ofPerson: user.person))),
            ("quota", .object(quota)), ("email", email), ("additional_mail", .list([])),
            ("displayname", .text(user.displayName)), ("display-name", .text(user.displayName)),
            ("groups", .texts(try groupNames(of: user))),
            ("language", .text(user.language ?? "en")), ("locale", .text("")),
            (
                "backendCapabilities",
                .object([("setDisplayName", .flag(true)), ("setPassword", .flag(true))])
            ),
        ])
    }
}
