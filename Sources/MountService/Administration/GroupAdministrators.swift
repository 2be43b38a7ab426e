/// Users who administer single groups (ownCloud, Nextcloud).
package protocol GroupAdministratorsAdministration: Sendable {
    /// The users who administer a group.
    func administrators(of group: String) async throws(ServiceFailure) -> [AdministrationRecord]
    /// The groups that a user administers.
    func administeredGroups(
        of user: String
    ) async throws(ServiceFailure) -> [AdministrationRecord]
    /// Lets a user administer a group, or not any more.
    func setAdministrator(
        _ user: String, of group: String, _ isAdministrator: Bool
    ) async throws(ServiceFailure)
}

extension Administration {
    /// Nil where the cloud has none.
    package var groupAdministrators: (any GroupAdministratorsAdministration)? {
        self as? any GroupAdministratorsAdministration
    }
}
