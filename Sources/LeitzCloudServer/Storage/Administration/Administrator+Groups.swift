import GRDB
import LeitzCloudAPI

/// Groups of persons and of groups (API v2, "Gruppe").
extension Administrator {
    private func wire(_ row: Row) -> WireGroup {
        var group = WireGroup(id: row[0])
        group.companyID = row[1]
        group.name = row[2]
        group.created = WireTime(row[3])
        group.active = row[4]
        return group
    }

    private static let columns = "id, organization_id, name, created, is_active"

    func group(_ id: Int64) throws -> WireGroup {
        let row = try Row.fetchOne(
            db, sql: "SELECT \(Self.columns) FROM groups WHERE id = ?", arguments: [id])
        guard let row else { throw APIError.notFound }
        if try !administers(row[1]) { throw APIError.forbidden }
        return wire(row)
    }

    func groups(of organization: Int64, _ range: PageRange) throws -> WirePage<WireGroup> {
        try require(organization)
        return try page(
            Self.columns, "FROM groups WHERE organization_id = ?", [organization], range, wire)
    }

    func createGroup(_ form: FormFields) throws -> WireGroup {
        try requireAdministrator()
        let name = try form.filled("name")
        guard let organization = try form.integer("company_id") else {
            throw APIError.missing("company_id")
        }
        try require(organization)
        try requireFree(groupName: name, in: organization, besides: nil)
        try db.execute(
            sql: "INSERT INTO groups (organization_id, name, created) VALUES (?, ?, ?)",
            arguments: [organization, name, now])
        let id = db.lastInsertedRowID
        _ = try setMembers(of: id, organization: organization, form)
        try note(.groupAdded, .group(id, name: name), in: organization)
        return try group(id)
    }

    func updateGroup(_ id: Int64, _ form: FormFields) throws -> WireGroup {
        let before = try group(id)
        if form["name"] != nil {
            let name = try form.filled("name")
            try requireFree(
                groupName: name, in: before.companyID ?? organization, besides: id)
            try db.execute(
                sql: "UPDATE groups SET name = ? WHERE id = ?", arguments: [name, id])
        }
        let updated = try group(id)
        try note(
            .groupUpdated, .group(id, name: updated.name ?? ""),
            in: before.companyID ?? organization)
        return updated
    }

    func deleteGroup(_ id: Int64, _ form: FormFields) throws {
        let removesFiles = try form.flag("remove_files", default: false)
        let group = try group(id)
        let roots = try Subscriptions.roots(db, ofGroups: [id])
        try db.execute(sql: "DELETE FROM groups WHERE id = ?", arguments: [id])
        for root in roots { try Subscriptions.refresh(db, root: root) }
        try note(
            .groupRemoved, .group(id, name: group.name ?? ""),
            in: group.companyID ?? organization, data: Self.removal(removesFiles))
    }

    /// What agents are told about the files of roots that they lose.
    static func removal(_ removesFiles: Bool) -> String? {
        removesFiles ? "files are removed from machines" : nil
    }

    func members(of id: Int64, includesGroups: Bool) throws -> WireMembers {
        _ = try group(id)
        var wire = WireMembers(fields: [:])
        wire.members = try Int64.fetchAll(
            db, sql: "SELECT person_id FROM group_members WHERE group_id = ? ORDER BY 1",
            arguments: [id])
        wire.memberGroups = try Int64.fetchAll(
            db, sql: "SELECT member_id FROM member_groups WHERE group_id = ? ORDER BY 1",
            arguments: [id])
        guard includesGroups else { return wire }
        let down = """
            WITH RECURSIVE down (id) AS (
                SELECT member_id FROM member_groups WHERE group_id = ?1 UNION
                SELECT m.member_id FROM member_groups m JOIN down d ON m.group_id = d.id)

            """
        wire.membersFromGroup = try Int64.fetchAll(
            db,
            sql: down + """
                SELECT DISTINCT person_id FROM group_members WHERE group_id IN (SELECT id FROM down)
                ORDER BY 1
                """, arguments: [id])
        wire.memberGroupsFromGroup = try Int64.fetchAll(
            db,
            sql: down + """
                SELECT DISTINCT member_id FROM member_groups
                WHERE group_id IN (SELECT id FROM down) ORDER BY 1
                """, arguments: [id])
        return wire
    }

