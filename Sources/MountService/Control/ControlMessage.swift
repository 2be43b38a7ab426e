/// What a command asks of a running driver: one line of JSON.
package struct ControlRequest: Codable, Sendable, Hashable {
    /// The commands.
    package enum Command: String, Codable, Sendable, Hashable {
        case status
        case unmount
        /// Send what is unsent below `path` now; answers with the progress.
        case sync
        /// Answers with the progress below `path` when something has changed, or after a second.
        case progress
        /// `path` is the copy and the original, as of the mount's top.
        case forgetConflict = "forget_conflict"
        /// Take the server's lock of `path` and keep it, for `seconds` where these are given.
        case lock
        /// Give that lock back.
        case unlock
        /// Answers with the locks that are known.
        case locks
        /// Fetch everything below `paths` ahead; answers with how far that is, and its number.
        case warm
        /// Answers with how far `run` is when it is over, or after a moment. A run that nobody asks for ends.
        case warmProgress = "warm_progress"
        /// End `run`; answers with how far it has come.
        case warmEnd = "warm_end"
        /// Answers with what the cache holds.
        case cache
        /// Evict until the cache has `bytes` at most.
        case trimCache = "trim_cache"
        /// From now on the cache has `bytes` at most.
        case limitCache = "limit_cache"
    }

    package var command: Command
    /// With `unmount`: detach even where programs use the mount.
    package var lazily: Bool?
    /// With `unmount`: leave what is unsent to the next mount.
    package var leavesUnsent: Bool?
    package var path: [String]?
    package var paths: [[String]]?
    package var seconds: Int?
    package var run: UInt64?
    package var bytes: Int64?

    package init(_ command: Command, lazily: Bool? = nil) {
        self.command = command
        self.lazily = lazily
    }

    /// Bytes of the longest request line, so that the arguments of most command lines fit.
    static let limit = 1 << 20

    enum CodingKeys: String, CodingKey {
        case command, lazily, path, paths, seconds, run, bytes
        case leavesUnsent = "leaves_unsent"
    }
}

/// The driver's answer: one line of JSON.
package struct ControlAnswer: Codable, Sendable, Hashable {
    package var status: MountReport?
    package var progress: ProgressReport?
    package var locks: [LockReport]?
    package var warm: WarmReport?
    package var cache: CacheReport?
    package var trimming: TrimReport?
    /// Why the request failed; nil where it didn't.
    package var failure: String?
    package var remedy: String?
    /// The driver is about to end; the connection ends with it.
    package var isEnding: Bool?

    package init(
        status: MountReport? = nil, progress: ProgressReport? = nil,
        locks: [LockReport]? = nil, warm: WarmReport? = nil, cache: CacheReport? = nil,
        trimming: TrimReport? = nil, failure: ServiceFailure? = nil, isEnding: Bool? = nil
    ) {
        self.status = status
        self.progress = progress
        self.locks = locks
        self.warm = warm
        self.cache = cache
        self.trimming = trimming
        self.failure = failure?.message
        remedy = failure?.remedy
        self.isEnding = isEnding
    }

    /// Bytes of the longest answer line: a status with its bounded lists.
    static let limit = 1 << 20

    enum CodingKeys: String, CodingKey {
        case status, progress, locks, warm, cache, trimming, failure, remedy
        case isEnding = "is_ending"
    }
}
