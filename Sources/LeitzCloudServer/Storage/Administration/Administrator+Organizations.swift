import GRDB
import LeitzCloudAPI

/// Organizations: the calls of the chapter "Organisation" on the object itself.
extension Administrator {
    private static let columns = """
        o.id, o.parent_id, o.name, o.slug, o.license_key, o.description, o.email, o.hostname,
        o.created, o.is_active
        """

    private func wire(_ row: Row) throws -> WireOrganization {
        var wire = WireOrganization(id: row[0])
        try OrganizationSetting.fill(&wire, db)
        wire.parentID = row[1]
        wire.name = row[2]
        wire.slug = row[3]
        wire.licenseKey = row[4]
        wire.description = row[5]
        wire.email = row[6]
        wire.hostname = row[7]
        wire.created = WireTime(row[8])
        wire.active = row[9]
        wire.policy = try policy(wire.id).wire
        return wire
    }

    /// An organization that the caller administers.
    func organization(_ id: Int64) throws -> WireOrganization {
        try require(id)
        let row = try Row.fetchOne(
            db, sql: "SELECT \(Self.columns) FROM organizations o WHERE o.id = ?", arguments: [id])
        guard let row else { throw APIError.notFound }
        return try wire(row)
    }

    func organization(licenseKey: String) throws -> WireOrganization {
        let id = try Int64.fetchOne(
            db, sql: "SELECT id FROM organizations WHERE license_key = ? AND is_deleted = 0",
            arguments: [licenseKey])
        guard let id else { throw APIError.notFound }
        return try organization(id)
    }

    func organizations(below id: Int64, _ range: PageRange) throws -> WirePage<WireOrganization> {
        try require(id)
        return try page(
            Self.columns, "FROM organizations o WHERE o.parent_id = ? AND o.is_deleted = 0", [id],
            range, wire)
    }

