package import CloudStorage
package import LeitzCloudAPI

/// What a new guest has, or what is to change of one; nothing set stays as it is.
package struct GuestRequest: Sendable {
    /// Of a new guest only.
    package var organization: Int64?
    package var firstName: String?
    package var lastName: String?
    package var email: String?
    package var password: NewPassword?
    package var passwordLife: PasswordLife?
    package var sendsWelcome: Bool?

    package init() {}

    var fields: [(String, String)] {
        var form = FormBuilder()
        form.add("company_id", organization)
        form.add("first_name", firstName)
        form.add("last_name", lastName)
        form.add("email", email)
        form.add(password)
        form.add("pw_expires", passwordLife?.rawValue)
        form.add("send_welcome_email", sendsWelcome)
        return form.fields
    }
}

// Source: API v2, "Gast-Methoden".
extension LeitzCloudClient {
    package func guest(_ id: Int64) async throws(CloudStorageError) -> WireGuest {
        try await fetch("guest", AdministrationRoute.guest(id))
    }

    package func guest(email: String) async throws(CloudStorageError) -> WireGuest {
        try await fetch("guest", AdministrationRoute.guest(email: email))
    }

    package func guests(of organization: Int64, from offset: Int64 = 0) -> PagedList<WireGuest> {
        list("guest", AdministrationRoute.organization(organization, "guests"), from: offset)
    }

    /// - Parameter request: needs everything but the life of the password.
    package func createGuest(
        _ request: GuestRequest
    ) async throws(CloudStorageError) -> WireGuest {
        try await changing("guest", AdministrationRoute.createGuest, request.fields)
    }

    package func updateGuest(
        _ id: Int64, _ request: GuestRequest
    ) async throws(CloudStorageError) -> WireGuest {
        try await changing("guest", AdministrationRoute.guest(id, "update"), request.fields)
    }

    package func deleteGuest(_ id: Int64) async throws(CloudStorageError) {
        try await change("guest", AdministrationRoute.guest(id, "delete"))
    }

    /// What is shared with a guest.
    package func shares(ofGuest id: Int64) async throws(CloudStorageError) -> [WireShare] {
        let found: WireResult<[WireShare]> = try await fetch(
            "guest", AdministrationRoute.guest(id, "shares"))
        return found.results
    }

    /// Makes a guest a person; throws `invalidRequest` with `user_limit_exceeded` in its message
    /// where the organization has as many as it may.
    package func convertGuest(_ id: Int64) async throws(CloudStorageError) -> WirePerson {
        try await changing("guest", AdministrationRoute.guest(id, "convert"))
    }
}
