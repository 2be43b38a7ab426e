import GRDB
import LeitzCloudAPI
import NIOCore

/// Fields of an organization that the server keeps for its clients and does not act on.
struct OrganizationSetting: Sendable {
    enum Kind: Sendable {
        case flag
        case number
        case text
        /// A date and time, or empty for none.
        case time
        /// A JSON list of integers.
        case numbers
    }

    let name: String
    let kind: Kind
    /// What a new organization has.
    let documented: JSONValue

    static let all: [OrganizationSetting] = [
        OrganizationSetting(name: "bandwidth_throttle", kind: .number, documented: .null),
        OrganizationSetting(name: "default_encryption", kind: .number, documented: .integer(1)),
        OrganizationSetting(name: "email_server_id", kind: .number, documented: .null),
        OrganizationSetting(name: "email_templates", kind: .flag, documented: .flag(false)),
        OrganizationSetting(name: "plan_id", kind: .number, documented: .null),
        OrganizationSetting(name: "privacy_mode", kind: .flag, documented: .flag(false)),
        OrganizationSetting(name: "share_disclaimer", kind: .text, documented: .null),
        OrganizationSetting(name: "subscription_uuid", kind: .text, documented: .null),
        OrganizationSetting(name: "throttle_exception_days", kind: .text, documented: .null),
        OrganizationSetting(name: "throttle_exception_dow", kind: .numbers, documented: .null),
        OrganizationSetting(name: "throttle_exception_end", kind: .text, documented: .null),
        OrganizationSetting(name: "throttle_exception_start", kind: .text, documented: .null),
        OrganizationSetting(
            name: "throttle_exception_throttle", kind: .number, documented: .null),
        OrganizationSetting(name: "throttled", kind: .flag, documented: .flag(false)),
        OrganizationSetting(name: "trial_until", kind: .time, documented: .null),
    ]

    /// The value that a form field sets; throws `invalid_request` with the parameter's name.
    private func value(_ form: FormFields) throws(APIError) -> JSONValue? {
        guard let text = form[name] else { return nil }
        if text.isEmpty { return kind == .flag ? .flag(false) : .null }
        switch kind {
        case .text: return .text(text)
        case .flag: return .flag(try form.flag(name, default: false))
        case .number:
            guard let number = Int64(text) else { throw .invalid(name) }
            return .integer(number)
        case .time:
            guard let seconds = WireDate.parse(text) else { throw .invalidDatetime }
            return .text(WireDate.format(seconds))
        case .numbers:
            guard let numbers: [Int64] = try form.list(name) else { return .null }
            return numbers.json
        }
    }

    /// Keeps what the fields of a call set; gives whether there was anything.
    static func update(_ db: Database, organization: Int64, _ form: FormFields) throws -> Bool {
        var isChanged = false
        for setting in all {
            guard let value = try setting.value(form) else { continue }
            try db.execute(
                sql: """
                    INSERT INTO organization_settings (organization_id, name, value)
                    VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value
                    """,
                arguments: [organization, setting.name, String(buffer: try JSONText.encode(value))])
            isChanged = true
        }
        return isChanged
    }

    /// Puts all settings of an organization into its object.
    static func fill(_ wire: inout WireOrganization, _ db: Database) throws {
        for setting in all { wire.fields[setting.name] = setting.documented }
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: "SELECT name, value FROM organization_settings WHERE organization_id = ?"),
            arguments: [wire.id])
        while let row = try rows.next() {
            wire.fields[row[0]] = try JSONText.decode(JSONValue.self, row[1])
        }
    }
}
