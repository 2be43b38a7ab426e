import FoundationEssentials
import Glibc

/// An account's secrets in a file that only this user can read. Its calls block on the disk.
struct CredentialFile<Credentials: Codable & Sendable>: Sendable {
    private let path: String
    private let account: AccountName

    init(account: AccountName, folders: ProgramFolders) {
        path = folders.credentialsFile(of: account)
        self.account = account
    }

    var isPresent: Bool { access(path, F_OK) == 0 }

    /// The credentials; nil where there are none.
    func existing() throws(ServiceFailure) -> Credentials? {
        guard let bytes = try LocalFile.read(path) else { return nil }
        do {
            return try JSONDecoder().decode(Credentials.self, from: Data(bytes))
        } catch {
            throw ServiceFailure(
                "\(path) can't be read as credentials", remedy: "Delete it and sign in again.")
        }
    }

    /// As `existing`; where there are none the account is signed out.
    func load() throws(ServiceFailure) -> Credentials {
        guard let credentials = try existing() else {
            throw ServiceFailure("signed out of '\(account)'")
        }
        return credentials
    }

    func save(_ credentials: Credentials) throws(ServiceFailure) {
        do {
            let bytes = Array(try JSONEncoder().encode(credentials))
            try LocalFile.makePrivateFolder(LocalPath.split(path).parent)
            try LocalFile.replace(path, with: bytes, mode: 0o600)
        } catch {
            throw ServiceFailure("can't keep the credentials: \(error)")
        }
    }

    /// Forgets the credentials; not an error where there are none.
    func remove() throws(ServiceFailure) { try LocalFile.remove(path) }
}
