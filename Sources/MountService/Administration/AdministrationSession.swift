import CloudStorage
import HTTPTransport
import LeitzCloudClient
import ProvisioningClient

/// The administration of the cloud of an account that somebody has signed in to.
package enum AdministrationSession {
    /// Runs `work` over a connection that is closed afterwards.
    ///
    /// - Parameter organization: the number of the one the commands are about; nil for the
    ///   account's own.
    package static func with<Result: Sendable>(
        _ account: AccountName, organization: Int64?, folders: ProgramFolders,
        _ work: (any Administration) async throws -> Result
    ) async throws -> Result {
        let settings = try AccountStore(folders: folders).settings(of: account)
        let transport = try AccountLogin.transport(
            certificateAuthority: settings.certificateAuthority)
        do {
            let administration = try await open(
                settings, account, organization, transport, folders)
            let result = try await work(administration)
            await transport.shutdown()
            return result
        } catch {
            await transport.shutdown()
            throw error
        }
    }

    private static func open(
        _ settings: AccountSettings, _ account: AccountName, _ organization: Int64?,
        _ transport: HTTPTransport, _ folders: ProgramFolders
    ) async throws(ServiceFailure) -> any Administration {
        if organization != nil, settings.type != .leitzcloud {
            throw ServiceFailure(
                "only a LeitzCloud has organizations", remedy: "Leave --org out.")
        }
        switch settings.type {
        case .leitzcloud:
            let address = try AccountLogin.translating { () throws(CloudStorageError) in
                try ServerAddress(settings.url)
            }
            let client = LeitzCloudClient(
                address: address,
                credentials: FileCredentialStore(account: account, folders: folders),
                transport: transport)
            return try await LeitzCloudAdministration.open(client, organization: organization)
        case .nextcloud:
            return try await ProvisioningAdministration.open(
                settings, account, dialect: .nextcloud, transport, folders)
        case .owncloud:
            return try await ProvisioningAdministration.open(
                settings, account, dialect: .owncloud, transport, folders)
        case .webdav: return NoAdministration(cloud: "WebDAV server")
        }
    }
}

/// A cloud of which nothing can be administered from here.
struct NoAdministration: Administration {
    let cloud: String
}
