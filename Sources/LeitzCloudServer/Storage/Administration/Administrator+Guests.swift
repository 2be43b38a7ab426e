import GRDB
import LeitzCloudAPI

/// Guests: accounts that only see what is shared with them (API v2, "Gast").
extension Administrator {
    /// How a guest is named in an address.
    enum GuestSelector: Sendable {
        case id(Int64)
        case email(String)
    }

    private static let columns = """
        id, organization_id, creator_id, email, first_name, last_name, is_active, created
        """

    private func wire(_ row: Row) -> WireGuest {
        var guest = WireGuest(id: row[0])
        guest.companyID = row[1]
        guest.creatorID = row[2]
        guest.email = row[3]
        guest.firstName = row[4]
        guest.lastName = row[5]
        guest.active = row[6]
        guest.created = WireTime(row[7])
        return guest
    }

    func guest(_ selector: GuestSelector) throws -> WireGuest {
        let row =
            switch selector {
            case .id(let id):
                try Row.fetchOne(
                    db, sql: "SELECT \(Self.columns) FROM guests WHERE id = ?", arguments: [id])
            case .email(let email):
                try Row.fetchOne(
                    db, sql: "SELECT \(Self.columns) FROM guests WHERE email = ?",
                    arguments: [email])
            }
        guard let row else { throw APIError.notFound }
        if try !administers(row[1]) { throw APIError.forbidden }
        return wire(row)
    }

    func guests(of organization: Int64, _ range: PageRange) throws -> WirePage<WireGuest> {
        try require(organization)
        return try page(
            Self.columns, "FROM guests WHERE organization_id = ?", [organization], range, wire)
    }

    func createGuest(_ form: FormFields, _ password: NewPassword?) throws -> WireGuest {
        try requireAdministrator()
        guard let organization = try form.integer("company_id") else {
            throw APIError.missing("company_id")
        }
        let firstName = try form.filled("first_name")
        let lastName = try form.filled("last_name")
        let email = try PersonWishes.checkedEmail(try form.filled("email"))
        let sendsWelcome = try form.flag("send_welcome_email", default: false)
        try require(organization)
        guard let password else { throw APIError.missing("password") }
        try requireFree(email: email, besides: nil)
        try db.execute(
            sql: """
                INSERT INTO guests (organization_id, creator_id, email, password,
                password_expires, first_name, last_name, created)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                organization, person, email, password.record, password.expires, firstName,
                lastName, now,
            ])
        let id = db.lastInsertedRowID
        try note(
            .guestAdded, .guest(id, name: "\(firstName) \(lastName)"), in: organization,
            data: email)
        if sendsWelcome || password.generated != nil { welcome(email, password) }
        return try guest(.id(id))
    }

    func updateGuest(_ id: Int64, _ form: FormFields, _ password: NewPassword?) throws -> WireGuest
    {
        let before = try guest(.id(id))
        let email = try form["email"].map(PersonWishes.checkedEmail)
        if let email { try requireFree(email: email, besides: nil, guest: id) }
        for (column, value) in [
            ("first_name", form["first_name"]), ("last_name", form["last_name"]),
            ("email", email),
        ] {
            guard let value else { continue }
            if value.isEmpty { throw APIError.invalid(column) }
            try db.execute(
                sql: "UPDATE guests SET \(column) = ? WHERE id = ?", arguments: [value, id])
        }
        if let password {
            try db.execute(
                sql: "UPDATE guests SET password = ?, password_expires = ? WHERE id = ?",
                arguments: [password.record, password.expires, id])
        } else if form["pw_expires"] != nil {
            try setExpiry(of: id, in: "guests", form)
        }
        let updated = try guest(.id(id))
        if let password, password.generated != nil {
            welcome(updated.email ?? "", password)
        }
        try note(.guestUpdated, subject(updated), in: before.companyID ?? organization)
        return updated
    }

    func deleteGuest(_ id: Int64) throws {
        let guest = try guest(.id(id))
        try db.execute(sql: "DELETE FROM guests WHERE id = ?", arguments: [id])
        try note(.guestRemoved, subject(guest), in: guest.companyID ?? organization)
    }

    /// The file shares that name the guest's address and have not expired.
    func shares(ofGuest id: Int64) throws -> [WireShare] {
        let guest = try guest(.id(id))
        return try Row.fetchAll(
            db,
            sql: """
                SELECT s.id, s.root_id, s.hash, s.creator_id, s.file_id, s.folder_id, s.expires,
                    s.login_required
                FROM share_subscribers b JOIN shares s ON s.id = b.share_id
                JOIN roots r ON r.id = s.root_id
                LEFT JOIN files f ON f.id = s.file_id LEFT JOIN folders d ON d.id = s.folder_id
                WHERE b.email = ? AND r.is_deleted = 0
                AND coalesce(f.is_deleted, d.is_deleted, 0) = 0
                AND (s.expires IS NULL OR s.expires > ?) ORDER BY s.id
                """, arguments: [guest.email, now]
        ).map { row in
            var share = WireShare(id: row[0], rootID: row[1], hash: row[2])
            share.creatorID = row[3]
            share.fileID = row[4]
            share.folderID = row[5]
            share.expires = (row[6] as Int64?).map { WireTime($0) }
            share.loginRequired = row[7]
            share.readAccess = true
            share.writeAccess = false
            share.deleteAccess = false
            return share
        }
    }

    /// Makes a guest a person with the same address, name and password.
    func convertGuest(_ id: Int64) throws -> WirePerson {
        let guest = try guest(.id(id))
        let organization = guest.companyID ?? organization
        let policy = try policy(organization)
        try requireFreePlace(in: organization, policy)
        try db.execute(
            sql: """
                INSERT INTO persons (email, password, password_expires, display_name, first_name,
                last_name, quota, organization_id, created)
                SELECT email, password, password_expires, first_name || ' ' || last_name,
                first_name, last_name, ?, organization_id, ? FROM guests WHERE id = ?
                """, arguments: [PersonWishes.defaultQuota, now, id])
        let made = db.lastInsertedRowID
        try db.execute(sql: "DELETE FROM guests WHERE id = ?", arguments: [id])
        let person = try PersonObject(tree, policy: policy).person(made)
        try note(
            .guestConverted, .person(made, name: person.displayName ?? ""), in: organization)
        return person
    }

    private func subject(_ guest: WireGuest) -> ActivityNote.Subject {
        .guest(guest.id, name: "\(guest.firstName ?? "") \(guest.lastName ?? "")")
    }
}
