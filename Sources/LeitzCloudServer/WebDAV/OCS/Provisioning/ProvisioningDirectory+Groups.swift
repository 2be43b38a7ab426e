import GRDB

/// Groups, who is in them and who administers them.
extension ProvisioningDirectory {
    private static let longestName = 255

    func groups(_ page: ProvisioningCalls.Page) throws -> [String] {
        try requireSubadministrator()
        let source =
            isAdministrator
            ? """
            SELECT name FROM groups WHERE organization_id = ?1 AND name <> 'admin'
            UNION ALL SELECT 'admin'
            """
            : """
            SELECT g.name FROM groups g JOIN group_admins a ON a.group_id = g.id
            WHERE g.organization_id = ?1 AND a.person_id = \(caller)
            """
        return try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT name FROM (\(source)) WHERE name LIKE ?2 ESCAPE '\\'
                    ORDER BY name LIMIT ?3 OFFSET ?4
                    """),
            arguments: [organization, page.pattern, page.limit, page.offset])
    }

    func createGroup(_ name: String) throws {
        try requireAdministrator()
        guard !name.isEmpty, name.utf8.count <= Self.longestName,
            !name.contains(where: { $0.isNewline || $0 == "\0" })
        else { throw OCSRefusal(101, "Invalid group name") }
        guard try name != Self.administrators && groupNumber(name) == nil else {
            throw OCSRefusal(102, version == 2 ? "group exists" : "")
        }
        try db.execute(
            sql: "INSERT INTO groups (organization_id, name, created) VALUES (?, ?, ?)",
            arguments: [organization, name, now])
        try note(.groupAdded, group: db.lastInsertedRowID, name)
    }

    func members(of name: String) throws -> [String] {
        try requireSubadministrator()
        let condition: String
        if name == Self.administrators {
            try requireAdministrator()
            condition = "(is_site_admin OR is_system_admin)"
        } else {
            guard let number = try groupNumber(name) else { throw noSuchGroup }
            guard isAdministrator || administered.contains(number) else { throw forbidden }
            condition = "id IN (SELECT person_id FROM group_members WHERE group_id = \(number))"
        }
        return try String.fetchAll(
            db,
            sql: """
                SELECT coalesce(username, email) AS user FROM persons
                WHERE organization_id = ? AND is_deleted = 0 AND \(condition)
                ORDER BY user COLLATE NOCASE
                """, arguments: [organization])
    }

    private var noSuchGroup: OCSRefusal {
        OCSRefusal(version == 2 ? 404 : 998, "The requested group could not be found")
    }

    func subadministrators(of name: String) throws -> [String] {
        try requireAdministrator()
        guard name != Self.administrators else { return [] }
        guard let number = try groupNumber(name) else {
            throw OCSRefusal(101, "Group does not exist")
        }
        return try String.fetchAll(
            db,
            sql: """
                SELECT coalesce(p.username, p.email) AS user FROM group_admins a
                JOIN persons p ON p.id = a.person_id
                WHERE a.group_id = ? AND p.is_deleted = 0 ORDER BY user COLLATE NOCASE
                """, arguments: [number])
    }

    /// Whoever sees a share through the group sees it no more.
    func deleteGroup(_ name: String) throws {
        try requireAdministrator()
        guard name != Self.administrators else { throw OCSRefusal(102) }
        guard let number = try groupNumber(name) else { throw OCSRefusal(101) }
        let roots = try Subscriptions.roots(db, ofGroups: [number])
        try db.execute(sql: "DELETE FROM groups WHERE id = ?", arguments: [number])
        for root in roots { try Subscriptions.refresh(db, root: root) }
        try note(.groupRemoved, group: number, name)
    }

    // MARK: The groups of a user

    func groups(of id: String) throws -> [String] {
        guard let user = try record(id) else {
            try requireSubadministrator()
            throw OCSRefusal(998)
        }
        if user.person == caller || isAdministrator { return try groupNames(of: user) }
        guard try administers(user) else { throw forbidden }
        // Of others' groups a subadministrator sees the own ones.
        let own = Set(try administeredNames(ofPerson: caller))
        return try groupNames(of: user).filter(own.contains)
    }

    func join(_ id: String, _ group: String?) throws {
        let (user, name) = try membership(id, group)
        guard try !groupNames(of: user).contains(name) else { return }
        if name == Self.administrators {
            try setAdministrator(user, true)
        } else if let number = try groupNumber(name) {
            try change(
                "INSERT INTO group_members (group_id, person_id) VALUES (?, ?)", number, user)
            try note(.groupMembersChanged, group: number, name)
        }
    }

    func leave(_ id: String, _ group: String?) throws {
        let (user, name) = try membership(id, group)
        if name == Self.administrators {
            guard user.person != caller else {
                throw OCSRefusal(105, "Cannot remove yourself from the admin group")
            }
            try setAdministrator(user, false)
        } else if let number = try groupNumber(name) {
            try change(
                "DELETE FROM group_members WHERE group_id = ? AND person_id = ?", number, user)
            try note(.groupMembersChanged, group: number, name)
        }
    }

    /// The user and the group of a call that changes members, once the caller may make it.
    private func membership(_ id: String, _ group: String?) throws -> (UserRecord, String) {
        guard let group, !group.isEmpty else { throw OCSRefusal(101) }
        try requireSubadministrator()
        let number = try groupNumber(group)
        guard number != nil || group == Self.administrators else { throw OCSRefusal(102) }
        guard let user = try record(id) else { throw OCSRefusal(103) }
        guard isAdministrator || number.map(administered.contains) == true else {
            throw OCSRefusal(104)
        }
        return (user, group)
    }

    private func change(_ sql: String, _ group: Int64, _ user: UserRecord) throws {
        try db.execute(sql: sql, arguments: [group, user.person])
        try Subscriptions.refresh(db, groups: [group], person: user.person)
    }

    /// A system administrator is made and unmade elsewhere.
    private func setAdministrator(_ user: UserRecord, _ isAdministrator: Bool) throws {
        try db.execute(
            sql: "UPDATE persons SET is_site_admin = ? WHERE id = ?",
            arguments: [isAdministrator, user.person])
        guard let now = try record(user.id), now.isAdministrator == isAdministrator else {
            throw OCSRefusal(105, "The account administers the whole system")
        }
    }

    /// Makes a user a member of exactly these groups, which the caller has been allowed.
    func setGroups(_ names: [String], of user: UserRecord) throws {
        let present = Set(try groupNames(of: user))
        for name in present.subtracting(names).sorted() { try leave(user.id, name) }
        for name in Set(names).subtracting(present).sorted() {
            guard try name == Self.administrators || groupNumber(name) != nil else {
                throw OCSRefusal(104, "Group \(name) does not exist")
            }
            try join(user.id, name)
        }
    }

    // MARK: Subadministrators

    func administeredGroups(ofUser id: String) throws -> [String] {
        guard let user = try record(id) else {
            try requireAdministrator()
            throw OCSRefusal(101, "User does not exist")
        }
        guard isAdministrator || user.person == caller else { throw forbidden }
        return try administeredNames(ofPerson: user.person)
    }

    func addSubadministrator(_ id: String, _ group: String?) throws {
        try requireAdministrator()
        guard let user = try record(id) else { throw OCSRefusal(101, "User does not exist") }
        guard group != Self.administrators else {
            throw OCSRefusal(103, "Cannot create subadmins for admin group")
        }
        guard let number = try groupNumber(group ?? "") else {
            throw OCSRefusal(
                102, version == 2 ? "Group does not exist" : "Group:\(group ?? "") does not exist")
        }
        try db.execute(
            sql: "INSERT OR IGNORE INTO group_admins (group_id, person_id) VALUES (?, ?)",
            arguments: [number, user.person])
    }

    func removeSubadministrator(_ id: String, _ group: String?) throws {
        try requireAdministrator()
        guard let user = try record(id) else { throw OCSRefusal(101, "User does not exist") }
        guard let number = try groupNumber(group ?? "") else {
            throw OCSRefusal(version == 2 ? 101 : 102, "Group does not exist")
        }
        try db.execute(
            sql: "DELETE FROM group_admins WHERE group_id = ? AND person_id = ?",
            arguments: [number, user.person])
        guard db.changesCount > 0 else {
            throw OCSRefusal(102, "User is not a subadmin of this group")
        }
    }

    /// Makes a user administer exactly these groups.
    func setAdministeredGroups(_ names: [String], of user: UserRecord) throws {
        let present = Set(try administeredNames(ofPerson: user.person))
        guard present != Set(names) else { return }
        for name in present.subtracting(names).sorted() {
            try removeSubadministrator(user.id, name)
        }
        for name in Set(names).subtracting(present).sorted() {
            try addSubadministrator(user.id, name)
        }
    }
}
