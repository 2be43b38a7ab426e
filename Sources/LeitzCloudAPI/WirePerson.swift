/// A person object ("Person-Objekt"), as far as a mount needs it.
package struct WirePerson: Codable, Hashable, Sendable {
    package var type = "person"
    package var id: Int64
    package var email: String
    package var username: String?
    package var companyID: Int64?
    package var firstName: String?
    package var lastName: String?
    package var displayName: String?
    /// The person's own sync root; nil where there is none.
    package var rootID: Int64?
    package var roots: [WireRoot]?
    package var spaceQuota: LenientInteger?
    package var spaceQuotaFormatted: String?
    package var spaceUsage: LenientInteger?
    package var spaceUsageFormatted: String?
    package var canShare: Bool?
    package var companyPolicy: WirePolicy?

    package init(id: Int64, email: String) {
        self.id = id
        self.email = email
    }

    enum CodingKeys: String, CodingKey {
        case type, id, email, username, roots
        case companyID = "company_id"
        case firstName = "first_name"
        case lastName = "last_name"
        case displayName = "display_name"
        case rootID = "root_id"
        case spaceQuota = "space_quota"
        case spaceQuotaFormatted = "space_quota_formatted"
        case spaceUsage = "space_usage"
        case spaceUsageFormatted = "space_usage_formatted"
        case canShare = "can_share"
        case companyPolicy = "company_policy"
    }
}

/// The policy fields that change what a client may do ("Richtlinien-Objekt").
package struct WirePolicy: Codable, Hashable, Sendable {
    package var type = "policy"
    package var companyID: Int64?
    /// Comma-separated, each with its dot.
    package var excludedExtensions: String?
    package var lockedExtensions: String?
    /// In MB.
    package var maxFileSize: LenientInteger?
    package var spaceQuota: LenientInteger?
    package var userLockFiles: Bool?
    package var userCreateShares: Bool?
    package var userOverwriteCollisions: Bool?
    package var webdavEnabled: Bool?
    package var trimRevisions: Bool?
    package var purgeDeleted: Bool?
    package var requireTwoStepAuth: Bool?

    package init() {}

    enum CodingKeys: String, CodingKey {
        case type
        case companyID = "company_id"
        case excludedExtensions = "excluded_extensions"
        case lockedExtensions = "locked_extensions"
        case maxFileSize = "max_file_size"
        case spaceQuota = "space_quota"
        case userLockFiles = "user_lock_files"
        case userCreateShares = "user_create_shares"
        case userOverwriteCollisions = "user_overwrite_collisions"
        case webdavEnabled = "webdav_enabled"
        case trimRevisions = "trim_revisions"
        case purgeDeleted = "purge_deleted"
        case requireTwoStepAuth = "require_two_step_auth"
    }
}

/// An integer that servers send as a number, as a string of digits, or as an empty string.
package struct LenientInteger: Codable, Hashable, Sendable {
    /// Nil for an empty string and for whatever else is no integer: no figure that is sent this
    /// way is worth failing a sign-in for.
    package var value: Int64?

    package init(_ value: Int64?) { self.value = value }

    package init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if let number = try? single.decode(Int64.self) {
            value = number
        } else if let number = try? single.decode(Double.self),
            number.isFinite, abs(number) < 9.2e18
        {
            value = Int64(number)
        } else if let text = try? single.decode(String.self) {
            value = Int64(text)
        } else {
            value = nil
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        if let value { try single.encode(value) } else { try single.encodeNil() }
    }
}
