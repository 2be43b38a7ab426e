package import CloudStorage
package import LeitzCloudClient

/// The tokens of one account in a file that only this user can read.
package struct FileCredentialStore: CredentialStore {
    private let file: CredentialFile<LeitzCloudCredentials>

    package init(account: AccountName, folders: ProgramFolders) {
        file = CredentialFile(account: account, folders: folders)
    }

    /// The credentials; nil where there are none.
    func existing() throws(ServiceFailure) -> LeitzCloudCredentials? { try file.existing() }

    package func load() throws(CloudStorageError) -> LeitzCloudCredentials {
        do throws(ServiceFailure) { return try file.load() } catch {
            throw CloudStorageError(
                file.isPresent ? .localFile : .signInRequired, error.message)
        }
    }

    package func save(_ credentials: LeitzCloudCredentials) throws(CloudStorageError) {
        do throws(ServiceFailure) { try file.save(credentials) } catch {
            throw CloudStorageError(.localFile, error.message)
        }
    }
}
