/// How a mount is doing: what `ordner status --json` prints for each.
package struct MountStatus: Codable, Sendable, Hashable {
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
    /// Files changed here that the server doesn't have yet.
    package var unsentFiles: Int
    package var runningUploads: Int
    /// Bytes of content kept on this machine.
    package var cacheBytes: Int64
    package var cacheLimit: Int64
    /// Changes the server refused for good, kept here: at most 1,000.
    package var conflicts: [String]
    /// Files whose lock this mount holds: at most 1,000.
    package var locks: [String]

    enum CodingKeys: String, CodingKey {
        case account, server, user, conflicts, locks
        case remotePath = "remote_path"
        case mountPoint = "mount_point"
        case processID = "process_id"
        case serverReachable = "server_reachable"
        case openFiles = "open_files"
        case unsentFiles = "unsent_files"
        case runningUploads = "running_uploads"
        case cacheBytes = "cache_bytes"
        case cacheLimit = "cache_limit"
    }
}
