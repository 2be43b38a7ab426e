package import CloudStorage
import FoundationEssentials
package import LeitzCloudClient

/// The tokens of one account in a file that only this user can read.
package struct FileCredentialStore: CredentialStore {
    private let path: String
    private let account: AccountName

    package init(account: AccountName, folders: ProgramFolders) {
        path = folders.credentialsFile(of: account)
        self.account = account
    }

    /// The credentials; nil where there are none.
    func existing() throws(ServiceFailure) -> LeitzCloudCredentials? {
        guard let bytes = try LocalFile.read(path) else { return nil }
        do {
            return try JSONDecoder().decode(LeitzCloudCredentials.self, from: Data(bytes))
        } catch {
            throw ServiceFailure(
                "\(path) can't be read as credentials", remedy: "Delete it and sign in again.")
        }
    }

    package func load() throws(CloudStorageError) -> LeitzCloudCredentials {
        let credentials: LeitzCloudCredentials?
        do { credentials = try existing() } catch {
            throw CloudStorageError(.localFile, error.message)
        }
        guard let credentials else {
            throw CloudStorageError(.signInRequired, "signed out of '\(account)'")
        }
        return credentials
    }

    package func save(_ credentials: LeitzCloudCredentials) throws(CloudStorageError) {
        do {
            let bytes = Array(try JSONEncoder().encode(credentials))
            try LocalFile.makePrivateFolder(LocalPath.split(path).parent)
            try LocalFile.replace(path, with: bytes, mode: 0o600)
        } catch {
            throw CloudStorageError(.localFile, "can't keep the credentials: \(error)")
        }
    }

    /// Forgets the credentials; not an error where there are none.
    func remove() throws(ServiceFailure) { try LocalFile.remove(path) }
}
