/// How a server's provisioning API is spoken to.
package enum ProvisioningDialect: String, Sendable, Hashable, CaseIterable {
    /// OCS version 1 with form fields (ownCloud's document).
    case owncloud
    /// OCS version 2 with JSON bodies (Leviia's page; Nextcloud).
    case nextcloud

    /// Where the calls are, below the server's address.
    var route: String {
        switch self {
        case .owncloud: "/ocs/v1.php/cloud/"
        case .nextcloud: "/ocs/v2.php/cloud/"
        }
    }

    /// The key under which the displayed name is edited.
    var displayNameKey: String {
        switch self {
        case .owncloud: "display"
        case .nextcloud: "displayname"
        }
    }
}
