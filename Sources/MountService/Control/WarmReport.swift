/// How far a fetching ahead has come: what `ordner warm --json` prints.
package struct WarmReport: Codable, Sendable, Hashable {
    /// A file, or a folder that could not be listed, that is not here.
    package struct Failure: Codable, Sendable, Hashable {
        /// From a driver: as of the mount's top; of `WarmCommand`: on this machine.
        package var path: String
        package var reason: String
    }

    /// Set by `WarmCommand`.
    package var mountPoint: String?
    /// Asked for by this number.
    package var run: UInt64
    /// Folders are still being listed: the totals grow.
    package var isListing = false
    /// Nothing more happens.
    package var isOver = false
    /// It was ended before all was done.
    package var isCancelled = false
    package var folders = 0
    package var files = 0
    package var bytes: Int64 = 0
    /// Of these, what was here before.
    package var filesHere = 0
    package var bytesHere: Int64 = 0
    package var filesFetched = 0
    package var bytesFetched: Int64 = 0
    /// Of `bytes`, those that are here now.
    package var bytesDone: Int64 = 0
    /// Once it is over; at most `MountReport.listLimit`.
    package var failures: [Failure] = []
    package var failureCount = 0
    /// What does not fit into the cache.
    package var refusedFiles = 0
    package var refusedBytes: Int64 = 0
    /// By which the cache, or the free space, would have to be larger.
    package var lackingBytes: Int64 = 0
    /// What there is too little of: `limit`, `disk`, `files`; nil where everything fits.
    package var bound: String?
    package var cacheLimit: Int64 = 0

    package init(run: UInt64) { self.run = run }

    package var isComplete: Bool {
        isOver && !isCancelled && failureCount == 0 && refusedFiles == 0
    }

    enum CodingKeys: String, CodingKey {
        case run, folders, files, bytes, failures, bound
        case mountPoint = "mount_point"
        case isListing = "is_listing"
        case isOver = "is_over"
        case isCancelled = "is_cancelled"
        case filesHere = "files_here"
        case bytesHere = "bytes_here"
        case filesFetched = "files_fetched"
        case bytesFetched = "bytes_fetched"
        case bytesDone = "bytes_done"
        case failureCount = "failure_count"
        case refusedFiles = "refused_files"
        case refusedBytes = "refused_bytes"
        case lackingBytes = "lacking_bytes"
        case cacheLimit = "cache_limit"
    }
}
