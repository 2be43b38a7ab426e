import BlockCache
import FileSystemTypes
import Glibc
import StateStore

/// The cache of an account that is not mounted, kept from being mounted for as long as this exists.
struct StoredCache: Sendable {
    let account: AccountName
    let folder: String
    let cache: BlockCache
    private let last: LastCache?
    private let ownership: StateOwnership

    /// Takes it; nil where the account has neither cache nor state. Fails where a driver has it. Blocks.
    static func open(
        _ account: AccountName, folders: ProgramFolders
    ) throws(ServiceFailure) -> StoredCache? {
        let state = folders.state(of: account) + "/state"
        let last = try LastCache.read(of: account, folders: folders)
        let folder = last?.folder ?? folders.cache(of: account)
        guard access(state, F_OK) == 0, access(folder, F_OK) == 0 else { return nil }
        let ownership: StateOwnership
        do throws(FileSystemError) { ownership = try StateOwnership(folder: state) } catch {
            guard error.code == .locked else {
                throw ServiceFailure("\(state) can't be used: \(error.message)")
            }
            let holder = try LockHolder.processID(of: StateOwnership.lockFile(of: state))
            throw ServiceFailure(
                "the cache of '\(account)' is in use by "
                    + (holder.map { "process \($0)" } ?? "another process")
                    + ", which doesn't answer as a driver does",
                remedy: "It may just be starting or ending: try again.")
        }
        do throws(FileSystemError) {
            // Nothing is to go that nobody asked for.
            var configuration = BlockCache.Configuration(
                folder: folder, sizeLimit: .max, minimumFreeBytes: 0)
            configuration.entryLimit = .max
            return StoredCache(
                account: account, folder: folder, cache: try BlockCache(configuration), last: last,
                ownership: ownership)
        } catch {
            throw ServiceFailure("the cache \(folder) can't be used: \(error.message)")
        }
    }

    /// Blocks.
    func report() throws(ServiceFailure) -> CacheReport {
        var report = CacheReport(
            account: account.rawValue, folder: folder, of: cache.inventory())
        report.limit = last?.limit
        report.reserveBytes = Self.reserve
        report.take(try UnsentContent.measure(in: ownership.contentFolder))
        return report
    }

    /// Of an account that was never mounted.
    static func emptyReport(of account: AccountName, folders: ProgramFolders) -> CacheReport {
        var report = CacheReport(
            account: account.rawValue, folder: folders.cache(of: account), of: CacheInventory())
        report.limit = nil
        report.reserveBytes = reserve
        return report
    }

    /// What a mount leaves free.
    private static let reserve = BlockCache.Configuration(folder: "").minimumFreeBytes
}
