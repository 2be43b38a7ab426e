package import CloudStorage
package import LeitzCloudAPI

/// What a new team share has, or what is to change of one; nothing set stays as it is.
package struct TeamShareRequest: Sendable {
    package var name: String?
    package var description: String?
    /// Whether clients lock files by themselves where they can.
    package var autoLock: Bool?
    /// Whether new subscribers are told.
    package var notify: Bool?
    /// The organization that the share is to go to. Not for a new one.
    package var organization: Int64?
    /// Of a new share only; see `updateSubscribers`.
    package var subscribers = SubscribersRequest()

    package init() {}

    var fields: [(String, String)] {
        get throws(CloudStorageError) {
            var form = FormBuilder()
            form.add("name", name)
            form.add("description", description)
            form.add("auto_lock", autoLock)
            form.add("notify", notify)
            form.add("company_id", organization)
            return try form.fields + subscribers.fields
        }
    }
}

/// Who a team share is for. A list that is set replaces the one of its kind.
package struct SubscribersRequest: Sendable {
    package var persons: [WireSubscriber]?
    package var groups: [WireSubscriber]?
    /// E-mail addresses of accounts in other organizations, who are invited.
    package var external: [String]?

    package init() {}

    var fields: [(String, String)] {
        get throws(CloudStorageError) {
            var form = FormBuilder()
            try form.add("subscribers", persons)
            try form.add("group_subscribers", groups)
            try form.add("external_subscribers", external)
            return form.fields
        }
    }
}

// Source: API v2, "Root-Methoden" of the chapter "Organisation".
extension LeitzCloudClient {
    /// Every root of an organization: those of persons, team shares and backups.
    package func roots(ofOrganization id: Int64, from offset: Int64 = 0) -> PagedList<WireRoot> {
        list("root", AdministrationRoute.organization(id, "roots"), from: offset)
    }

    package func root(
        _ root: Int64, ofOrganization id: Int64
    ) async throws(CloudStorageError) -> WireRoot {
        try await fetch("root", AdministrationRoute.organization(id, "root/\(root)"))
    }

    package func teamShares(of id: Int64, from offset: Int64 = 0) -> PagedList<WireRoot> {
        list("team-share", AdministrationRoute.organization(id, "shares"), from: offset)
    }

    package func teamShare(
        _ root: Int64, of id: Int64
    ) async throws(CloudStorageError) -> WireRoot {
        try await fetch("team-share", AdministrationRoute.organization(id, "share/\(root)"))
    }

    /// - Parameter request: needs a name.
    package func createTeamShare(
        in id: Int64, _ request: TeamShareRequest
    ) async throws(CloudStorageError) -> WireRoot {
        try await changing(
            "team-share", AdministrationRoute.organization(id, "shares/create"), try request.fields)
    }

    package func updateTeamShare(
        _ root: Int64, of id: Int64, _ request: TeamShareRequest
    ) async throws(CloudStorageError) -> WireRoot {
        try await changing(
            "team-share", AdministrationRoute.organization(id, "share/\(root)/update"),
            try request.fields)
    }

    /// - Parameter includesGroups: whether the members of subscribed groups are named too.
    package func subscribers(
        ofTeamShare root: Int64, in id: Int64, includesGroups: Bool = false
    ) async throws(CloudStorageError) -> WireSubscribers {
        try await fetch(
            "team-share", AdministrationRoute.organization(id, "share/\(root)/subscribers"),
            query: [("include_from_group", includesGroups ? "true" : "false")])
    }

    /// - Parameter removesFiles: whether machines that lose the share delete their copies.
    package func updateSubscribers(
        ofTeamShare root: Int64, in id: Int64, _ request: SubscribersRequest,
        removesFiles: Bool = false
    ) async throws(CloudStorageError) {
        try await change(
            "team-share", AdministrationRoute.organization(id, "share/\(root)/subscribers/update"),
            try request.fields + removal(removesFiles))
    }

    /// - Parameter removesFiles: whether the subscribers' machines delete their copies.
    package func deleteTeamShare(
        _ root: Int64, of id: Int64, removesFiles: Bool = false
    ) async throws(CloudStorageError) {
        try await change(
            "team-share", AdministrationRoute.organization(id, "share/\(root)/delete"),
            removal(removesFiles))
    }

    func removal(_ removesFiles: Bool) -> [(String, String)] {
        removesFiles ? [("remove_files", "true")] : []
    }
}
