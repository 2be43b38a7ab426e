/// What a guest has or is to have; nothing set stays as it is.
package struct GuestDraft: Sendable {
    package var email: String?
    package var firstName: String?
    package var lastName: String?
    package var password: AccountPassword?
    package var sendsWelcome: Bool?

    package init() {}
}

package protocol GuestAdministration: Sendable {
    func guests(from offset: Int64) async throws(ServiceFailure) -> RecordPage
    func guest(_ name: String) async throws(ServiceFailure) -> AdministrationRecord
    func createGuest(_ draft: GuestDraft) async throws(ServiceFailure) -> AdministrationRecord
    func updateGuest(
        _ name: String, _ draft: GuestDraft
    ) async throws(ServiceFailure) -> AdministrationRecord
    func deleteGuest(_ name: String) async throws(ServiceFailure)
    func shares(ofGuest name: String) async throws(ServiceFailure) -> [AdministrationRecord]
    /// Makes a guest a user.
    func convertGuest(_ name: String) async throws(ServiceFailure) -> AdministrationRecord
}

package protocol MachineAdministration: Sendable {
    func machines(from offset: Int64) async throws(ServiceFailure) -> RecordPage
    func machine(_ id: Int64) async throws(ServiceFailure) -> AdministrationRecord
    /// The folders the machine keeps in step.
    func status(ofMachine id: Int64) async throws(ServiceFailure) -> [AdministrationRecord]
    func setServer(_ isServer: Bool, onMachine id: Int64) async throws(ServiceFailure)
    /// - Parameter path: nil for the drives.
    func folders(onMachine id: Int64, below path: String?) async throws(ServiceFailure) -> [String]
    func mappings(ofMachine id: Int64) async throws(ServiceFailure) -> [AdministrationRecord]
    func mapping(
        _ mapping: Int64, ofMachine id: Int64
    ) async throws(ServiceFailure) -> AdministrationRecord
    func createMapping(
        ofMachine id: Int64, root: Int64, path: String
    ) async throws(ServiceFailure) -> AdministrationRecord
    func deleteMapping(_ mapping: Int64, ofMachine id: Int64) async throws(ServiceFailure)
    func backups(ofMachine id: Int64) async throws(ServiceFailure) -> [AdministrationRecord]
    func backup(
        _ backup: Int64, ofMachine id: Int64
    ) async throws(ServiceFailure) -> AdministrationRecord
    func createBackup(
        ofMachine id: Int64, path: String
    ) async throws(ServiceFailure) -> AdministrationRecord
    func restoreBackup(
        _ backup: Int64, ofMachine id: Int64, to path: String, onMachine target: Int64?
    ) async throws(ServiceFailure) -> AdministrationRecord
    func deleteBackup(_ backup: Int64, ofMachine id: Int64) async throws(ServiceFailure)
}

package protocol ActivityAdministration: Sendable {
    /// The newest first.
    /// - Parameter user: nil for the whole organization.
    func activity(of user: String?, from offset: Int64) async throws(ServiceFailure) -> RecordPage
    func activity(_ id: Int64) async throws(ServiceFailure) -> AdministrationRecord
    func activityTypes() async throws(ServiceFailure) -> [AdministrationRecord]
    /// Records something about a user or the organization.
    func recordActivity(
        _ text: String, user: String?
    ) async throws(ServiceFailure) -> AdministrationRecord
}

package protocol UsageAdministration: Sendable {
    /// What the organization uses, a row each kind of root and one for all.
    func usage() async throws(ServiceFailure) -> (
        spaces: [AdministrationRecord], whole: AdministrationRecord
    )
}

/// How a file or folder is shared by a link; nothing set means the cloud's defaults.
package struct LinkDraft: Sendable {
    package var loginRequired = false
    /// `YYYY-MM-DD`.
    package var expires: String?
    /// E-mail addresses.
    package var subscribers: [String] = []
    package var notifies = false
    package var downloadLimit: Int?

    package init() {}
}

package protocol LinkAdministration: Sendable {
    /// Shares a file or folder of the account by a link.
    /// - Parameter path: from the name of the root on, as in a mount.
    func shareLink(
        of path: String, _ draft: LinkDraft
    ) async throws(ServiceFailure) -> AdministrationRecord
}
