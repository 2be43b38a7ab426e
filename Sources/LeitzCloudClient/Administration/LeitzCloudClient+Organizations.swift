package import CloudStorage
package import LeitzCloudAPI

/// What a new organization has, or what is to change of one; nothing set stays as it is.
package struct OrganizationRequest: Sendable {
    package var name: String?
    /// The contact address.
    package var email: String?
    /// The name in addresses: lower case letters, digits, hyphens; unique on the server.
    package var slug: String?
    /// The first part of the host name; servers of one host need none.
    package var hostname: String?
    package var description: String?
    /// The organization above; nil for the one the call goes to. Only for a new one.
    package var parent: Int64?
    /// Seconds since 1970.
    package var trialUntil: Int64?
    package var shareDisclaimer: String?
    package var privacyMode: Bool?
    /// Rules that differ from the server's defaults.
    package var policy = WirePolicy(fields: [:])

    package init() {}

    var fields: [(String, String)] {
        var form = FormBuilder()
        form.add("name", name)
        form.add("email", email)
        form.add("slug", slug)
        form.add("hostname", hostname)
        form.add("description", description)
        form.add("parent_id", parent)
        form.add("trial_until", trialUntil.map(WireDate.format))
        form.add("share_disclaimer", shareDisclaimer)
        form.add("privacy_mode", privacyMode)
        form.add(policy)
        return form.fields
    }
}

// Source: API v2, "Organisations-Methoden", "Kennzahl/ Metrics-Methoden".
extension LeitzCloudClient {
    package func organization(_ id: Int64) async throws(CloudStorageError) -> WireOrganization {
        try await fetch("organization", AdministrationRoute.organization(id))
    }

    package func organization(
        licenseKey: String
    ) async throws(CloudStorageError) -> WireOrganization {
        try await fetch("organization", AdministrationRoute.organization(licenseKey: licenseKey))
    }

    /// The organizations directly below one.
    package func organizations(below id: Int64, from offset: Int64 = 0) -> PagedList<
        WireOrganization
    > {
        list("organization", AdministrationRoute.organization(id, "organizations"), from: offset)
    }

    /// - Parameter request: needs name, e-mail address and slug.
    package func createOrganization(
        below id: Int64, _ request: OrganizationRequest
    ) async throws(CloudStorageError) -> WireOrganization {
        try await changing(
            "organization", AdministrationRoute.organization(id, "organizations/create"),
            request.fields)
    }

    package func updateOrganization(
        _ id: Int64, _ request: OrganizationRequest
    ) async throws(CloudStorageError) -> WireOrganization {
        try await changing(
            "organization", AdministrationRoute.organization(id, "update"), request.fields)
    }

    /// Sets the rules that the policy has; the others stay.
    package func updatePolicy(
        of id: Int64, _ policy: WirePolicy
    ) async throws(CloudStorageError) -> WireOrganization {
        var form = FormBuilder()
        form.add(policy)
        return try await changing(
            "organization", AdministrationRoute.organization(id, "policy/update"), form.fields)
    }

    /// Lets nobody of the organization sign in.
    package func disableOrganization(_ id: Int64) async throws(CloudStorageError) {
        try await change("organization", AdministrationRoute.organization(id, "disable"))
    }

    package func enableOrganization(_ id: Int64) async throws(CloudStorageError) {
        try await change("organization", AdministrationRoute.organization(id, "enable"))
    }

    /// Deletes an organization with everything in it.
    package func deleteOrganization(_ id: Int64) async throws(CloudStorageError) {
        try await change("organization", AdministrationRoute.organization(id, "delete"))
    }

    package func usage(ofOrganization id: Int64) async throws(CloudStorageError) -> WireUsage {
        try await fetch("usage", AdministrationRoute.organization(id, "metrics/usage"))
    }

    package func authSources(of id: Int64, from offset: Int64 = 0) -> PagedList<WireAuthSource> {
        list("auth-source", AdministrationRoute.organization(id, "auth_sources"), from: offset)
    }
}
