/// The parts of a server that can be turned on and off for everybody (ownCloud, Nextcloud).
package protocol AppAdministration: Sendable {
    /// - Parameter isEnabled: only those that are on, or off; nil for all.
    func apps(isEnabled: Bool?) async throws(ServiceFailure) -> [AdministrationRecord]
    func app(_ id: String) async throws(ServiceFailure) -> AdministrationRecord
    func setEnabled(_ isEnabled: Bool, app id: String) async throws(ServiceFailure)
}

extension Administration {
    /// Nil where the cloud has none.
    package var apps: (any AppAdministration)? { self as? any AppAdministration }
}
