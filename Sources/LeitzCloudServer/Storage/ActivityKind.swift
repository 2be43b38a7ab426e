/// What can have happened (API v2, "Aktivitätenart-Objekt"). The raw values are the ids that
/// clients see and that the database keeps: 3 and 8 are those of the document's examples.
enum ActivityKind: Int64, CaseIterable, Sendable {
    case signedIn = 1
    case signInFailed
    case organizationAdded
    case organizationUpdated
    case organizationRemoved
    case organizationEnabled
    case organizationDisabled
    case quotaChanged
    case policyUpdated
    case personAdded
    case personUpdated
    case personRemoved
    case guestAdded
    case guestUpdated
    case guestRemoved
    case guestConverted
    case groupAdded
    case groupUpdated
    case groupMembersChanged
    case groupRemoved
    case shareAdded
    case shareUpdated
    case shareSubscribersChanged
    case shareRemoved
    case rootAdded
    case serverEnabled
    case serverDisabled
    case mappingAdded
    case mappingRemoved
    case backupAdded
    case backupRestored
    case backupRemoved
    case machineAdded
    case fileUploaded
    case fileRevised
    case folderCreated
    case itemRenamed
    case itemMoved
    case itemDeleted
    case itemLocked
    case itemUnlocked
    case itemShared
    case noted

    /// Words as in the document's "added organization".
    var text: String {
        switch self {
        case .signedIn: "signed in"
        case .signInFailed: "failed to sign in"
        case .organizationAdded: "added organization"
        case .organizationUpdated: "updated organization"
        case .organizationRemoved: "removed organization"
        case .organizationEnabled: "enabled organization"
        case .organizationDisabled: "disabled organization"
        case .quotaChanged: "changed space quota"
        case .policyUpdated: "updated policy"
        case .personAdded: "added account"
        case .personUpdated: "updated account"
        case .personRemoved: "removed account"
        case .guestAdded: "added guest"
        case .guestUpdated: "updated guest"
        case .guestRemoved: "removed guest"
        case .guestConverted: "converted guest"
        case .groupAdded: "added group"
        case .groupUpdated: "updated group"
        case .groupMembersChanged: "changed group members"
        case .groupRemoved: "removed group"
        case .shareAdded: "added share"
        case .shareUpdated: "updated share"
        case .shareSubscribersChanged: "changed share subscribers"
        case .shareRemoved: "removed share"
        case .rootAdded: "added root"
        case .serverEnabled: "enabled file server"
        case .serverDisabled: "disabled file server"
        case .mappingAdded: "added mapping"
        case .mappingRemoved: "removed mapping"
        case .backupAdded: "added backup"
        case .backupRestored: "restored backup"
        case .backupRemoved: "removed backup"
        case .machineAdded: "added machine"
        case .fileUploaded: "uploaded file"
        case .fileRevised: "uploaded revision"
        case .folderCreated: "created folder"
        case .itemRenamed: "renamed"
        case .itemMoved: "moved"
        case .itemDeleted: "deleted"
        case .itemLocked: "locked"
        case .itemUnlocked: "unlocked"
        case .itemShared: "shared"
        case .noted: "noted"
        }
    }

    /// Whether it is a device that acts or is acted on.
    var isOfMachine: Bool {
        (ActivityKind.serverEnabled.rawValue...ActivityKind.machineAdded.rawValue)
            .contains(rawValue)
    }

    /// Whether it is something that a person does with files or an account of their own.
    var isOfUser: Bool {
        rawValue >= ActivityKind.fileUploaded.rawValue || self == .signedIn
            || self == .signInFailed
    }
}
