import GRDB
import LeitzCloudAPI

/// Making, changing and deleting persons.
extension Administrator {
    func createPerson(_ form: FormFields, _ password: NewPassword?) throws -> WirePerson {
        try requireAdministrator()
        guard let organization = try form.integer("company_id") else {
            throw APIError.missing("company_id")
        }
        _ = try form.filled("email")
        try require(organization)
        let wishes = try PersonWishes(form)
        let policy = try policy(organization)
        if !policy.flag("admin_create_users"), !isOverAll { throw APIError.forbidden }
        guard let password else { throw APIError.missing("password") }
        try requireFreePlace(in: organization, policy)
        try requireFree(email: wishes.email ?? "", besides: nil)
        try requireRights(for: wishes)
        let id = try insert(wishes, password, organization: organization)
        try apply(wishes, to: id, organization: organization)
        if wishes.createsRoot { _ = try Accounts.ensureOwnRoot(db, person: id) }
        let person = try PersonObject(tree, policy: policy).person(id)
        try note(
            .personAdded, .person(id, name: person.displayName ?? ""), in: organization,
            data: person.email)
        if wishes.sendsWelcome || password.generated != nil {
            welcome(person.email, password)
        }
        return person
    }

    private func insert(_ wishes: PersonWishes, _ password: NewPassword, organization: Int64)
        throws -> Int64
    {
        let names = [wishes.firstName, wishes.lastName].compactMap { $0 }.filter { !$0.isEmpty }
        let email = wishes.email ?? ""
        let displayName = names.isEmpty ? email : names.joined(separator: " ")
        try db.execute(
            sql: """
                INSERT INTO persons (email, password, password_expires, display_name, quota,
                organization_id, created) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                email, password.record, password.expires, displayName,
                wishes.spaceQuota ?? PersonWishes.defaultQuota, organization, now,
            ])
        return db.lastInsertedRowID
    }

    /// Tells the owner of a new account about it.
    func welcome(_ email: String, _ password: NewPassword) {
        let words = password.generated.map { " Your password is \($0)" } ?? ""
        send(to: email, subject: "Welcome", "There is an account for \(email).\(words)")
    }

    func updatePerson(_ id: Int64, _ form: FormFields, _ password: NewPassword?) throws
        -> WirePerson
    {
        let organization = try require(person: id)
        let wishes = try PersonWishes(form)
        if wishes.needsAdministrator, try !administers(organization) { throw APIError.forbidden }
        try requireNotAbove(id)
        if id == person, wishes.isActive == false { throw APIError.forbidden }
        if let email = wishes.email { try requireFree(email: email, besides: id) }
        try requireRights(for: wishes)
        let before = try Int64.fetchOne(
            db, sql: "SELECT quota FROM persons WHERE id = ?", arguments: [id])
        try apply(wishes, to: id, organization: organization)
        if wishes.createsRoot { _ = try Accounts.ensureOwnRoot(db, person: id) }
        if let password {
            try db.execute(
                sql: "UPDATE persons SET password = ?, password_expires = ? WHERE id = ?",
                arguments: [password.record, password.expires, id])
            try endSessions(of: id, exceptGuid: id == person ? tree.caller.guid : nil)
        } else if form["pw_expires"] != nil {
            // Nobody makes the own password last longer.
            if try !administers(organization) { throw APIError.forbidden }
            try setExpiry(of: id, in: "persons", form)
        }
        let updated = try PersonObject(tree, policy: policy(organization)).person(id)
        if let password, password.generated != nil { welcome(updated.email, password) }
        let subject = ActivityNote.Subject.person(id, name: updated.displayName ?? "")
        try note(.personUpdated, subject, in: organization)
        if let quota = wishes.spaceQuota, quota != before {
            try note(
                .quotaChanged, subject, in: organization,
                data: Self.change(from: before, to: quota))
        }
        return updated
    }

    /// Writes the fields that are given.
    private func apply(_ wishes: PersonWishes, to id: Int64, organization: Int64) throws {
        let columns: [(String, (any DatabaseValueConvertible)?)] = [
            ("email", wishes.email), ("first_name", wishes.firstName),
            ("last_name", wishes.lastName), ("mobile_phone", wishes.mobilePhone),
            ("quota", wishes.spaceQuota), ("is_site_admin", wishes.isSiteAdministrator),
            ("is_system_admin", wishes.isSystemAdministrator),
            ("makes_shares", wishes.makesShares), ("is_active", wishes.isActive),
            ("quota_marks", wishes.marks),
        ]
        for (column, value) in columns {
            guard let value else { continue }
            try db.execute(
                sql: "UPDATE persons SET \(column) = ? WHERE id = ?", arguments: [value, id])
        }
        if let username = wishes.username {
            let holder = try Int64.fetchOne(
                db, sql: "SELECT id FROM persons WHERE username = ?", arguments: [username])
            if let holder, holder != id { throw Self.taken("username") }
            try db.execute(
                sql: "UPDATE persons SET username = nullif(?, '') WHERE id = ?",
                arguments: [username, id])
        }
        if wishes.firstName != nil || wishes.lastName != nil {
            try db.execute(
                sql: """
                    UPDATE persons SET display_name = coalesce(nullif(trim(
                        coalesce(first_name, '') || ' ' || coalesce(last_name, '')), ''), email)
                    WHERE id = ?
                    """, arguments: [id])
        }
        if wishes.isActive == false { try endSessions(of: id, exceptGuid: nil) }
        if let groups = wishes.groups {
            try setGroups(Set(groups), of: id, organization: organization)
        }
    }

    /// A new end of the password that is there.
    func setExpiry(of id: Int64, in table: String, _ form: FormFields) throws {
        try db.execute(
            sql: "UPDATE \(table) SET password_expires = ? WHERE id = ?",
            arguments: [try NewPassword.expiry(form, now: now), id])
    }

    private func endSessions(of id: Int64, exceptGuid guid: String?) throws {
        try db.execute(
            sql: "DELETE FROM sessions WHERE person_id = ? AND guid IS NOT ?",
            arguments: [id, guid])
        try db.execute(sql: "DELETE FROM app_passwords WHERE person_id = ?", arguments: [id])
    }

    /// Deletes a person's account.
    func deletePerson(_ id: Int64, _ form: FormFields) throws {
        let organization = try require(person: id)
        let removesServerFiles = try form.flag("remove_server_files", default: false)
        let removesOwn = try form.flag("remove_user_files", default: false)
        let removesShared = try form.flag("remove_dept_files", default: false)
        if id == person { throw APIError.forbidden }
        let row = try Row.fetchOne(
            db, sql: "SELECT display_name, own_root_id FROM persons WHERE id = ?",
            arguments: [id])
        guard let row else { throw APIError.notFound }
        try requireNotAbove(id)
        let name: String = row[0]
        if removesOwn, let root: Int64 = row[1] { try TeamShares.delete(db, root: root) }
        if removesShared { try deleteSharedFiles(of: id) }
        if removesServerFiles {
            try db.execute(
                sql: """
                    DELETE FROM machine_mappings WHERE root_id =
                        (SELECT own_root_id FROM persons WHERE id = ?)
                    """, arguments: [id])
        }
        try remove(person: id)
        try note(.personRemoved, .person(id, name: name), in: organization)
    }

    /// Marks the person's files in team shares as deleted.
    private func deleteSharedFiles(of id: Int64) throws {
        let files = try Row.fetchAll(
            db,
            sql: """
                SELECT f.id, f.root_id, f.parent_id, f.size FROM files f
                JOIN roots r ON r.id = f.root_id
                WHERE f.owner_id = ? AND f.is_deleted = 0 AND r.kind = 'share'
                AND r.is_deleted = 0
                """, arguments: [id])
        for file in files {
            try tree.run(
                """
                UPDATE files SET is_deleted = 1, changed = ?, lock_person = NULL,
                lock_guid = NULL, lock_expires = NULL WHERE id = ?
                """, [now, file[0] as Int64])
            try tree.account(-(file[3] as Int64), root: file[1], person: id)
        }
        for parent in Set(files.map { $0[2] as Int64 }) { try tree.touch(parent) }
    }

    /// Ends everything a person may do; the row stays, because files and revisions name it.
    func remove(person id: Int64) throws { try removePersons("id = ?", id) }

    /// As `remove(person:)`, for all persons of whom a condition with one argument holds.
    func removePersons(_ condition: String, _ argument: Int64) throws {
        let gone = "(SELECT id FROM persons WHERE \(condition) AND is_deleted = 0)"
        for table in [
            "sessions", "app_passwords", "group_members", "group_admins", "person_subscribers",
            "external_subscribers", "direct_grants", "machines", "dav_locks",
        ] {
            try db.execute(
                sql: "DELETE FROM \(table) WHERE person_id IN \(gone)", arguments: [argument])
        }
        try Subscriptions.end(db, ofPersons: gone, argument)
        for table in ["files", "folders"] {
            try db.execute(
                sql: """
                    UPDATE \(table) SET lock_person = NULL, lock_guid = NULL, lock_expires = NULL
                    WHERE lock_person IN \(gone) AND lock_expires IS NOT NULL
                    """, arguments: [argument])
        }
        try db.execute(
            sql: """
                UPDATE persons SET is_deleted = 1, is_active = 0, email = '#' || id || ':' || email,
                username = NULL, password = '', is_site_admin = 0, is_system_admin = 0
                WHERE \(condition) AND is_deleted = 0
                """, arguments: [argument])
    }

    /// The person's sync root, made where there is none.
    func createOwnRoot(person id: Int64, _ form: FormFields) throws -> WireRoot {
        _ = try form.flag("webdav", default: false)
        let organization = try require(person: id)
        let had = try Int64.fetchOne(
            db,
            sql: """
                SELECT r.id FROM persons p JOIN roots r ON r.id = p.own_root_id
                WHERE p.id = ? AND r.is_deleted = 0
                """, arguments: [id])
        let root = try Accounts.ensureOwnRoot(db, person: id)
        let object = try self.root(root, of: organization)
        if had == nil {
            try note(.rootAdded, .root(root, name: object.name), in: organization)
        }
        return object
    }

    // MARK: - Conditions

    /// Only those who are over all organizations make others so.
    private func requireRights(for wishes: PersonWishes) throws(APIError) {
        if wishes.isSystemAdministrator == true, !isOverAll { throw .forbidden }
    }

    /// Throws `forbidden` for a system administrator who is not the caller and whom the caller is
    /// not over: with a new password or address the caller could become that person.
    private func requireNotAbove(_ id: Int64) throws {
        if id == person || isOverAll { return }
        let isAbove = try Bool.fetchOne(
            db, sql: "SELECT is_system_admin FROM persons WHERE id = ?", arguments: [id])
        if isAbove == true { throw APIError.forbidden }
    }

    /// Throws `user_limit_exceeded` where the organization has as many persons as it may.
    func requireFreePlace(in organization: Int64, _ policy: Policy) throws {
        guard let limit = policy.limit("num_users_maximum") else { return }
        let count = try Int64.fetchOne(
            db, sql: "SELECT count(*) FROM persons WHERE organization_id = ? AND is_deleted = 0",
            arguments: [organization])
        if count ?? 0 >= limit {
            throw APIError(409, .userLimitExceeded, "User limit has been reached.")
        }
    }

    /// Throws where a person or guest has the address.
    func requireFree(email: String, besides person: Int64?, guest: Int64? = nil) throws {
        let holder = try Int64.fetchOne(
            db, sql: "SELECT id FROM persons WHERE email = ?", arguments: [email])
        if let holder, holder != person { throw Self.taken("email") }
        let guestHolder = try Int64.fetchOne(
            db, sql: "SELECT id FROM guests WHERE email = ?", arguments: [email])
        if let guestHolder, guestHolder != guest { throw Self.taken("email") }
    }

    private static func taken(_ parameter: String) -> APIError {
        APIError(409, .nameConflict, "An account with this \(parameter) exists.")
    }
}
