import ProvisioningClient

extension ProvisioningAdministration: GroupAdministration {
    private func record(_ group: String) -> AdministrationRecord {
        AdministrationRecord([("NAME", group)], object: ["name": group])
    }

    func groups(from offset: Int64) async throws(ServiceFailure) -> RecordPage {
        let groups = try await asking { () async throws(ProvisioningError) in
            try await client.groups(limit: Self.pageSize, offset: Int(offset))
        }
        let next = groups.count == Self.pageSize ? offset + Int64(groups.count) : nil
        return RecordPage(records: groups.map(record), total: nil, next: next)
    }

    func group(_ name: String) async throws(ServiceFailure) -> AdministrationRecord {
        let members = try await asking { () async throws(ProvisioningError) in
            try await client.members(of: name)
        }
        let administrators = try await asking { () async throws(ProvisioningError) in
            try await client.subadministrators(of: name)
        }
        var record = AdministrationRecord(
            [("NAME", name), ("MEMBERS", String(members.count))],
            object: ["name": [name], "members": members, "administrators": administrators])
        record.details = [
            .init(title: "ADMINISTRATORS", text: administrators.joined(separator: ", "))
        ]
        return record
    }

    func createGroup(_ name: String) async throws(ServiceFailure) -> AdministrationRecord {
        try await asking { () async throws(ProvisioningError) in
            try await client.createGroup(name)
        }
        return record(name)
    }

    func renameGroup(
        _ name: String, to new: String
    ) async throws(ServiceFailure) -> AdministrationRecord {
        throw ServiceFailure("groups of this \(cloud) can't be renamed")
    }

    func deleteGroup(_ name: String) async throws(ServiceFailure) {
        try await asking { () async throws(ProvisioningError) in
            try await client.deleteGroup(name)
        }
    }

    /// - Parameter deep: means nothing: there are no groups in groups.
    func members(
        of group: String, deep: Bool
    ) async throws(ServiceFailure) -> [AdministrationRecord] {
        try await asking { () async throws(ProvisioningError) in
            try await client.members(of: group)
        }.map { user in
            AdministrationRecord(
                [("TYPE", "user"), ("ID", user)], object: ["type": "user", "id": user])
        }
    }

    func changeMembers(
        of group: String, _ change: MembershipChange
    ) async throws(ServiceFailure) {
        guard change.addedGroups.isEmpty, change.removedGroups.isEmpty else {
            throw ServiceFailure("groups of this \(cloud) can't be in other groups")
        }
        for name in change.addedUsers {
            let id = try await userID(name)
            try await asking { () async throws(ProvisioningError) in
                try await client.add(id, to: group)
            }
        }
        for name in change.removedUsers {
            let id = try await userID(name)
            try await asking { () async throws(ProvisioningError) in
                try await client.remove(id, from: group)
            }
        }
    }
}

extension ProvisioningAdministration: AppAdministration {
    /// What programs see of an app.
    private struct App: Encodable, Sendable {
        var id: String
        var name: String?
        var description: String?
        var version: String?
        var author: String?
        var types: [String]
    }

    func apps(isEnabled: Bool?) async throws(ServiceFailure) -> [AdministrationRecord] {
        let on = try await asking { () async throws(ProvisioningError) in
            try await client.apps(.enabled)
        }
        let off =
            isEnabled == true
            ? []
            : try await asking { () async throws(ProvisioningError) in
                try await client.apps(.disabled)
            }
        let shown = (isEnabled == false ? [] : on.map { ($0, true) }) + off.map { ($0, false) }
        return shown.sorted { $0.0 < $1.0 }.map { id, isOn in
            let state = isOn ? "enabled" : "disabled"
            return AdministrationRecord(
                [("ID", id), ("STATE", state)], object: ["id": id, "state": state])
        }
    }

    func app(_ id: String) async throws(ServiceFailure) -> AdministrationRecord {
        let app = try await asking { () async throws(ProvisioningError) in
            try await client.app(id)
        }
        var record = AdministrationRecord(
            [
                ("ID", app.id), ("NAME", app.name ?? ""), ("VERSION", app.version ?? ""),
                ("LICENCE", app.licence ?? ""), ("AUTHOR", app.author ?? ""),
            ],
            object: App(
                id: app.id, name: app.name, description: app.description, version: app.version,
                author: app.author, types: app.types))
        record.details = [
            .init(title: "DESCRIPTION", text: app.description ?? ""),
            .init(title: "TYPES", text: app.types.joined(separator: ", ")),
        ]
        return record
    }

    func setEnabled(_ isEnabled: Bool, app id: String) async throws(ServiceFailure) {
        try await asking { () async throws(ProvisioningError) in
            try await client.setEnabled(app: id, isEnabled)
        }
    }
}
