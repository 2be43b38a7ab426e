import BlockCache
import CloudStorage
import FileSystemTypes
import HTTPTransport
import LeitzCloudClient
import Logging
import StateStore

/// What a mount of one account has open besides the file system: connection, cache and state.
struct AccountResources: Sendable {
    let transport: HTTPTransport
    let cloud: LeitzCloudClient
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
        let address = try AccountLogin.translating { () throws(CloudStorageError) in
            try ServerAddress(account.url)
        }
        let credentials = FileCredentialStore(account: settings.account, folders: folders)
        let cloud = LeitzCloudClient(
            address: address, credentials: credentials, transport: transport)
        return AccountResources(transport: transport, cloud: cloud, cache: cache, store: store)
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
