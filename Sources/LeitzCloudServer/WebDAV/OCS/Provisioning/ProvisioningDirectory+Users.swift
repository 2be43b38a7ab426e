import GRDB

/// Reading users, and making, changing and deleting them.
extension ProvisioningDirectory {
    private var noSuchUser: OCSRefusal {
        version == 2
            ? OCSRefusal(404, "User does not exist")
            : OCSRefusal(998, "The requested user could not be found")
    }

    func users(_ page: ProvisioningCalls.Page) throws -> [String] {
        try requireSubadministrator()
        let scope =
            isAdministrator
            ? ""
            : """
            AND id IN (SELECT m.person_id FROM group_members m JOIN group_admins a
                ON a.group_id = m.group_id WHERE a.person_id = \(caller))
            """
        return try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT coalesce(username, email) AS user FROM persons
                    WHERE organization_id = ?1 AND is_deleted = 0 \(scope)
                    AND (?2 = '%%' OR coalesce(username, email) LIKE ?2 ESCAPE '\\'
                        OR display_name LIKE ?2 ESCAPE '\\' OR email LIKE ?2 ESCAPE '\\')
                    ORDER BY user COLLATE NOCASE LIMIT ?3 OFFSET ?4
                    """),
            arguments: [organization, page.pattern, page.limit, page.offset])
    }

    /// A user whom the caller may look at.
    func visibleUser(_ id: String) throws -> UserRecord {
        guard let user = try record(id) else {
            // Who may see nobody learns nothing of who is there.
            try requireSubadministrator()
            throw noSuchUser
        }
        guard try user.person == caller || administers(user) else { throw forbidden }
        return user
    }

    /// A user whom the caller may change.
    func editableUser(_ id: String) throws -> UserRecord {
        guard let user = try record(id) else {
            try requireSubadministrator()
            throw version == 2 ? OCSRefusal(998) : OCSRefusal(101)
        }
        guard try user.person == caller || administers(user) else { throw forbidden }
        return user
    }

    func requireRight(to edit: PersonEdit, _ user: UserRecord) throws {
        if edit.isPersonal { return }
        switch edit {
        case .groups, .administeredGroups: try requireAdministrator()
        default: guard try administers(user) else { throw forbidden }
        }
    }

    func requireRight(toCreate user: NewPerson) throws {
        try requireSubadministrator()
        let mayCreate = try administrator.policy(organization).flag("admin_create_users")
        guard mayCreate || administrator.isOverAll else { throw forbidden }
        guard !isAdministrator else { return }
        guard !user.groups.isEmpty else {
            throw OCSRefusal(106, "No group specified (required for sub-admins)")
        }
        for name in user.groups {
            guard let number = try groupNumber(name), administered.contains(number) else {
                throw OCSRefusal(105, "Insufficient privileges for group \(name)")
            }
        }
    }

    /// - Parameter invitation: a password that was made up, and that the user is told by e-mail.
    func create(
        _ user: NewPerson, passwordRecord: String, invitation: String?
    ) throws -> OCSValue {
        try requireRight(toCreate: user)
        try administrator.requireFreePlace(
            in: organization, try administrator.policy(organization))
        let names = [user.id, user.email].compactMap { $0 }
        for name in names where try isTaken(name) {
            throw name == user.id
                ? OCSRefusal(102, "User already exists")
                : OCSRefusal(101, "This email address is used by another account")
        }
        for name in user.groups + user.administeredGroups
        where name != Self.administrators || user.administeredGroups.contains(name) {
            guard try groupNumber(name) != nil else {
                throw OCSRefusal(104, "Group \(name) does not exist")
            }
        }
        try db.execute(
            sql: """
                INSERT INTO persons (username, email, password, display_name, quota, language,
                organization_id, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                user.id, user.email ?? user.id, passwordRecord, user.displayName, user.quota,
                user.language, organization, now,
            ])
        guard let made = try record(user.id) else { throw OCSRefusal(103) }
        try setGroups(user.groups, of: made)
        try setAdministeredGroups(user.administeredGroups, of: made)
        if let invitation, let email = user.email {
            administrator.send(
                to: email, subject: "Welcome",
                "There is an account \(user.id) for you. Your password is \(invitation)")
        }
        try note(.personAdded, made, data: user.email)
        guard version == 1 else { return .object([("id", .text(user.id))]) }
        return try description(of: try record(user.id) ?? made)
    }

    /// Whether somebody has the name as user name or address, in this organization or another.
    private func isTaken(_ name: String, besides person: Int64 = 0) throws -> Bool {
        let count = try Int.fetchOne(
            db,
            sql: """
                SELECT (SELECT count(*) FROM persons WHERE (username = ?1 OR email = ?1)
                    AND id <> ?2) + (SELECT count(*) FROM guests WHERE email = ?1)
                """, arguments: [name, person])
        return count != 0
    }

    /// - Parameter passwordRecord: of the password that `edit` sets.
    func edit(_ id: String, _ edit: PersonEdit, passwordRecord: String?) throws {
        let user = try editableUser(id)
        try requireRight(to: edit, user)
        switch edit {
        case .email(let email):
            if !email.isEmpty, try isTaken(email, besides: user.person) {
                throw OCSRefusal(version == 2 ? 101 : 102, "Invalid email")
            }
            // A person whose name is the address keeps that name.
            try set(
                "username = coalesce(username, email), email = ?",
                [
                    email.isEmpty ? user.id : email
                ], user)
        case .displayName(let name):
            try set(
                "display_name = ?, first_name = NULL, last_name = NULL",
                [name.isEmpty ? user.id : name], user)
        case .quota(let bytes): try set("quota = ?", [bytes], user)
        case .language(let language): try set("language = ?", [language], user)
        case .groups(let groups): try setGroups(groups, of: user)
        case .administeredGroups(let groups): try setAdministeredGroups(groups, of: user)
        case .password:
            if let passwordRecord {
                try set("password = ?, password_expires = NULL", [passwordRecord], user)
                try db.execute(
                    sql: "DELETE FROM sessions WHERE person_id = ?", arguments: [user.person])
            } else if let email = user.email {
                administrator.send(
                    to: email, subject: "Your password", "Please choose a new password.")
            }
        }
        if case .quota(let bytes) = edit, bytes != user.quota {
            try note(
                .quotaChanged, user, data: Administrator.change(from: user.quota, to: bytes))
        } else {
            try note(.personUpdated, user)
        }
    }

    private func set(
        _ assignment: String, _ values: StatementArguments, _ user: UserRecord
    ) throws {
        try db.execute(
            sql: "UPDATE persons SET \(assignment) WHERE id = ?",
            arguments: values + [user.person])
    }

    func deleteUser(_ id: String) throws {
        try requireSubadministrator()
        guard let user = try record(id) else {
            throw version == 2 ? OCSRefusal(998) : OCSRefusal(101)
        }
        guard user.person != caller else { throw OCSRefusal(101) }
        guard try administers(user) else { throw forbidden }
        try administrator.remove(person: user.person)
        try note(.personRemoved, user)
    }

    /// Who may not sign in any more loses their sessions and app passwords.
    func setEnabled(_ id: String, _ isEnabled: Bool) throws {
        try requireSubadministrator()
        guard let user = try record(id) else {
            throw version == 2 ? OCSRefusal(998) : OCSRefusal(101)
        }
        guard user.person != caller else { throw OCSRefusal(101) }
        guard try administers(user) else { throw forbidden }
        try set("is_active = ?", [isEnabled], user)
        try note(.personUpdated, user)
        guard !isEnabled else { return }
        for table in ["sessions", "app_passwords"] {
            try db.execute(
                sql: "DELETE FROM \(table) WHERE person_id = ?", arguments: [user.person])
        }
    }
}
