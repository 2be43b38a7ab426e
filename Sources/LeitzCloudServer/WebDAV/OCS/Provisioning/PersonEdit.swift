/// One change of a person's account.
enum PersonEdit: Sendable {
    case email(String)
    case displayName(String)
    /// An empty one leaves the password, and sends a message that asks for a new one.
    case password(String)
    /// Bytes.
    case quota(Int64)
    case language(String)
    case groups([String])
    case administeredGroups([String])

    /// Whether people may do it to their own account.
    var isPersonal: Bool {
        switch self {
        case .email, .displayName, .password, .language: true
        case .quota, .groups, .administeredGroups: false
        }
    }

    /// What a PUT asks for: one `key` with its `value` (both documents' servers), or the record
    /// that Leviia's page shows.
    static func edits(
        _ arguments: ProvisioningArguments, version: Int
    ) throws(OCSRefusal) -> [PersonEdit] {
        if let key = arguments["key"] {
            return [try edit(key, arguments["value"] ?? "", version: version)]
        }
        guard version == 2 else { throw OCSRefusal(102) }
        var edits: [PersonEdit] = []
        for key in ["displayName", "email", "quota", "language", "password"] {
            guard let value = arguments[key] else { continue }
            // Leviia: an address that is left empty stays.
            if key == "email" || key == "language" || key == "displayName", value.isEmpty {
                continue
            }
            edits.append(try edit(key.lowercased(), value, version: version))
        }
        if let groups = arguments.list("groups") { edits.append(.groups(groups)) }
        if let groups = arguments.list("subadmin") { edits.append(.administeredGroups(groups)) }
        guard !edits.isEmpty else { throw OCSRefusal(400) }
        return edits
    }

    private static func edit(
        _ key: String, _ value: String, version: Int
    ) throws(OCSRefusal) -> PersonEdit {
        switch key {
        case "email": return .email(try checkedEmail(value, version: version))
        case "display", "displayname": return .displayName(value)
        case "password":
            if version == 2, !value.isEmpty { try NewPerson.check(password: value) }
            if version == 1, value.isEmpty { throw OCSRefusal(102) }
            return .password(value)
        case "quota": return .quota(try ProvisioningQuota.bytes(value, version: version))
        case "language" where version == 2: return .language(try checkedLanguage(value))
        default: throw OCSRefusal(version == 2 ? 113 : 102)
        }
    }

    /// An address with something before and behind its `@`, and no spaces; empty for none.
    static func checkedEmail(_ text: String, version: Int) throws(OCSRefusal) -> String {
        if text.isEmpty { return "" }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isGood =
            parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254
            && !text.contains { $0.isWhitespace || $0 == "," || $0 == "#" || $0 == "/" }
        guard isGood else { throw OCSRefusal(version == 2 ? 101 : 102, "Invalid email") }
        return text
    }

    static func checkedLanguage(_ text: String) throws(OCSRefusal) -> String {
        let isGood =
            (2...16).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0 == "_" || $0 == "-") }
        guard isGood else { throw OCSRefusal(101, "Invalid language") }
        return text
    }
}
