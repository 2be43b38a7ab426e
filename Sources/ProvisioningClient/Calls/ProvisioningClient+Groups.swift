import HTTPTransport

// Source: ownCloud's document, "Gruppen".
extension ProvisioningClient {
    /// The groups of the server, in its order.
    /// - Parameter limit: nil for all at once.
    package func groups(
        search: String? = nil, limit: Int? = nil, offset: Int = 0
    ) async throws(ProvisioningError) -> [String] {
        var call = ProvisioningCall("groups", .get, "groups")
        call.query = Self.page(search, limit, offset)
        return try Self.texts(try await data(of: call), "groups")
    }

    /// - Throws: `groupExists`, `invalidInput`, `forbidden`, `refused`.
    package func createGroup(_ id: String) async throws(ProvisioningError) {
        var call = ProvisioningCall("group-add", .post, "groups")
        call.codes = ProvisioningCall.createGroupCodes
        call.body = .form([("groupid", id)])
        _ = try await data(of: call)
    }

    /// The users in a group.
    /// - Throws: `noSuchGroup`, `forbidden`.
    package func members(of group: String) async throws(ProvisioningError) -> [String] {
        var call = ProvisioningCall("group-members", .get, "groups", group)
        call.missing = .noSuchGroup
        return try Self.texts(try await data(of: call), "users")
    }

    /// The users who administer a group.
    /// - Throws: `noSuchGroup`.
    package func subadministrators(
        of group: String
    ) async throws(ProvisioningError) -> [String] {
        var call = ProvisioningCall("group-subadmins", .get, "groups", group, "subadmins")
        call.codes = [101: .noSuchGroup]
        call.missing = .noSuchGroup
        do throws(ProvisioningError) {
            return try Self.texts(try await data(of: call), nil)
        } catch {
            // ownCloud's code for a group without any, as for an unknown failure.
            guard error.code == 102 else { throw error }
            return []
        }
    }

    /// - Throws: `noSuchGroup`, `refused` (the group of the administrators).
    package func deleteGroup(_ id: String) async throws(ProvisioningError) {
        var call = ProvisioningCall("group-delete", .delete, "groups", id)
        call.codes = ProvisioningCall.deleteGroupCodes
        call.missing = .noSuchGroup
        _ = try await data(of: call)
    }
}
