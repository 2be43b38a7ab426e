import HTTPTransport

// Sources: ownCloud's document, "Benutzer"; Leviia's page.
extension ProvisioningClient {
    /// Makes a user's account. On ownCloud, whose call takes name and password only, the rest is
    /// set by further calls: where one of them fails, the account is there without it.
    /// - Throws: `userExists`, `invalidInput`, `passwordRefused`, `passwordOrEmailNeeded`,
    ///   `noSuchGroup`, `groupNeeded`, `forbidden`, `refused`.
    package func createUser(_ user: NewUser) async throws(ProvisioningError) {
        var call = ProvisioningCall("user-add", .post, "users")
        call.codes = ProvisioningCall.createUserCodes
        switch dialect {
        case .nextcloud:
            call.body = .json(try user.json())
            _ = try await data(of: call)
        case .owncloud:
            guard let password = user.password, !password.isEmpty else {
                throw ProvisioningError(
                    .passwordOrEmailNeeded, "ownCloud makes no account without a password")
            }
            var fields = [("userid", user.id), ("password", password)]
            // Who administers groups only must name one of them at once.
            fields += user.groups.map { ("groups[]", $0) }
            call.body = .form(fields)
            _ = try await data(of: call)
            try await complete(user)
        }
    }

    private func complete(_ user: NewUser) async throws(ProvisioningError) {
        var changes = UserChanges()
        changes.email = user.email
        changes.displayName = user.displayName
        changes.quota = user.quota
        try await update(user.id, changes)
        let present = user.groups.isEmpty ? [] : try await groups(of: user.id)
        for group in user.groups where !present.contains(group) {
            try await add(user.id, to: group)
        }
        for group in user.administeredGroups {
            try await makeSubadministrator(user.id, of: group)
        }
    }

    /// The ids of users, in the server's order.
    /// - Parameters:
    ///   - search: what the id or the name has in it; nil for all.
    ///   - limit: nil for all at once.
    package func users(
        search: String? = nil, limit: Int? = nil, offset: Int = 0
    ) async throws(ProvisioningError) -> [String] {
        var call = ProvisioningCall("users", .get, "users")
        call.query = Self.page(search, limit, offset)
        return try Self.texts(try await data(of: call), "users")
    }

    /// - Throws: `noSuchUser`, `forbidden`.
    package func user(_ id: String) async throws(ProvisioningError) -> ProvisionedUser {
        ProvisionedUser(id: id, try await data(of: userCall("user", .get, id)))
    }

    /// Changes one attribute.
    /// - Throws: `noSuchUser`, `invalidInput`, `passwordRefused`, `forbidden`, `unsupported`.
    package func edit(_ id: String, _ edit: UserEdit) async throws(ProvisioningError) {
        var call = userCall("user-edit", .put, id)
        call.codes = ProvisioningCall.editUserCodes(dialect)
        let (key, value) = edit.keyAndValue(dialect)
        call.body = .form([("key", key), ("value", value)])
        _ = try await data(of: call)
    }

    /// Makes several changes, one call each: Nextcloud refuses the whole record that Leviia's page
    /// shows. Where one fails, those before it are made, and a second try makes the others.
    package func update(
        _ id: String, _ changes: UserChanges
    ) async throws(ProvisioningError) {
        for edit in changes.edits { try await self.edit(id, edit) }
        if let wanted = changes.groups {
            let present = Set(try await groups(of: id))
            for group in wanted where !present.contains(group) { try await add(id, to: group) }
            for group in present.subtracting(wanted).sorted() { try await remove(id, from: group) }
        }
        if let wanted = changes.administeredGroups {
            let present = Set(try await administeredGroups(of: id))
            for group in wanted where !present.contains(group) {
                try await makeSubadministrator(id, of: group)
            }
            for group in present.subtracting(wanted).sorted() {
                try await removeSubadministrator(id, of: group)
            }
        }
        if let isEnabled = changes.isEnabled { try await setEnabled(id, isEnabled) }
        // The last, since it may be the caller's own.
        if let password = changes.password { try await edit(id, .password(password)) }
    }

    /// - Throws: `noSuchUser`, `refused` (oneself; on ownCloud also for an unknown user).
    package func deleteUser(_ id: String) async throws(ProvisioningError) {
        var call = userCall("user-delete", .delete, id)
        call.codes = [101: .refused]
        _ = try await data(of: call)
    }

    /// Lets a user sign in, or not any more; data and groups stay.
    /// - Throws: `noSuchUser`, `refused` (oneself).
    package func setEnabled(_ id: String, _ isEnabled: Bool) async throws(ProvisioningError) {
        var call = ProvisioningCall(
            isEnabled ? "user-enable" : "user-disable", .put, "users", id,
            isEnabled ? "enable" : "disable")
        call.codes = [101: .refused, 102: .refused]
        call.missing = .noSuchUser
        _ = try await data(of: call)
    }

    /// The groups a user is in.
    /// - Throws: `noSuchUser`, `forbidden`.
    package func groups(of id: String) async throws(ProvisioningError) -> [String] {
        try Self.texts(try await data(of: userCall("user-groups", .get, id, "groups")), "groups")
    }

    /// - Throws: `noSuchUser`, `noSuchGroup`, `forbidden`, `refused`.
    package func add(_ id: String, to group: String) async throws(ProvisioningError) {
        var call = userCall("group-join", .post, id, "groups")
        call.codes = ProvisioningCall.membershipCodes
        call.body = .form([("groupid", group)])
        _ = try await data(of: call)
    }

    /// - Throws: `noSuchUser`, `noSuchGroup`, `forbidden`, `refused`.
    package func remove(_ id: String, from group: String) async throws(ProvisioningError) {
        var call = userCall("group-leave", .delete, id, "groups")
        call.codes = ProvisioningCall.membershipCodes
        call.body = .form([("groupid", group)])
        _ = try await data(of: call)
    }

    /// The groups a user administers.
    /// - Throws: `noSuchUser`.
    package func administeredGroups(of id: String) async throws(ProvisioningError) -> [String] {
        var call = userCall("user-subadmins", .get, id, "subadmins")
        call.codes = [101: .noSuchUser]
        // ownCloud's code for a user without any, as for an unknown failure.
        let node: OCSNode
        do throws(ProvisioningError) {
            node = try await data(of: call)
        } catch {
            guard error.code == 102 else { throw error }
            return []
        }
        return try Self.texts(node, nil)
    }

    /// - Throws: `noSuchUser`, `noSuchGroup`, `refused` (the group of the administrators).
    package func makeSubadministrator(
        _ id: String, of group: String
    ) async throws(ProvisioningError) {
        var call = userCall("subadmin-add", .post, id, "subadmins")
        call.codes = ProvisioningCall.addSubadministratorCodes
        call.body = .form([("groupid", group)])
        _ = try await data(of: call)
    }

    /// - Throws: `noSuchUser`, `notSubadministrator`, `refused`.
    package func removeSubadministrator(
        _ id: String, of group: String
    ) async throws(ProvisioningError) {
        var call = userCall("subadmin-remove", .delete, id, "subadmins")
        call.codes = ProvisioningCall.removeSubadministratorCodes
        call.body = .form([("groupid", group)])
        _ = try await data(of: call)
    }

    private func userCall(
        _ name: String, _ method: HTTPCall.Method, _ id: String, _ part: String? = nil
    ) -> ProvisioningCall {
        var call =
            part.map { ProvisioningCall(name, method, "users", id, $0) }
            ?? ProvisioningCall(name, method, "users", id)
        call.missing = .noSuchUser
        return call
    }
}
