/// How far a fetching ahead has come.
package struct WarmProgress: Hashable, Sendable {
    /// A file, or a folder that could not be listed, that is not here.
    package struct Failure: Hashable, Sendable {
        /// As of the mount's top.
        package var path: String
        package var reason: String
    }

    /// Failures that are kept with their reasons.
    package static let failureLimit = 1000

    /// Folders are still being listed: the totals grow.
    package var isListing = true
    /// Nothing more happens.
    package var isOver = false
    /// It was ended before all was done.
    package var isCancelled = false
    package var folders = 0
    /// Found so far, those that can't be had among them.
    package var files = 0
    package var bytes: Int64 = 0
    /// Found here: complete in the cache, or changed here and not sent yet.
    package var filesHere = 0
    package var bytesHere: Int64 = 0
    package var filesFetched = 0
    /// Fetched by this run, those of files under way among them.
    package var bytesFetched: Int64 = 0
    /// Of `bytes`, those that are here now.
    package var bytesDone: Int64 = 0
    /// At most `failureLimit`.
    package var failures: [Failure] = []
    package var failureCount = 0
    package var refusal = WarmRefusal()

    package init() {}

    /// Whether everything is here.
    package var isComplete: Bool {
        isOver && !isCancelled && failureCount == 0 && refusal.files == 0
    }
}
