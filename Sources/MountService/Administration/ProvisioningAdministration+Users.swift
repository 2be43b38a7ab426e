import ProvisioningClient

extension ProvisioningAdministration: UserAdministration {
    /// What programs see of a user.
    private struct Object: Encodable, Sendable {
        var id: String
        var enabled: Bool?
        var email: String?
        var displayName: String?
        var quota: Int64?
        var used: Int64?
        var groups: [String]?
        var administers: [String]?
        var language: String?
        var lastLogin: Int64?
    }

    private func record(_ user: ProvisionedUser) -> AdministrationRecord {
        var bytes: Int64?
        let quota: String =
            switch user.quota?.limit {
            case .bytes(let limit): LeitzCloudAdministration.bytes(limit)
            case .unlimited: "unlimited"
            case .standard: "default"
            case nil: ""
            }
        if case .bytes(let limit) = user.quota?.limit { bytes = limit }
        var record = AdministrationRecord(
            [
                ("ID", user.id), ("EMAIL", user.email ?? ""), ("NAME", user.displayName ?? ""),
                ("USED", LeitzCloudAdministration.bytes(user.quota?.used)), ("QUOTA", quota),
                ("NOTES", user.isEnabled == false ? "disabled" : ""),
            ],
            object: Object(
                id: user.id, enabled: user.isEnabled, email: user.email,
                displayName: user.displayName, quota: bytes, used: user.quota?.used,
                groups: user.groups, administers: user.administeredGroups,
                language: user.language, lastLogin: user.lastLogin))
        record.details = [
            .init(title: "GROUPS", text: (user.groups ?? []).joined(separator: ", ")),
            .init(
                title: "ADMINISTERS", text: (user.administeredGroups ?? []).joined(separator: ", ")),
            .init(title: "LANGUAGE", text: user.language ?? ""),
        ]
        return record
    }

    /// A user with the groups, which ownCloud tells only when asked for them.
    private func described(_ id: String) async throws(ServiceFailure) -> ProvisionedUser? {
        guard
            var user = try await looking({ () async throws(ProvisioningError) in
                try await client.user(id)
            })
        else { return nil }
        if user.groups == nil {
            user.groups = try await asking { () async throws(ProvisioningError) in
                try await client.groups(of: id)
            }
        }
        return user
    }

    /// A user by id, or by the address that one of them has.
    private func found(_ name: String) async throws(ServiceFailure) -> ProvisionedUser? {
        if let user = try await described(name) { return user }
        guard name.contains("@") else { return nil }
        let candidates = try await asking { () async throws(ProvisioningError) in
            try await client.users(search: name, limit: Self.pageSize)
        }
        for candidate in candidates {
            if let user = try await described(candidate),
                user.email?.lowercased() == name.lowercased()
            {
                return user
            }
        }
        return nil
    }

    private func known(_ name: String) async throws(ServiceFailure) -> ProvisionedUser {
        guard let user = try await found(name) else {
            throw ServiceFailure("there is no user '\(name)'")
        }
        return user
    }

    /// The id of a user named in any way.
    func userID(_ name: String) async throws(ServiceFailure) -> String { try await known(name).id }

    func users(from offset: Int64) async throws(ServiceFailure) -> RecordPage {
        let ids = try await asking { () async throws(ProvisioningError) in
            try await client.users(limit: Self.pageSize, offset: Int(offset))
        }
        var records: [AdministrationRecord] = []
        for id in ids {
            // One who went meanwhile is left out.
            guard
                let user = try await looking({ () async throws(ProvisioningError) in
                    try await client.user(id)
                })
            else { continue }
            records.append(record(user))
        }
        let next = ids.count == Self.pageSize ? offset + Int64(ids.count) : nil
        return RecordPage(records: records, total: nil, next: next)
    }

    func user(_ name: String) async throws(ServiceFailure) -> AdministrationRecord {
        record(try await known(name))
    }

    /// By the name first: an account whose making was interrupted has no address yet.
    func user(like draft: UserDraft) async throws(ServiceFailure) -> ExistingUser? {
        for name in [draft.username, draft.email].compactMap({ $0 }) {
            guard let user = try await found(name) else { continue }
            return ExistingUser(name: user.id, email: user.email)
        }
        return nil
    }

    /// The user's id is the user name, where there is none the address.
    func createUser(_ draft: UserDraft) async throws(ServiceFailure) -> AdministrationRecord {
        try refuseUnknown(draft)
        guard let id = draft.username ?? draft.email else {
            throw ServiceFailure("a user needs a name or an e-mail address")
        }
        var user = NewUser(id: id)
        user.email = draft.email
        user.displayName = Self.displayName(draft)
        user.groups = groups(draft, present: [])
        user.quota = draft.quota.map { .bytes($0) }
        if case .given(let password) = draft.password { user.password = password }
        let ready = user
        try await asking { () async throws(ProvisioningError) in
            try await client.createUser(ready)
        }
        return try await self.user(id)
    }

    func updateUser(
        _ name: String, _ draft: UserDraft
    ) async throws(ServiceFailure) -> AdministrationRecord {
        try refuseUnknown(draft)
        let user = try await known(name)
        if let username = draft.username, username != user.id {
            throw ServiceFailure("a user's name can't be changed on this \(cloud)")
        }
        var changes = UserChanges()
        changes.email = draft.email
        changes.displayName = Self.displayName(draft)
        changes.quota = draft.quota.map { .bytes($0) }
        changes.isEnabled = draft.isActive
        if draft.groups != nil || draft.isAdministrator != nil {
            changes.groups = groups(draft, present: user.groups ?? [])
        }
        switch draft.password {
        case .given(let password): changes.password = password
        case .fromCloud:
            throw ServiceFailure("this \(cloud) makes up no passwords for users that are there")
        case nil: break
        }
        let ready = changes
        try await asking { () async throws(ProvisioningError) in
            try await client.update(user.id, ready)
        }
        return try await self.user(user.id)
    }

    func deleteUser(_ name: String, removesFiles: Bool) async throws(ServiceFailure) {
        // These clouds delete a user's files in any case.
        let id = try await userID(name)
        try await asking { () async throws(ProvisioningError) in
            try await client.deleteUser(id)
        }
    }

    func createRoot(of name: String) async throws(ServiceFailure) -> AdministrationRecord {
        throw ServiceFailure("every user of this \(cloud) has a folder of their own already")
    }

    private func refuseUnknown(_ draft: UserDraft) throws(ServiceFailure) {
        guard draft.mobilePhone == nil else {
            throw ServiceFailure("this \(cloud) keeps no mobile phone numbers")
        }
    }

    private static func displayName(_ draft: UserDraft) -> String? {
        let names = [draft.firstName, draft.lastName].compactMap { $0 }.filter { !$0.isEmpty }
        return names.isEmpty ? nil : names.joined(separator: " ")
    }

    /// Who administers everything is in the group `admin`.
    private func groups(_ draft: UserDraft, present: [String]) -> [String] {
        var groups = draft.groups ?? present
        switch draft.isAdministrator {
        case true where !groups.contains("admin"): groups.append("admin")
        case false: groups.removeAll { $0 == "admin" }
        // A list of groups says nothing of who administers.
        case nil where present.contains("admin") && !groups.contains("admin"):
            groups.append("admin")
        default: break
        }
        return groups
    }
}
