import GRDB
import LeitzCloudAPI

/// A password in the form in which it is kept, made before the write that stores it.
struct NewPassword: Sendable {
    var record: String
    /// The password itself, where the server made it up and has to tell its owner.
    var generated: String?
    /// Seconds since 1970.
    var expires: Int64?

    /// What the fields `password`, `generate_password` and `pw_expires` ask for; nil for nothing.
    static func make(_ form: FormFields, _ hasher: PasswordHasher, now: Int64) async throws
        -> NewPassword?
    {
        let expires = try expiry(form, now: now)
        if let password = form["password"], !password.isEmpty {
            return NewPassword(record: try await hasher.record(for: password), expires: expires)
        }
        guard try form.flag("generate_password", default: false) else { return nil }
        let generated = TokenHash.random(bytes: 8)
        return NewPassword(
            record: try await hasher.record(for: generated), generated: generated,
            expires: expires)
    }
}

extension NewPassword {
    /// Seconds since 1970 when a password ends by the field `pw_expires`; nil for never.
    static func expiry(_ form: FormFields, now: Int64) throws(APIError) -> Int64? {
        switch form["pw_expires"] ?? "" {
        case "": nil
        case "6": now + 6 * 3_600
        case "12": now + 12 * 3_600
        case "24": now + 24 * 3_600
        default: throw .invalid("pw_expires")
        }
    }
}

/// The fields of the calls that make and change a person, checked.
struct PersonWishes: Sendable {
    static let quotaMarks = [50, 80, 85, 90, 95, 100]
    /// Bytes of a new person, where the call names no quota.
    static let defaultQuota: Int64 = 100 << 30

    var email: String?
    var username: String?
    var firstName: String?
    var lastName: String?
    var mobilePhone: String?
    /// Bytes.
    var spaceQuota: Int64?
    var isSiteAdministrator: Bool?
    var isSystemAdministrator: Bool?
    var makesShares: Bool?
    var isActive: Bool?
    var groups: [Int64]?
    /// Percentages of the quota of which somebody wants to hear, comma-separated.
    var marks: String?
    var createsRoot: Bool
    var sendsWelcome: Bool

    init(_ form: FormFields) throws(APIError) {
        email = try form["email"].map { text throws(APIError) in try Self.checkedEmail(text) }
        username = form["username"]
        firstName = form["first_name"]
        lastName = form["last_name"]
        mobilePhone = form["mobile_phone"]
        if let quota = try form.integer("space_quota") {
            guard quota >= 0 else { throw .invalid("space_quota") }
            spaceQuota = quota
        }
        isSiteAdministrator = try form.optionalFlag("site_admin")
        isSystemAdministrator = try form.optionalFlag("system_admin")
        makesShares = try form.optionalFlag("dept_shares")
        isActive = try form.optionalFlag("active")
        groups = try form.list("group_ids")
        _ = try form.flag("webdav", default: false)
        createsRoot = try form.flag("create_root", default: false)
        sendsWelcome = try form.flag("send_welcome_email", default: false)
        var chosen: [String] = []
        var areMarksGiven = false
        for mark in Self.quotaMarks {
            guard let isOn = try form.optionalFlag("quota_\(mark)") else { continue }
            areMarksGiven = true
            if isOn { chosen.append(String(mark)) }
        }
        marks = areMarksGiven ? chosen.joined(separator: ",") : nil
    }

    /// An address with something before and behind its `@`, and no spaces.
    static func checkedEmail(_ text: String) throws(APIError) -> String {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isGood =
            parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254
            && !text.contains { $0.isWhitespace || $0 == "," || $0 == "#" || $0 == "/" }
        if !isGood { throw .invalid("email") }
        return text
    }

    /// Whether only an administrator may ask for this.
    var needsAdministrator: Bool {
        email != nil || username != nil || spaceQuota != nil || isSiteAdministrator != nil
            || isSystemAdministrator != nil || makesShares != nil || isActive != nil
            || groups != nil
    }
}
