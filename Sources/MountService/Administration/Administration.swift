/// What an administrator can do on a cloud, in one vocabulary for all of them; a part that a cloud
/// does not have is nil.
///
/// Objects are named as on the command line: by number, or by the name or address that people use.
package protocol Administration: Sendable {
    /// The kind of cloud, in words: "this LeitzCloud".
    var cloud: String { get }
    var users: (any UserAdministration)? { get }
    var groups: (any GroupAdministration)? { get }
    var organizations: (any OrganizationAdministration)? { get }
    var teamShares: (any TeamShareAdministration)? { get }
    var guests: (any GuestAdministration)? { get }
    var machines: (any MachineAdministration)? { get }
    var activity: (any ActivityAdministration)? { get }
    var usage: (any UsageAdministration)? { get }
    var links: (any LinkAdministration)? { get }
}

extension Administration {
    package var users: (any UserAdministration)? { nil }
    package var groups: (any GroupAdministration)? { nil }
    package var organizations: (any OrganizationAdministration)? { nil }
    package var teamShares: (any TeamShareAdministration)? { nil }
    package var guests: (any GuestAdministration)? { nil }
    package var machines: (any MachineAdministration)? { nil }
    package var activity: (any ActivityAdministration)? { nil }
    package var usage: (any UsageAdministration)? { nil }
    package var links: (any LinkAdministration)? { nil }

    /// A part of the cloud, or the sentence that it has none.
    /// - Parameter objects: in the plural, as in "this LeitzCloud has no machines".
    package func part<Part>(
        _ part: Part?, _ objects: String
    ) throws(ServiceFailure) -> Part {
        guard let part else { throw ServiceFailure("this \(cloud) has no \(objects)") }
        return part
    }
}

/// One page of a list.
package struct RecordPage: Sendable {
    package var records: [AdministrationRecord]
    /// Of the whole list, where the cloud says it.
    package var total: Int64?
    /// Where the next page begins; nil for the last one.
    package var next: Int64?

    package init(records: [AdministrationRecord], total: Int64?, next: Int64?) {
        self.records = records
        self.total = total
        self.next = next
    }
}

/// One object: what people see of it, and all of it for programs.
package struct AdministrationRecord: Sendable {
    package struct Cell: Sendable, Hashable {
        package var title: String
        package var text: String
    }

    /// In the order of a table's columns.
    package var cells: [Cell]
    /// More of the object, for a look at it alone.
    package var details: [Cell] = []
    /// All of it, as JSON.
    package var object: any Encodable & Sendable

    package init(_ cells: [(String, String)], object: any Encodable & Sendable) {
        self.cells = cells.map { Cell(title: $0.0, text: $0.1) }
        self.object = object
    }
}

/// What a user has or is to have; nothing set stays as it is.
package struct UserDraft: Sendable {
    package var email: String?
    package var username: String?
    package var firstName: String?
    package var lastName: String?
    package var password: AccountPassword?
    /// Bytes.
    package var quota: Int64?
    package var mobilePhone: String?
    /// Names or numbers.
    package var groups: [String]?
    package var isAdministrator: Bool?
    package var isActive: Bool?
    /// Whether the user gets a folder of their own at once.
    package var makesRoot: Bool?
    package var sendsWelcome: Bool?

    package init() {}
}

/// The password of an account that is made or changed.
package enum AccountPassword: Sendable {
    case given(String)
    /// The cloud makes one up and tells the account's owner.
    case fromCloud
}

/// An account that is there.
package struct ExistingUser: Sendable, Hashable {
    /// By which the other calls know it.
    package var name: String
    /// Nil for an account without an address.
    package var email: String?
}

package protocol UserAdministration: Sendable {
    func users(from offset: Int64) async throws(ServiceFailure) -> RecordPage
    func user(_ name: String) async throws(ServiceFailure) -> AdministrationRecord
    /// The user who already has the name of one that is to be made; nil where there is none.
    func user(like draft: UserDraft) async throws(ServiceFailure) -> ExistingUser?
    func createUser(_ draft: UserDraft) async throws(ServiceFailure) -> AdministrationRecord
    func updateUser(
        _ name: String, _ draft: UserDraft
    ) async throws(ServiceFailure) -> AdministrationRecord
    /// - Parameter removesFiles: those in team shares and the user's own.
    func deleteUser(_ name: String, removesFiles: Bool) async throws(ServiceFailure)
    func createRoot(of name: String) async throws(ServiceFailure) -> AdministrationRecord
}

