import CloudStorage
import HTTPTransport
import ProvisioningClient
import WebDAVClient

/// The administration of an ownCloud, a Nextcloud or a Leviia Drive Pro by OCS. Users and groups
/// are named by their ids; users also by the e-mail address of one of them.
struct ProvisioningAdministration: Administration {
    /// What is asked for at once: a page of a list is its names and as many looks.
    static let pageSize = 50

    let client: ProvisioningClient

    var cloud: String {
        switch client.dialect {
        case .owncloud: "ownCloud"
        case .nextcloud: "Nextcloud"
        }
    }
    var users: (any UserAdministration)? { self }
    var groups: (any GroupAdministration)? { self }

    /// The administration with what `ordner login` has kept of the account.
    static func open(
        _ settings: AccountSettings, _ name: AccountName, dialect: ProvisioningDialect,
        _ transport: HTTPTransport, _ folders: ProgramFolders
    ) async throws(ServiceFailure) -> ProvisioningAdministration {
        let account = try await BlockingWork.run { () throws(ServiceFailure) in
            try CredentialFile<WebDAVAccount>(account: name, folders: folders).load()
        }
        // The account's address may be that of its files.
        let files = account.server.filesURL
        let site = files.ranges(of: "/remote.php/").first.map { files[..<$0.lowerBound] }
        let address = try AccountLogin.translating { () throws(CloudStorageError) in
            try ServerAddress(site.map(String.init) ?? settings.url)
        }
        return ProvisioningAdministration(
            client: ProvisioningClient(
                address, dialect: dialect, user: account.user, password: account.password,
                transport: transport))
    }

    /// Runs a call; what the server refuses is said in its own words where it has some.
    func asking<Value>(
        _ call: () async throws(ProvisioningError) -> Value
    ) async throws(ServiceFailure) -> Value {
        do throws(ProvisioningError) { return try await call() } catch {
            throw Self.failure(error)
        }
    }

    /// As `asking`, but nil where there is no such thing.
    func looking<Value>(
        _ call: () async throws(ProvisioningError) -> Value
    ) async throws(ServiceFailure) -> Value? {
        do throws(ProvisioningError) { return try await call() } catch {
            if [.noSuchUser, .noSuchGroup].contains(error.kind) { return nil }
            throw Self.failure(error)
        }
    }

    static func failure(_ error: ProvisioningError) -> ServiceFailure {
        let words = error.message.isEmpty ? words(for: error.kind) : error.message
        let remedy: String? =
            switch error.kind {
            case .forbidden: "The account has no right to do that; an administrator has."
            case .signInRequired: "Sign in again with: ordner login NAME URL"
            default: error.mayHaveHappened ? "It may have been done all the same: look first." : nil
            }
        return ServiceFailure("the server refused it: \(words)", remedy: remedy)
    }

    private static func words(for kind: ProvisioningError.Kind) -> String {
        switch kind {
        case .signInRequired: "it does not take the password"
        case .forbidden: "no right to do that"
        case .noSuchUser: "there is no such user"
        case .noSuchGroup: "there is no such group"
        case .noSuchApp: "there is no such app"
        case .userExists: "there is a user of this name"
        case .groupExists: "there is a group of this name"
        case .invalidInput: "it does not take this value"
        case .passwordRefused: "it does not take this password"
        case .passwordOrEmailNeeded: "neither a password nor an e-mail address"
        case .groupNeeded: "no group was named"
        case .invitationFailed: "the invitation could not be sent"
        case .notSubadministrator: "the user does not administer this group"
        case .refused, .serverFailure: "no reason given"
        case .unsupported: "it has no such call"
        case .temporarilyUnavailable: "it is busy"
        case .unreachable: "it can't be reached"
        case .timedOut: "no answer in time"
        case .cancelled: "cancelled"
        case .invalidAnswer: "its answer can't be read"
        }
    }
}
