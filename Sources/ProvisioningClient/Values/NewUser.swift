import FoundationEssentials

/// A user's account that is to be made.
package struct NewUser: Sendable, Hashable {
    package var id: String
    /// Nil or empty: the server invites the user by e-mail to choose one (Nextcloud, Leviia).
    package var password: String?
    package var email: String?
    package var displayName: String?
    package var groups: [String] = []
    /// The groups that the user is to administer.
    package var administeredGroups: [String] = []
    package var quota: ProvisionedQuota.Limit?
    /// ISO 639-1 in lower case, e.g. `fr`.
    package var language: String?

    package init(id: String) { self.id = id }

    /// The body that Leviia's page shows. Empty fields stand where it has them.
    func json() throws(ProvisioningError) -> [UInt8] {
        let record = Record(
            userid: id, password: password ?? "", displayName: displayName ?? "",
            email: email ?? "", groups: groups, subadmin: administeredGroups, quota: quota?.text,
            language: language)
        do {
            return Array(try JSONEncoder().encode(record))
        } catch {
            throw ProvisioningError(.invalidInput, "a name can't be written as JSON")
        }
    }

    private struct Record: Encodable {
        var userid: String
        var password: String
        var displayName: String
        var email: String
        var groups: [String]
        var subadmin: [String]
        var quota: String?
        var language: String?
    }
}

/// One attribute of a user that is to be another.
package enum UserEdit: Sendable, Hashable {
    case email(String)
    case displayName(String)
    case password(String)
    case quota(ProvisionedQuota.Limit)
    /// Not on ownCloud, which refuses the key.
    case language(String)

    func keyAndValue(_ dialect: ProvisioningDialect) -> (key: String, value: String) {
        switch self {
        case .email(let text): ("email", text)
        case .displayName(let text): (dialect.displayNameKey, text)
        case .password(let text): ("password", text)
        case .quota(let limit): ("quota", limit.text)
        case .language(let text): ("language", text)
        }
    }
}

/// What of a user is to be changed; nil leaves it as it is.
package struct UserChanges: Sendable, Hashable {
    package var email: String?
    package var displayName: String?
    package var password: String?
    package var quota: ProvisionedQuota.Limit?
    package var language: String?
    package var isEnabled: Bool?
    /// All groups the user is to be in.
    package var groups: [String]?
    /// All groups the user is to administer.
    package var administeredGroups: [String]?

    package init() {}

    /// Those but the password.
    var edits: [UserEdit] {
        var edits: [UserEdit] = []
        if let email { edits.append(.email(email)) }
        if let displayName { edits.append(.displayName(displayName)) }
        if let quota { edits.append(.quota(quota)) }
        if let language { edits.append(.language(language)) }
        return edits
    }
}
