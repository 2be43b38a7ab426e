import BlockCache
import CloudStorage
import FileSystemTypes
import HTTPTransport
import LeitzCloudClient
import Logging
import StateStore
import WebDAVClient

/// What a mount of one account has open besides the file system: connection, cache and state.
struct AccountResources: Sendable {
    let transport: HTTPTransport
    let cloud: any CloudStorage
    let cache: BlockCache
    let store: StateStore

    /// Opens them. Blocks on the disk; the server is not asked.
    static func open(
        _ account: AccountSettings, for settings: MountSettings, folders: ProgramFolders
    ) throws(ServiceFailure) -> AccountResources {
        let store = try openStore(folders.state(of: settings.account) + "/state", settings.account)
        let cacheFolder = settings.cacheFolder ?? folders.cache(of: settings.account)
        let cache: BlockCache
        do {
            cache = try BlockCache(
                BlockCache.Configuration(folder: cacheFolder, sizeLimit: settings.cacheLimit))
        } catch {
            throw ServiceFailure(
                "the cache \(cacheFolder) can't be used: \(error.message)",
                remedy: "Choose another folder with --cache-dir.")
        }
        let transport = try AccountLogin.transport(
            certificateAuthority: account.certificateAuthority)
        let cloud = try Self.cloud(account, settings.account, transport, folders)
        return AccountResources(transport: transport, cloud: cloud, cache: cache, store: store)
    }

    /// The client of the account's server.
    private static func cloud(
        _ account: AccountSettings, _ name: AccountName, _ transport: HTTPTransport,
        _ folders: ProgramFolders
    ) throws(ServiceFailure) -> any CloudStorage {
        guard account.type.isWebDAV else {
            let address = try AccountLogin.translating { () throws(CloudStorageError) in
                try ServerAddress(account.url)
            }
            return LeitzCloudClient(
                address: address, credentials: FileCredentialStore(account: name, folders: folders),
                transport: transport)
        }
        let known = try CredentialFile<WebDAVAccount>(account: name, folders: folders).existing()
        guard let known else {
            throw ServiceFailure(
                "'\(name)' is signed out",
                remedy: "Sign in again with: ordner login \(name) \(account.url)")
        }
        return try AccountLogin.translating { () throws(CloudStorageError) in
            try WebDAVClient(
                server: known.server, credentials: known.credentials, transport: transport,
                options: WebDAVOptions(lockOwner: known.lockOwner))
        }
    }

    /// Closes them, once nothing uses them any more.
    func close() async throws(ServiceFailure) {
        let cache = cache
        try await BlockingWork.run { () throws(ServiceFailure) in cache.close() }
        await store.close()
        await transport.shutdown()
    }

    private static func openStore(
        _ folder: String, _ account: AccountName
    ) throws(ServiceFailure) -> StateStore {
        do {
            return try StateStore(folder: folder)
        } catch {
            switch error.code {
            case .locked:
                throw ServiceFailure(
                    "'\(account)' is mounted already, by another driver",
                    remedy: "Unmount it first; ordner status lists the mounts.")
            case .notSupported:
                throw ServiceFailure(
                    "\(folder) was written by a newer version of Ordner",
                    remedy: "Use that version.")
            default: throw ServiceFailure("\(folder) can't be used: \(error.message)")
            }
        }
    }
}
