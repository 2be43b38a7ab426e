package import CloudStorage
package import LeitzCloudAPI

/// Who is in a group. A list that is set replaces the one of its kind.
package struct MembersRequest: Sendable {
    package var persons: [Int64]?
    package var groups: [Int64]?

    package init() {}

    var fields: [(String, String)] {
        get throws(CloudStorageError) {
            var form = FormBuilder()
            try form.add("members", persons)
            try form.add("member_groups", groups)
            return form.fields
        }
    }
}

// Source: API v2, "Gruppe-Methoden".
extension LeitzCloudClient {
    package func group(_ id: Int64) async throws(CloudStorageError) -> WireGroup {
        try await fetch("group", AdministrationRoute.group(id))
    }

    package func groups(of organization: Int64, from offset: Int64 = 0) -> PagedList<WireGroup> {
        list("group", AdministrationRoute.organization(organization, "groups"), from: offset)
    }

    package func createGroup(
        _ name: String, in organization: Int64, _ members: MembersRequest = MembersRequest()
    ) async throws(CloudStorageError) -> WireGroup {
        try await changing(
            "group", AdministrationRoute.createGroup,
            [("name", name), ("company_id", String(organization))] + (try members.fields))
    }

    package func renameGroup(
        _ id: Int64, to name: String
    ) async throws(CloudStorageError) -> WireGroup {
        try await changing("group", AdministrationRoute.group(id, "update"), [("name", name)])
    }

    /// - Parameter includesGroups: whether the members of member groups are named too.
    package func members(
        ofGroup id: Int64, includesGroups: Bool = false
    ) async throws(CloudStorageError) -> WireMembers {
        try await fetch(
            "group", AdministrationRoute.group(id, "members"),
            query: [("include_from_group", includesGroups ? "true" : "false")])
    }

    /// - Parameter removesFiles: whether machines that lose a share delete their copies.
    package func updateMembers(
        ofGroup id: Int64, _ request: MembersRequest, removesFiles: Bool = false
    ) async throws(CloudStorageError) {
        try await change(
            "group", AdministrationRoute.group(id, "members/update"),
            try request.fields + removal(removesFiles))
    }

    package func deleteGroup(
        _ id: Int64, removesFiles: Bool = false
    ) async throws(CloudStorageError) {
        try await change(
            "group", AdministrationRoute.group(id, "delete"), removal(removesFiles))
    }
}
