import HTTPTypes

extension ProvisioningCalls {
    /// What a path below `cloud/` names.
    enum Route: Sendable {
        case users
        case user(String)
        case isEnabled(user: String, Bool)
        case groupsOf(user: String)
        case subadministratorOf(user: String)
        case groups
        case group(String)
        case subadministrators(group: String)
        case apps
        case app(String)

        /// - Parameter parts: still percent-encoded. Nil for other paths.
        init?(_ parts: [String]) {
            let name: String
            do throws(APIError) {
                name =
                    try parts.count > 1
                    ? PercentEncoding.decode(parts[1], plusIsSpace: false) : ""
            } catch {
                return nil
            }
            // Examples of ownCloud's document have `subadmin`, its syntax lines `subadmins`.
            switch (parts.first, parts.count, parts.last) {
            case ("users", 1, _): self = .users
            case ("users", 2, _): self = .user(name)
            case ("users", 3, "enable"): self = .isEnabled(user: name, true)
            case ("users", 3, "disable"): self = .isEnabled(user: name, false)
            case ("users", 3, "groups"): self = .groupsOf(user: name)
            case ("users", 3, "subadmins"), ("users", 3, "subadmin"):
                self = .subadministratorOf(user: name)
            case ("groups", 1, _): self = .groups
            case ("groups", 2, _), ("groups", 3, "users"): self = .group(name)
            case ("groups", 3, "subadmins"): self = .subadministrators(group: name)
            case ("apps", 1, _): self = .apps
            case ("apps", 2, _): self = .app(name)
            default: return nil
            }
        }

        /// The word under which requests are counted, after `ocs-`.
        var kind: String {
            switch self {
            case .users: "users"
            case .user, .isEnabled: "user"
            case .groupsOf: "user-groups"
            case .subadministratorOf: "user-subadmins"
            case .groups: "groups"
            case .group: "group"
            case .subadministrators: "group-subadmins"
            case .apps: "apps"
            case .app: "app"
            }
        }
    }
}
