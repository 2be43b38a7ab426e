import ProvisioningClient

extension ProvisioningAdministration: GroupAdministratorsAdministration {
    func administrators(
        of group: String
    ) async throws(ServiceFailure) -> [AdministrationRecord] {
        try await asking { () async throws(ProvisioningError) in
            try await client.subadministrators(of: group)
        }.map { AdministrationRecord([("USER", $0)], object: ["id": $0]) }
    }

    func administeredGroups(
        of user: String
    ) async throws(ServiceFailure) -> [AdministrationRecord] {
        let id = try await userID(user)
        return try await asking { () async throws(ProvisioningError) in
            try await client.administeredGroups(of: id)
        }.map { AdministrationRecord([("GROUP", $0)], object: ["name": $0]) }
    }

    func setAdministrator(
        _ user: String, of group: String, _ isAdministrator: Bool
    ) async throws(ServiceFailure) {
        let id = try await userID(user)
        try await asking { () async throws(ProvisioningError) in
            if isAdministrator {
                try await client.makeSubadministrator(id, of: group)
            } else {
                try await client.removeSubadministrator(id, of: group)
            }
        }
    }
}
