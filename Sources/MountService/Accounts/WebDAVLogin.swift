import CloudStorage
import FoundationEssentials
import HTTPTransport
import WebDAVClient

/// What is kept of a WebDAV account, its password among it: such servers have no tokens.
struct WebDAVAccount: Codable, Sendable {
    var server: WebDAVServer
    var user: String
    var password: String
    /// How others see the holder of this machine's locks. Kept, since locks that a crash has left
    /// on the server are known again by it.
    var lockOwner: String

    var credentials: WebDAVCredentials { WebDAVCredentials(user: user, password: password) }
}

/// Signing in to a WebDAV server: finding out what it is, with the password it is to take.
struct WebDAVLogin: Sendable {
    let name: AccountName
    let folders: ProgramFolders
    let transport: HTTPTransport

    /// Asks the server, and answers what is to be kept of the account. A password that the server
    /// doesn't take is tried once only.
    /// - Parameter wanted: the type asked for; nil: whatever it is.
    func signIn(
        _ address: ServerAddress, user: String, password: String,
        as wanted: AccountSettings.ServerType?
    ) async throws(ServiceFailure) -> (AccountSettings.ServerType, WebDAVAccount) {
        let server: WebDAVServer
        do throws(CloudStorageError) {
            let credentials = WebDAVCredentials(user: user, password: password)
            server = try await WebDAVDetection.detect(
                address, credentials: credentials, transport: transport)
            // Some servers answer OPTIONS whoever asks.
            _ = try await WebDAVClient(
                server: server, credentials: credentials, transport: transport,
                options: WebDAVOptions(lockOwner: user)
            ).account()
        } catch {
            throw Self.failure(error, address: address)
        }
        let type = Self.type(of: server)
        if let wanted, wanted != type, wanted != .webdav {
            throw ServiceFailure(
                "\(address) is no \(wanted.rawValue) server, but a \(type.rawValue) server",
                remedy: "Leave --type out, or check the address.")
        }
        let known = try? CredentialFile<WebDAVAccount>(account: name, folders: folders).existing()
        let account = WebDAVAccount(
            server: server, user: user, password: password,
            lockOwner: known?.lockOwner ?? Self.newLockOwner(user: user))
        return (type, account)
    }

    func keep(_ account: WebDAVAccount) throws(ServiceFailure) {
        try CredentialFile(account: name, folders: folders).save(account)
    }

    private static func newLockOwner(user: String) -> String {
        "\(user) on \(LocalHost.name) (Ordner \(UUID().uuidString.prefix(8)))"
    }

    private static func type(of server: WebDAVServer) -> AccountSettings.ServerType {
        switch server.profile.kind {
        case .generic: .webdav
        case .nextcloud: .nextcloud
        case .owncloud: .owncloud
        }
    }

    private static func failure(
        _ error: CloudStorageError, address: ServerAddress
    ) -> ServiceFailure {
        switch error.kind {
        case .signInRequired:
            ServiceFailure(
                "the server refused the sign-in: \(error.message)",
                remedy: "Check user and password. With two-step verification, use an app password "
                    + "from the server's security settings.")
        case .unsupported:
            ServiceFailure(
                "\(address) is neither a LeitzCloud server nor a WebDAV folder",
                remedy: "Check the address; a WebDAV folder's has a path, such as "
                    + "https://cloud.example.com/dav")
        default: ServiceFailure("sign-in failed: \(error.message)")
        }
    }
}