    /// A new organization below `parent_id`, or below the one in the address.
    func createOrganization(below address: Int64, _ form: FormFields) throws -> WireOrganization {
        try require(address)
        let parent = try form.integer("parent_id") ?? address
        if parent != address { try require(parent) }
        let name = try form.filled("name")
        let email = try form.filled("email")
        let slug = try Self.checkedSlug(try form.filled("slug"))
        try requireFree(slug, besides: nil)
        let count = try Int64.fetchOne(
            db, sql: "SELECT count(*) FROM organizations WHERE parent_id = ? AND is_deleted = 0",
            arguments: [parent])
        if let limit = try policy(parent).number("num_orgs_maximum"), count ?? 0 >= limit {
            throw APIError(409, .policyError, "Organization limit has been reached.")
        }
        let isUsable = try Bool.fetchOne(
            db, sql: "SELECT is_usable FROM organizations WHERE id = ?", arguments: [parent])
        try db.execute(
            sql: """
                INSERT INTO organizations (parent_id, name, slug, license_key, description, email,
                hostname, created, is_usable) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                parent, name, slug, LicenseKey.make(), form["description"] ?? "", email,
                form["hostname"] ?? "", now, isUsable,
            ])
        let id = db.lastInsertedRowID
        try Policy.begin(db, organization: id)
        try Policy.update(db, organization: id, form)
        _ = try OrganizationSetting.update(db, organization: id, form)
        try note(.organizationAdded, .organization(id, name: name), in: parent)
        return try organization(id)
    }

    func updateOrganization(_ id: Int64, _ form: FormFields) throws -> WireOrganization {
        try require(id)
        var form = form
        if let slug = form["slug"] {
            form.replace("slug", with: try Self.checkedSlug(slug))
            try requireFree(form["slug"] ?? "", besides: id)
        }
        if form["name"] != nil { _ = try form.filled("name") }
        for column in ["name", "slug", "description", "email", "hostname"] {
            guard let text = form[column] else { continue }
            try db.execute(
                sql: "UPDATE organizations SET \(column) = ? WHERE id = ?", arguments: [text, id])
        }
        _ = try OrganizationSetting.update(db, organization: id, form)
        try Policy.update(db, organization: id, form)
        let updated = try organization(id)
        try note(.organizationUpdated, .organization(id, name: updated.name ?? ""), in: id)
        return updated
    }

    func updatePolicy(_ id: Int64, _ form: FormFields) throws -> WireOrganization {
        try require(id)
        let before = try policy(id).number("space_quota")
        try Policy.update(db, organization: id, form)
        let updated = try organization(id)
        let subject = ActivityNote.Subject.organization(id, name: updated.name ?? "")
        try note(.policyUpdated, subject, in: id)
        let after = updated.policy?.spaceQuota?.value
        if before != after {
            try note(.quotaChanged, subject, in: id, data: Self.change(from: before, to: after))
        }
        return updated
    }

    /// As in the document's example: "increased from 4.00G to 100.00G".
    static func change(from before: Int64?, to after: Int64?) -> String {
        let words = [before, after].map { $0.map(ByteCount.formatInWords) ?? "none" }
        let verb = (after ?? .max) > (before ?? .max) ? "increased" : "decreased"
        return "\(verb) from \(words[0]) to \(words[1])"
    }

    /// Lets nobody of the organization and of those below it sign in, or lets them again. The
    /// first organization can't be disabled.
    func setActive(_ isActive: Bool, organization id: Int64) throws {
        try require(id)
        if id == Schema.firstOrganization { throw APIError.forbidden }
        if !isActive { try requireNobodyAbove(in: id) }
        try db.execute(
            sql: "UPDATE organizations SET is_active = ? WHERE id = ?", arguments: [isActive, id])
        try refreshUsable(below: id)
        let name = try name(ofOrganization: id)
        try note(
            isActive ? .organizationEnabled : .organizationDisabled, .organization(id, name: name),
            in: id)
    }

    /// Brings `is_usable` up to date and ends the sessions of those who may not sign in.
    private func refreshUsable(below id: Int64) throws {
        try db.execute(
            sql: """
                WITH RECURSIVE tree (id, usable) AS (
                    SELECT o.id, o.is_active AND NOT o.is_deleted AND (
                        SELECT p.is_usable FROM organizations p WHERE p.id = o.parent_id)
                    FROM organizations o WHERE o.id = ?
                    UNION SELECT o.id, o.is_active AND NOT o.is_deleted AND t.usable
                    FROM organizations o JOIN tree t ON o.parent_id = t.id)
                UPDATE organizations SET is_usable = (
                    SELECT usable FROM tree WHERE tree.id = organizations.id)
                WHERE id IN (SELECT id FROM tree)
                """, arguments: [id])
        try db.execute(
            sql: """
                DELETE FROM sessions WHERE person_id IN (SELECT p.id FROM persons p
                    JOIN organizations o ON o.id = p.organization_id WHERE NOT o.is_usable)
                """)
    }

    /// Deletes an organization with everything in it and below it; its addresses become free.
    func deleteOrganization(_ id: Int64) throws {
        try require(id)
        if try organizationsAbove(organization).contains(id) { throw APIError.forbidden }
        try requireNobodyAbove(in: id)
        let name = try name(ofOrganization: id)
        let parent = try Int64.fetchOne(
            db, sql: "SELECT parent_id FROM organizations WHERE id = ?", arguments: [id])
        let all = try Int64.fetchAll(
            db, sql: Self.inside + "SELECT id FROM inside", arguments: [id])
        for each in all {
            try removePersons("organization_id = ?", each)
            let roots = try Int64.fetchAll(
                db, sql: "SELECT id FROM roots WHERE organization_id = ? AND is_deleted = 0",
                arguments: [each])
            for root in roots { try TeamShares.delete(db, root: root) }
            for table in ["guests", "groups", "auth_sources"] {
                try db.execute(
                    sql: "DELETE FROM \(table) WHERE organization_id = ?", arguments: [each])
            }
            try db.execute(
                sql: "UPDATE organizations SET is_deleted = 1 WHERE id = ?", arguments: [each])
        }
        try refreshUsable(below: id)
        try note(
            .organizationRemoved, .organization(id, name: name),
            in: parent ?? Schema.firstOrganization)
    }

    /// Throws `forbidden` where the end of an organization would be that of a system administrator
    /// whom the caller is not over.
    private func requireNobodyAbove(in id: Int64) throws {
        if isOverAll { return }
        let isThere = try Bool.fetchOne(
            db,
            sql: Self.inside + """
                SELECT count(*) FROM persons WHERE organization_id IN (SELECT id FROM inside)
                AND is_system_admin AND is_deleted = 0
                """, arguments: [id])
        if isThere == true { throw APIError.forbidden }
    }

    func name(ofOrganization id: Int64) throws -> String {
        try String.fetchOne(
            db, sql: "SELECT name FROM organizations WHERE id = ?", arguments: [id]) ?? ""
    }

    /// Lower case letters, digits and hyphens.
    private static func checkedSlug(_ slug: String) throws(APIError) -> String {
        let isGood = slug.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
        }
        if slug.isEmpty || !isGood || slug.utf8.count > 63 { throw .invalid("slug") }
        return slug
    }

    private func requireFree(_ slug: String, besides id: Int64?) throws {
        let holder = try Int64.fetchOne(
            db, sql: "SELECT id FROM organizations WHERE slug = ? AND is_deleted = 0",
            arguments: [slug])
        if let holder, holder != id {
            throw APIError(409, .nameConflict, "The slug is in use: \(slug)")
        }
    }
}
