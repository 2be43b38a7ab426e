/// The arguments of the call that makes a user, checked.
struct NewPerson: Sendable {
    /// Version 2 asks for so many characters, as Nextcloud does unless told otherwise.
    static let shortestPassword = 10
    private static let longestName = 64

    var id: String
    /// Nil: the person is invited by e-mail.
    var password: String?
    var email: String?
    var displayName: String
    var groups: [String]
    var administeredGroups: [String]
    var quota: Int64
    var language: String?

    /// - Parameter version: of OCS; the first has neither rules for passwords nor invitations.
    init(_ arguments: ProvisioningArguments, version: Int) throws(OCSRefusal) {
        id = arguments["userid"] ?? ""
        guard Self.isValid(id: id) else {
            throw OCSRefusal(
                101,
                version == 2
                    ? "A valid Login must be provided" : "A valid username must be provided")
        }
        email = try arguments["email"].flatMap { text throws(OCSRefusal) in
            text.isEmpty ? nil : try PersonEdit.checkedEmail(text, version: version)
        }
        let given = arguments["password"] ?? ""
        if version == 2 {
            guard !given.isEmpty || email != nil else {
                throw OCSRefusal(
                    108, "An email address is required, to send a password link to the user.")
            }
            if !given.isEmpty { try Self.check(password: given) }
        } else if given.isEmpty {
            throw OCSRefusal(101, "A valid password must be provided")
        }
        password = given.isEmpty ? nil : given
        displayName = arguments["displayName"].flatMap { $0.isEmpty ? nil : $0 } ?? id
        groups = arguments.list("groups") ?? []
        administeredGroups = arguments.list("subadmin") ?? []
        quota =
            try arguments["quota"].map { text throws(OCSRefusal) in
                try ProvisioningQuota.bytes(text, version: version)
            } ?? ProvisioningQuota.unlimited
        language = try arguments["language"].flatMap { text throws(OCSRefusal) in
            text.isEmpty ? nil : try PersonEdit.checkedLanguage(text)
        }
    }

    static func check(password: String) throws(OCSRefusal) {
        guard password.count >= shortestPassword else {
            throw OCSRefusal(
                107, "Password needs to be at least \(shortestPassword) characters long.")
        }
    }

    /// Nextcloud's rule.
    private static func isValid(id: String) -> Bool {
        let others = Set("_.@-' ")
        return !id.isEmpty && id.count <= longestName && id != "." && id != ".."
            && id.first != " " && id.last != " "
            && id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) || others.contains($0) }
    }
}

/// Quotas as the calls write them.
enum ProvisioningQuota {
    /// Bytes that nobody reaches: kept for a person without a limit.
    static let unlimited: Int64 = 1 << 60
    private static let steps: [(unit: String, step: Int)] = [
        ("kb", 1), ("mb", 2), ("gb", 3), ("tb", 4), ("pb", 5), ("k", 1), ("m", 2), ("g", 3),
        ("t", 4), ("p", 5), ("b", 0),
    ]

    /// `none` and `default` are no limit; a number counts bytes, with a unit in steps of 1024.
    static func bytes(_ text: String, version: Int) throws(OCSRefusal) -> Int64 {
        let lower = text.lowercased().filter { $0 != " " }
        if ["none", "default", ""].contains(lower) { return unlimited }
        let unit = steps.first { lower.hasSuffix($0.unit) }
        let digits = unit.map { lower.dropLast($0.unit.count) } ?? lower[...]
        guard let value = Double(digits), value >= 0, value.isFinite, digits.first != "-" else {
            throw version == 2
                ? OCSRefusal(101, "Invalid quota value: \(text)")
                : OCSRefusal(102, "Invalid quota value \(text)")
        }
        var product = value
        for _ in 0..<(unit?.step ?? 0) { product *= 1024 }
        return product >= Double(unlimited) ? unlimited : Int64(product)
    }
}
