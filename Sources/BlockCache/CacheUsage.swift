/// What the cache holds and what it did since it was opened.
package struct CacheUsage: Hashable, Sendable {
    /// Bytes of all blocks on disk.
    package var bytes: Int64
    /// Content versions known.
    package var entries: Int
    /// Reads answered from disk.
    package var hits: Int64
    /// Reads that had to wait for the server.
    package var misses: Int64
    /// Bytes that came from the server, whether kept or not.
    package var fetchedBytes: Int64

    package init(
        bytes: Int64 = 0, entries: Int = 0, hits: Int64 = 0, misses: Int64 = 0,
        fetchedBytes: Int64 = 0
    ) {
        self.bytes = bytes
        self.entries = entries
        self.hits = hits
        self.misses = misses
        self.fetchedBytes = fetchedBytes
    }
}
