import LeitzCloudAPI

/// One rule of an organization's policy ("Richtlinien-Objekt"): its name, the kind of its value,
/// and the document's default for a new organization.
struct PolicyField: Sendable {
    enum Kind: Sendable {
        case flag
        /// A whole number that is not negative, or empty for none, which objects have as null.
        case number
        /// A whole number, 0 or empty for none, which objects have as 0.
        case limit
        /// A number of days, or empty for never, which objects have as an empty text.
        case days
        /// Bytes, or empty for no limit; objects have them as text.
        case bytes
        case text
    }

    let name: String
    let kind: Kind
    /// As the form field that would set it.
    let documented: String

    /// The value as it is kept; throws `invalid_request` with the parameter's name.
    func checked(_ text: String) throws(APIError) -> String {
        switch kind {
        case .flag where text == "true" || text == "false": return text
        case .number where text.isEmpty, .limit where text.isEmpty, .days where text.isEmpty,
            .bytes where text.isEmpty:
            return text
        case .number, .limit, .days, .bytes:
            guard let number = Int64(text), number >= 0 else { throw .invalid(name) }
            return String(number)
        case .text: return text
        case .flag: throw .invalid(name)
        }
    }

    /// A kept value as the document's object has it.
    func json(_ text: String) -> JSONValue {
        switch kind {
        case .flag: .flag(text == "true")
        case .number: Int64(text).map { .integer($0) } ?? .null
        case .limit: .integer(Int64(text) ?? 0)
        case .days: Int64(text).map { .integer($0) } ?? .text("")
        case .text, .bytes: .text(text)
        }
    }

    static let all: [PolicyField] = [
        flag("ad_enabled", true), flag("admin_browse_files", true),
        flag("admin_browse_remote", true), flag("admin_create_users", true),
        flag("backups_enabled", true), flag("branding_enabled", true),
        number("change_password_frequency", ""),
        PolicyField(name: "deactivate_token_frequency", kind: .days, documented: "30"),
        PolicyField(
            name: "excluded_extensions", kind: .text,
            documented: DocumentedExtensions.excluded.joined(separator: ",")),
        flag("file_server_enabled", true),
        PolicyField(
            name: "locked_extensions", kind: .text,
            documented: DocumentedExtensions.locked.joined(separator: ",")),
        number("max_file_size", "300"), number("monthly_cost_cents", "0"),
        PolicyField(name: "monthly_cost_currency", kind: .text, documented: ""),
        number("num_orgs_maximum", "10"),
        PolicyField(name: "num_users_maximum", kind: .limit, documented: ""),
        number("num_users_minimum", "0"), flag("psa_enabled", true), flag("purge_deleted", false),
        PolicyField(name: "purge_deleted_frequency", kind: .days, documented: ""),
        flag("require_mobile_lock", false),
        flag("require_two_step_auth", false), flag("secure_shares", false),
        flag("service_plans_enabled", false),
        PolicyField(name: "space_quota", kind: .bytes, documented: "1073741824240000"),
        number("trial_length_days", "30"), flag("trim_revisions", false),
        PolicyField(name: "trim_revisions_x", kind: .days, documented: ""),
        flag("user_create_backups", true),
        flag("user_create_shares", true), flag("user_lock_files", false),
        flag("user_overwrite_collisions", false), flag("user_purge_deleted", false),
        flag("user_trim_revisions", false), flag("web_preview_enabled", true),
        flag("webdav_enabled", true),
    ]

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    private static func flag(_ name: String, _ value: Bool) -> PolicyField {
        PolicyField(name: name, kind: .flag, documented: value ? "true" : "false")
    }

    private static func number(_ name: String, _ value: String) -> PolicyField {
        PolicyField(name: name, kind: .number, documented: value)
    }
}
