/// A user's account as the server describes it; what it does not say is nil.
package struct ProvisionedUser: Sendable, Hashable {
    package var id: String
    package var isEnabled: Bool?
    /// Nil where there is none.
    package var email: String?
    package var displayName: String?
    package var quota: ProvisionedQuota?
    package var groups: [String]?
    /// The groups that the user administers.
    package var administeredGroups: [String]?
    package var language: String?
    /// Seconds since 1970; nil where the user never signed in.
    package var lastLogin: Int64?

    /// Reads the `data` of `cloud/users/{userid}`; ownCloud's names no id.
    init(id: String, _ node: OCSNode) {
        self.id = node["id"]?.filledText ?? id
        isEnabled = node["enabled"]?.flag
        email = node["email"]?.filledText
        displayName = node["displayname"]?.filledText ?? node["display-name"]?.filledText
        quota = node["quota"].flatMap { ProvisionedQuota($0) }
        groups = node["groups"]?.texts
        administeredGroups = node["subadmin"]?.texts
        language = node["language"]?.filledText
        let seconds =
            node["last_login"]?.number ?? node["lastLoginTimestamp"]?.number
            ?? node["lastLogin"]?.number.map { $0 / 1000 }
        lastLogin = seconds.flatMap { $0 > 0 ? $0 : nil }
    }
}

/// How much a user may store.
package struct ProvisionedQuota: Sendable, Hashable {
    package enum Limit: Sendable, Hashable {
        case bytes(Int64)
        case unlimited
        /// What the server gives everybody who has none of their own.
        case standard
    }

    package var limit: Limit
    package var used: Int64?
    package var free: Int64?

    /// Reads a quota in any of the forms that servers write: a number, a text such as `5 GB`,
    /// `none` or `default`, or an object with those in `quota` or `definition`. A number that stands
    /// alone is that of ownCloud's document, where 0 is no quota of the user's own.
    init?(_ node: OCSNode) {
        used = node["used"]?.number
        free = node["free"]?.number.flatMap { $0 < 0 ? nil : $0 }
        let value: OCSNode? =
            if case .object = node { node["definition"] ?? node["quota"] } else { node }
        guard let text = value?.filledText, let limit = Self.limit(text) else { return nil }
        if case .text("0") = node { self.limit = .standard } else { self.limit = limit }
    }

    /// Reads what `text` writes, and negative numbers (-3: unlimited; others: not
    /// known, for which the server's standard stands).
    static func limit(_ text: String) -> Limit? {
        switch text.lowercased() {
        case "none", "-3": return .unlimited
        case "default", "-1", "-2": return .standard
        default: return bytes(text).map { .bytes($0) }
        }
    }

    /// `5 GB` and the like in steps of 1024, as both servers count.
    private static func bytes(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }
        guard let value = Double(digits), value >= 0 else { return nil }
        let unit = text.dropFirst(digits.count).filter { $0 != " " }.lowercased()
        let steps = ["b": 0, "": 0, "k": 1, "kb": 1, "mb": 2, "m": 2, "gb": 3, "g": 3, "tb": 4]
        let more = ["t": 4, "pb": 5, "p": 5]
        guard let step = steps[unit] ?? more[unit] else { return nil }
        if step == 0, let whole = Int64(digits) { return whole }
        var product = value
        for _ in 0..<step { product *= 1024 }
        return product < 9e18 ? Int64(product) : nil
    }
}

extension ProvisionedQuota.Limit {
    /// As the server's `quota` key takes it.
    package var text: String {
        switch self {
        case .bytes(let bytes): String(bytes)
        case .unlimited: "none"
        case .standard: "default"
        }
    }
}
