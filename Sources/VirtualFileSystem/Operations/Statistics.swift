import BlockCache
import CloudStorage
package import FileSystemTypes
import Synchronization

/// Space and state of the mount.
extension VirtualFileSystem {
    /// Shown where the account has no quota: a pebibyte, so that programs that check first go on.
    static let unlimitedBytes: Int64 = 1 << 50

    /// The account's quota as it was last heard; never waits for the server.
    package func statfs(node: UInt64) -> Outcome<FileSystemUsage> {
        let usage = tree.withLock { tree -> FileSystemUsage in
            guard let quota = tree.account?.quota else {
                return FileSystemUsage(
                    totalBytes: Self.unlimitedBytes, freeBytes: Self.unlimitedBytes)
            }
            let used = quota.used + tree.bytesSinceAccount
            return FileSystemUsage(
                totalBytes: max(0, quota.total), freeBytes: max(0, quota.total - max(0, used)))
        }
        return .success(usage)
    }

    /// What `ordner status` shows.
    package func status() -> MountStatus {
        let usage = cache.usage
        return tree.withLock { tree in
            var status = MountStatus()
            status.knownInodes = tree.nodes.count
            status.openFiles = tree.handles.count
            status.cachedBytes = usage.bytes
            status.conflicts = tree.conflicts
            for node in tree.nodes.values {
                guard let working = node.working, !node.isLocalOnly, !working.isSaved else {
                    continue
                }
                status.unsent.append(
                    .init(
                        path: tree.path(of: node.id) ?? node.name, bytes: working.size,
                        error: node.saveError?.message))
            }
            status.locks = tree.nodes.values.filter(\.holdsLock).compactMap { tree.path(of: $0.id) }
            return status
        }
    }
}

/// A picture of a mount at one moment.
package struct MountStatus: Sendable, Equatable, Codable {
    /// A file whose content is not on the server yet.
    package struct Unsent: Sendable, Equatable, Codable {
        package var path: String
        package var bytes: Int64
        /// Why the last try failed.
        package var error: String?
    }

    package var knownInodes = 0
    package var openFiles = 0
    package var cachedBytes: Int64 = 0
    package var unsent: [Unsent] = []
    /// Paths that this machine holds the server's lock for.
    package var locks: [String] = []
    /// Conflict copies made since the mount started.
    package var conflicts: [String] = []

    package init() {}
}
