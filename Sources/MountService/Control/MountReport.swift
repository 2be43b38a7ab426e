/// How a mount is doing: what `ordner status --json` prints for each.
package struct MountReport: Codable, Sendable, Hashable {
    /// Two versions of a file, both kept.
    package struct Conflict: Codable, Sendable, Hashable {
        /// This machine's version.
        package var copy: String
        /// The server's version.
        package var original: String
    }

    /// Something changed here that the server doesn't have yet.
    package struct Unsent: Codable, Sendable, Hashable {
        package var path: String
        /// Of content.
        package var bytes: Int64
        /// What the server lacks: content, folder, name, removal; or `undone`, where it refused.
        package var change: String
        /// Why the last try failed.
        package var error: String?
    }

    /// Entries of each list at most.
    static let listLimit = 1000

    package var account: String
    /// Where in the account the mount begins; nil for all of it.
    package var remotePath: String?
    package var mountPoint: String
    package var server: String
    package var user: String
    package var processID: Int32
    /// False while the last calls could not reach the server.
    package var serverReachable: Bool
    package var openFiles: Int
    /// Files and folders of which more than what is on the disk is in memory.
    package var entriesInMemory: Int?
    /// Bytes of content kept on this machine.
    package var cacheBytes: Int64
    package var cacheLimit: Int64
    package var unsent: [Unsent]
    /// How many `unsent` would have without its limit.
    package var unsentFiles: Int
    /// Copies made because the server had changed the same file.
    package var conflicts: [Conflict]
    /// Files whose lock this mount holds.
    package var locks: [String]
    /// Files whose lock is gone although it is still wanted, each with the reason.
    package var lostLocks: [String]?

    enum CodingKeys: String, CodingKey {
        case account, server, user, unsent, conflicts, locks
        case remotePath = "remote_path"
        case mountPoint = "mount_point"
        case processID = "process_id"
        case lostLocks = "lost_locks"
        case serverReachable = "server_reachable"
        case openFiles = "open_files"
        case entriesInMemory = "entries_in_memory"
        case unsentFiles = "unsent_files"
        case cacheBytes = "cache_bytes"
        case cacheLimit = "cache_limit"
    }
}
