import GRDB
import LeitzCloudAPI

/// Roots and team shares of an organization (API v2, "Root-Methoden" of "Organisation").
extension Administrator {
    private static let columns = """
        r.id, r.name, r.kind, r.space_used, r.organization_id, r.description, r.auto_lock,
        (SELECT f.lock_expires > unixepoch() FROM folders f WHERE f.id = -r.id)
        """

    private func wire(_ row: Row) -> WireRoot {
        var root = WireRoot(
            access: RootAccess(
                id: row[0], name: row[1], kind: row[2], spaceUsed: row[3], permissions: [],
                organization: row[4]))
        root.description = row[5]
        root.autoLock = row[6]
        root.isLocked = (row[7] as Bool?) ?? false
        return root
    }

    /// The roots of an organization, or those of one kind.
    func roots(of organization: Int64, kind: String?, _ range: PageRange) throws -> WirePage<
        WireRoot
    > {
        try require(organization)
        return try page(
            Self.columns,
            """
            FROM roots r WHERE r.organization_id = ?1 AND r.is_deleted = 0
            AND (?2 IS NULL OR r.kind = ?2)
            """, [organization, kind], range, wire)
    }

    /// A root of the organization, whoever administers it. `root_deleted` for one that is gone.
    func root(_ id: Int64, of organization: Int64) throws -> WireRoot {
        let row = try Row.fetchOne(
            db,
            sql: "SELECT \(Self.columns), r.is_deleted FROM roots r WHERE r.id = ?",
            arguments: [id])
        guard let row, row[4] == organization else { throw APIError.notFound }
        if row[8] { throw APIError.rootDeleted }
        return wire(row)
    }

    func administeredRoot(_ id: Int64, of organization: Int64) throws -> WireRoot {
        try require(organization)
        return try root(id, of: organization)
    }

    /// A team share: a root of kind `share` of the organization.
    func share(_ id: Int64, of organization: Int64) throws -> WireRoot {
        let root = try administeredRoot(id, of: organization)
        if root.rootType != "share" { throw APIError.notFound }
        return root
    }

    /// Team shares are made by administrators, and by persons who were given the right.
    func createShare(in organization: Int64, _ form: FormFields) throws -> WireRoot {
        try requireShareMaker(organization)
        let name = try form.filled("name")
        let autoLock = try form.flag("auto_lock", default: false)
        let notifies = try form.flag("notify", default: true)
        let id = try Accounts.makeRoot(db, name: name, kind: "share", organization: organization)
        try db.execute(
            sql: """
                UPDATE roots SET description = ?, auto_lock = ?, notifies = ?, created = ?
                WHERE id = ?
                """, arguments: [form["description"] ?? "", autoLock, notifies, now, id])
        try note(.shareAdded, .root(id, name: name), in: organization)
        try setSubscribers(of: id, name: name, in: organization, form, tells: notifies)
        return try root(id, of: organization)
    }

    private func requireShareMaker(_ id: Int64) throws {
        let isMaker = try Bool.fetchOne(
            db, sql: "SELECT makes_shares FROM persons WHERE id = ?", arguments: [person])
        if id == organization, isMaker == true { return }
        try require(id)
    }

    func updateShare(_ id: Int64, of organization: Int64, _ form: FormFields) throws -> WireRoot {
        let before = try share(id, of: organization)
        let target = try form.integer("company_id") ?? organization
        if target != organization { try require(target) }
        if form["name"] != nil { _ = try form.filled("name") }
        let autoLock = try form.optionalFlag("auto_lock")
        let notifies = try form.optionalFlag("notify")
        try db.execute(
            sql: """
                UPDATE roots SET name = coalesce(?, name), description = coalesce(?, description),
                auto_lock = coalesce(?, auto_lock), notifies = coalesce(?, notifies) WHERE id = ?
                """, arguments: [form["name"], form["description"], autoLock, notifies, id])
        if target != organization {
            try TeamShares.move(db, root: id, to: target)
        }
        let updated = try root(id, of: target)
        try note(
            .shareUpdated, .root(id, name: updated.name), in: target,
            data: before.name == updated.name ? nil : "\(before.name) -> \(updated.name)")
        return updated
    }

    func deleteShare(_ id: Int64, of organization: Int64, _ form: FormFields) throws {
        let removesFiles = try form.flag("remove_files", default: false)
        let share = try share(id, of: organization)
        try TeamShares.delete(db, root: id)
        try note(
            .shareRemoved, .root(id, name: share.name), in: organization,
            data: Self.removal(removesFiles))
    }

    func updateSubscribers(of id: Int64, in organization: Int64, _ form: FormFields) throws {
        let removesFiles = try form.flag("remove_files", default: false)
        let share = try share(id, of: organization)
        let tells = try Bool.fetchOne(
            db, sql: "SELECT notifies FROM roots WHERE id = ?", arguments: [id])
        try setSubscribers(
            of: id, name: share.name, in: organization, form, tells: tells == true)
        try note(
            .shareSubscribersChanged, .root(id, name: share.name), in: organization,
            data: Self.removal(removesFiles))
    }
}

/// Changes of roots that bring along what is counted and who sees them.
enum TeamShares {
    /// Deletes a root for good: file calls of its subscribers answer `root_deleted` from then on.
    static func delete(_ db: Database, root: Int64) throws {
        let owners = try Row.fetchAll(
            db,
            sql: """
                SELECT owner_id, sum(size) FROM files WHERE root_id = ? AND is_deleted = 0
                GROUP BY owner_id
                """, arguments: [root])
        for owner in owners {
            try db.execute(
                sql: "UPDATE persons SET space_usage = space_usage - ? WHERE id = ?",
                arguments: [owner[1] as Int64, owner[0] as Int64])
        }
        try count(db, root: root, sign: -1)
        try db.execute(sql: "UPDATE roots SET is_deleted = 1 WHERE id = ?", arguments: [root])
        for table in ["machine_mappings", "backups"] {
            try db.execute(sql: "DELETE FROM \(table) WHERE root_id = ?", arguments: [root])
        }
    }

    /// Gives a root to another organization.
    static func move(_ db: Database, root: Int64, to organization: Int64) throws {
        try count(db, root: root, sign: -1)
        try db.execute(
            sql: "UPDATE roots SET organization_id = ? WHERE id = ?",
            arguments: [organization, root])
        try count(db, root: root, sign: 1)
    }

    /// Adds a root's size to its organization, or takes it away; nothing for a deleted root.
    private static func count(_ db: Database, root: Int64, sign: Int64) throws {
        try db.execute(
            sql: """
                UPDATE organizations SET space_used = space_used + ?1 * (
                    SELECT space_used FROM roots WHERE id = ?2)
                WHERE id = (SELECT organization_id FROM roots WHERE id = ?2 AND is_deleted = 0)
                """, arguments: [sign, root])
    }
}
