import BlockCache

/// What one account's cache holds: what `ordner cache --json` prints for each.
package struct CacheReport: Codable, Sendable, Hashable {
    package var account: String
    /// Nil where the account is not mounted.
    package var mountPoint: String?
    package var folder: String
    package var bytes: Int64
    /// Bytes at most, of a mount now or the last one; nil where there was none.
    package var limit: Int64?
    /// Files that can be read without the server.
    package var completeFiles: Int
    package var completeBytes: Int64
    /// Files of which parts are here.
    package var partialFiles: Int
    package var partialBytes: Int64
    /// Of all of these, what is in use and not trimmed.
    package var usedFiles: Int
    package var usedBytes: Int64
    /// Reads since it was mounted that were answered from disk, and that had to wait for the server.
    package var hits: Int64?
    package var misses: Int64?
    /// From the server since it was mounted.
    package var fetchedBytes: Int64?
    /// Of the disk that the cache is on.
    package var freeBytes: Int64?
    /// Of these, what the cache leaves free.
    package var reserveBytes: Int64
    /// Content that is not on the server yet; it is beside the cache, and never trimmed.
    package var unsentFiles = 0
    /// Space that it takes on the disk.
    package var unsentBytes: Int64 = 0
    /// Why nothing is known.
    package var problem: String?

    init(account: String, folder: String, of inventory: CacheInventory) {
        self.account = account
        self.folder = folder
        bytes = inventory.bytes
        limit = inventory.limit
        completeFiles = inventory.completeFiles
        completeBytes = inventory.completeBytes
        partialFiles = inventory.partialFiles
        partialBytes = inventory.partialBytes
        usedFiles = inventory.usedFiles
        usedBytes = inventory.usedBytes
        freeBytes = inventory.freeBytes
        reserveBytes = inventory.reserve
    }

    mutating func take(_ unsent: UnsentContent) {
        unsentFiles = unsent.files
        unsentBytes = unsent.bytes
    }

    enum CodingKeys: String, CodingKey {
        case account, folder, bytes, limit, hits, misses, problem
        case mountPoint = "mount_point"
        case completeFiles = "complete_files"
        case completeBytes = "complete_bytes"
        case partialFiles = "partial_files"
        case partialBytes = "partial_bytes"
        case usedFiles = "used_files"
        case usedBytes = "used_bytes"
        case fetchedBytes = "fetched_bytes"
        case freeBytes = "free_bytes"
        case reserveBytes = "reserve_bytes"
        case unsentFiles = "unsent_files"
        case unsentBytes = "unsent_bytes"
    }
}

/// What a trimming has given back.
package struct TrimReport: Codable, Sendable, Hashable {
    package var files: Int
    package var bytes: Int64
}
