package import CloudStorage
package import LeitzCloudAPI

/// What a new person has, or what is to change of one; nothing set stays as it is.
package struct PersonRequest: Sendable {
    /// Of a new person only.
    package var organization: Int64?
    package var email: String?
    package var username: String?
    package var firstName: String?
    package var lastName: String?
    package var password: NewPassword?
    package var passwordLife: PasswordLife?
    package var webDAV: Bool?
    /// Bytes.
    package var spaceQuota: Int64?
    package var mobilePhone: String?
    package var isSiteAdministrator: Bool?
    package var isSystemAdministrator: Bool?
    /// Whether the person gets a sync root.
    package var createsRoot: Bool?
    /// Whether the person may make team shares.
    package var makesTeamShares: Bool?
    /// The groups the person is in; the list replaces the present one.
    package var groups: [Int64]?
    /// Percentages of the quota at which somebody is told: of 50, 80, 85, 90, 95 and 100.
    package var quotaMarks: [Int: Bool] = [:]
    package var sendsWelcome: Bool?
    /// Whether the person may sign in. The document does not have the field.
    package var isActive: Bool?

    package init() {}

    var fields: [(String, String)] {
        get throws(CloudStorageError) {
            var form = FormBuilder()
            form.add("company_id", organization)
            form.add("email", email)
            form.add("username", username)
            form.add("first_name", firstName)
            form.add("last_name", lastName)
            form.add(password)
            form.add("pw_expires", passwordLife?.rawValue)
            form.add("webdav", webDAV)
            form.add("space_quota", spaceQuota)
            form.add("mobile_phone", mobilePhone)
            form.add("site_admin", isSiteAdministrator)
            form.add("system_admin", isSystemAdministrator)
            form.add("create_root", createsRoot)
            form.add("dept_shares", makesTeamShares)
            try form.add("group_ids", groups)
            for (mark, isOn) in quotaMarks.sorted(by: { $0.key < $1.key }) {
                form.add("quota_\(mark)", isOn)
            }
            form.add("send_welcome_email", sendsWelcome)
            form.add("active", isActive)
            return form.fields
        }
    }
}

/// What becomes of a person's files when the account is deleted.
package struct PersonRemoval: Sendable {
    package var removesServerFiles = false
    /// The person's own root.
    package var removesOwnFiles = false
    /// The person's files in team shares.
    package var removesSharedFiles = false

    package init() {}

    var fields: [(String, String)] {
        var form = FormBuilder()
        form.add("remove_server_files", removesServerFiles)
        form.add("remove_user_files", removesOwnFiles)
        form.add("remove_dept_files", removesSharedFiles)
        return form.fields
    }
}

// Source: API v2, "Person-Methoden", "User-Methoden".
extension LeitzCloudClient {
    /// The person who is signed in.
    package func person() async throws(CloudStorageError) -> WirePerson {
        try await fetch("person", APIRoute.person)
    }

    package func person(_ id: Int64) async throws(CloudStorageError) -> WirePerson {
        try await fetch("person", AdministrationRoute.person(id))
    }

    package func person(email: String) async throws(CloudStorageError) -> WirePerson {
        try await fetch("person", AdministrationRoute.person(email: email))
    }

    package func persons(of organization: Int64, from offset: Int64 = 0) -> PagedList<WirePerson> {
        list(
            "person", AdministrationRoute.organization(organization, "persons"), from: offset)
    }

    /// - Parameter request: needs organization, e-mail address and password.
    package func createPerson(
        _ request: PersonRequest
    ) async throws(CloudStorageError) -> WirePerson {
        try await changing("person", AdministrationRoute.createPerson, try request.fields)
    }

    package func updatePerson(
        _ id: Int64, _ request: PersonRequest
    ) async throws(CloudStorageError) -> WirePerson {
        try await changing("person", AdministrationRoute.person(id, "update"), try request.fields)
    }

    package func deletePerson(
        _ id: Int64, _ removal: PersonRemoval = PersonRemoval()
    ) async throws(CloudStorageError) {
        try await change("person", AdministrationRoute.person(id, "delete"), removal.fields)
    }

    /// The person's sync root, made where there is none.
    package func createRoot(
        ofPerson id: Int64, webDAV: Bool = false
    ) async throws(CloudStorageError) -> WireRoot {
        try await changing(
            "person", AdministrationRoute.person(id, "roots/create"),
            webDAV ? [("webdav", "true")] : [])
    }
}