    func updateMembers(of id: Int64, _ form: FormFields) throws {
        let removesFiles = try form.flag("remove_files", default: false)
        let group = try group(id)
        let organization = group.companyID ?? organization
        if try setMembers(of: id, organization: organization, form) {
            try note(
                .groupMembersChanged, .group(id, name: group.name ?? ""), in: organization,
                data: Self.removal(removesFiles))
        }
    }

    /// Replaces the lists that the fields give; a list that is not given stays.
    private func setMembers(of id: Int64, organization: Int64, _ form: FormFields) throws -> Bool {
        let persons: [Int64]? = try form.list("members")
        let groups: [Int64]? = try form.list("member_groups")
        if let persons {
            for member in persons { try requireMember(member, of: organization, "members") }
            try db.execute(sql: "DELETE FROM group_members WHERE group_id = ?", arguments: [id])
            for member in Set(persons) {
                try db.execute(
                    sql: "INSERT INTO group_members (group_id, person_id) VALUES (?, ?)",
                    arguments: [id, member])
            }
        }
        if let groups {
            for member in groups { try requireNestable(member, in: id, of: organization) }
            // What the groups that leave were subscribed to through this one stays theirs by
            // their own subscriptions only; the roots are those of this group in both cases.
            try db.execute(sql: "DELETE FROM member_groups WHERE group_id = ?", arguments: [id])
            for member in Set(groups) {
                try db.execute(
                    sql: "INSERT INTO member_groups (group_id, member_id) VALUES (?, ?)",
                    arguments: [id, member])
            }
        }
        let isChanged = persons != nil || groups != nil
        if isChanged { try Subscriptions.refresh(db, groups: [id]) }
        return isChanged
    }

    /// Sets the groups that a person is a member of.
    func setGroups(_ groups: Set<Int64>, of person: Int64, organization: Int64) throws {
        for group in groups {
            let holder = try Int64.fetchOne(
                db, sql: "SELECT organization_id FROM groups WHERE id = ?", arguments: [group])
            guard let holder, try administers(holder) else { throw APIError.invalid("group_ids") }
        }
        let present = try Int64.fetchSet(
            db, sql: "SELECT group_id FROM group_members WHERE person_id = ?",
            arguments: [person])
        for group in present.subtracting(groups) {
            try db.execute(
                sql: "DELETE FROM group_members WHERE group_id = ? AND person_id = ?",
                arguments: [group, person])
        }
        for group in groups.subtracting(present) {
            try db.execute(
                sql: "INSERT INTO group_members (group_id, person_id) VALUES (?, ?)",
                arguments: [group, person])
        }
        try Subscriptions.refresh(
            db, groups: present.symmetricDifference(groups), person: person)
    }

    private func requireFree(groupName: String, in organization: Int64, besides id: Int64?) throws {
        let holder = try Int64.fetchOne(
            db, sql: "SELECT id FROM groups WHERE organization_id = ? AND name = ?",
            arguments: [organization, groupName])
        if let holder, holder != id { throw APIError.nameConflict }
    }

    /// A member is a person whose organization the caller administers.
    private func requireMember(_ id: Int64, of organization: Int64, _ parameter: String) throws {
        let holder = try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT organization_id FROM persons WHERE id = ? AND is_deleted = 0"),
            arguments: [id])
        guard let holder, try holder == organization || administers(holder) else {
            throw APIError.invalid(parameter)
        }
    }

    /// A group can't be in itself, by whatever way.
    private func requireNestable(_ member: Int64, in group: Int64, of organization: Int64) throws {
        let holder = try Int64.fetchOne(
            db, sql: "SELECT organization_id FROM groups WHERE id = ?", arguments: [member])
        guard let holder, try holder == organization || administers(holder) else {
            throw APIError.invalid("member_groups")
        }
        let isAbove = try Bool.fetchOne(
            db,
            sql: """
                WITH RECURSIVE down (id) AS (
                    SELECT ? UNION
                    SELECT m.member_id FROM member_groups m JOIN down d ON m.group_id = d.id)
                SELECT count(*) FROM down WHERE id = ?
                """, arguments: [member, group])
        if isAbove == true { throw APIError.invalid("member_groups") }
    }
}