package protocol GroupAdministration: Sendable {
    func groups(from offset: Int64) async throws(ServiceFailure) -> RecordPage
    func group(_ name: String) async throws(ServiceFailure) -> AdministrationRecord
    func createGroup(_ name: String) async throws(ServiceFailure) -> AdministrationRecord
    func renameGroup(
        _ name: String, to new: String
    ) async throws(ServiceFailure) -> AdministrationRecord
    func deleteGroup(_ name: String) async throws(ServiceFailure)
    /// Users and groups in a group; with `deep` also those in by way of another group.
    func members(of group: String, deep: Bool) async throws(ServiceFailure)
        -> [AdministrationRecord]
    /// Adds and removes users and groups, named as everywhere.
    func changeMembers(
        of group: String, _ change: MembershipChange
    ) async throws(ServiceFailure)
}

/// Who comes into a group, and who leaves it.
package struct MembershipChange: Sendable {
    package var addedUsers: [String] = []
    package var addedGroups: [String] = []
    package var removedUsers: [String] = []
    package var removedGroups: [String] = []

    package init() {}
}

package protocol OrganizationAdministration: Sendable {
    /// Those below the one the commands are about.
    func organizations(from offset: Int64) async throws(ServiceFailure) -> RecordPage
    /// - Parameter name: a number or a licence key; nil for the one the commands are about.
    func organization(_ name: String?) async throws(ServiceFailure) -> AdministrationRecord
    func createOrganization(
        _ draft: OrganizationDraft
    ) async throws(ServiceFailure) -> AdministrationRecord
    func updateOrganization(
        _ name: String, _ draft: OrganizationDraft
    ) async throws(ServiceFailure) -> AdministrationRecord
    func setActive(_ isActive: Bool, organization name: String) async throws(ServiceFailure)
    func deleteOrganization(_ name: String) async throws(ServiceFailure)
    /// The rules of an organization by their names.
    func policy(of name: String?) async throws(ServiceFailure) -> AdministrationRecord
    /// - Parameter rules: names and values, as the cloud has them.
    func updatePolicy(
        of name: String?, _ rules: [(String, String)]
    ) async throws(ServiceFailure) -> AdministrationRecord
    /// The directory servers that users come from.
    func directoryServers(from offset: Int64) async throws(ServiceFailure) -> RecordPage
    /// All roots: users' own, team shares, backups.
    func roots(from offset: Int64) async throws(ServiceFailure) -> RecordPage
    func root(_ id: Int64) async throws(ServiceFailure) -> AdministrationRecord
}

/// What an organization has or is to have; nothing set stays as it is.
package struct OrganizationDraft: Sendable {
    package var name: String?
    package var email: String?
    package var slug: String?
    package var hostname: String?
    package var description: String?
    /// Names and values of rules that differ from the cloud's defaults.
    package var rules: [(String, String)] = []

    package init() {}
}

package protocol TeamShareAdministration: Sendable {
    func teamShares(from offset: Int64) async throws(ServiceFailure) -> RecordPage
    func teamShare(_ name: String) async throws(ServiceFailure) -> AdministrationRecord
    func createTeamShare(
        _ draft: TeamShareDraft
    ) async throws(ServiceFailure) -> AdministrationRecord
    func updateTeamShare(
        _ name: String, _ draft: TeamShareDraft
    ) async throws(ServiceFailure) -> AdministrationRecord
    func deleteTeamShare(_ name: String, removesFiles: Bool) async throws(ServiceFailure)
    func subscribers(of name: String, deep: Bool) async throws(ServiceFailure)
        -> [AdministrationRecord]
    func changeSubscribers(
        of name: String, _ change: SubscriptionChange
    ) async throws(ServiceFailure)
}

/// What a team share has or is to have; nothing set stays as it is.
package struct TeamShareDraft: Sendable {
    package var name: String?
    package var description: String?
    package var autoLock: Bool?
    package var notify: Bool?
    /// The organization it goes to.
    package var organization: Int64?

    package init() {}
}

/// Who is subscribed to a team share from now on, and who no longer is.
package struct SubscriptionChange: Sendable {
    package var addedUsers: [String] = []
    package var addedGroups: [String] = []
    /// Addresses of accounts in other organizations.
    package var invited: [String] = []
    package var removedUsers: [String] = []
    package var removedGroups: [String] = []
    package var uninvited: [String] = []
    /// Of those who are added.
    package var role = "COLLABORATOR"

    package init() {}
}
