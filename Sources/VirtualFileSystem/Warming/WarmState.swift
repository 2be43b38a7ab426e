import BlockCache
import FileSystemTypes

/// What one fetching ahead knows of itself; guarded by its run's mutex.
struct WarmState: Sendable {
    /// A file that is being fetched.
    private struct UnderWay: Sendable {
        let file: WarmFile
        /// Nil until it is opened, and when it was let go of.
        var content: CachedContent?
        /// Bytes that were still to come when it was let go of.
        var left: Int64?
        /// Bytes of the content that were here before.
        var before: Int64 = 0

        var present: Int64 { content?.presentBytes ?? 0 }
        /// Bytes that are still to come.
        var missing: Int64 { content.map { $0.size - present } ?? left ?? file.missing }
        /// Whether it is one of the cache's entries.
        var isEntry: Bool { content != nil || left != nil }
        var fetched: Int64 { max(0, present - before) }
    }

    /// So many calls one after the other that did not reach the server end the run.
    private static let silenceLimit = 16

    private var known = WarmProgress()
    var queue: WarmQueue
    private var underWay: [UInt64: UnderWay] = [:]
    private var nextToken: UInt64 = 0
    private var unreached = 0
    var waiters: [Latch<Void>] = []
    /// Monotonic seconds of the last question how far it is.
    var heardAt: Double
    private var room: (value: CacheRoom, at: Double)?

    init(fileLimit: Int, at now: Double) {
        queue = WarmQueue(fileLimit: fileLimit)
        heardAt = now
    }

    var progress: WarmProgress {
        var progress = known
        progress.refusal = queue.refusal
        for file in underWay.values {
            progress.bytesDone += file.present
            progress.bytesFetched += file.fetched
        }
        return progress
    }

    // MARK: Listing

    mutating func foundFolder() { known.folders += 1 }

    /// Counts a file that is here.
    mutating func found(here size: Int64) {
        known.files += 1
        known.filesHere += 1
        known.bytes += size
        known.bytesHere += size
        known.bytesDone += size
    }

    mutating func found(_ file: WarmFile) {
        known.files += 1
        known.bytes += file.size
        queue.add(file)
    }

    mutating func endListing(room: CacheRoom) {
        known.isListing = false
        queue.settle(in: room)
    }

    // MARK: Fetching

    /// Whether the room has to be looked at again before the next file.
    func needsRoom(at now: Double) -> Bool { room.map { now - $0.at > 1 } ?? true }

    /// Takes what the cache has room for, less what is still to come of the files under way.
    mutating func note(room: CacheRoom, at now: Double) {
        var room = room
        for file in underWay.values where !file.file.isLink {
            room.bytes -= file.missing
            if !file.isEntry { room.entries -= 1 }
        }
        self.room = (room, now)
    }

    /// The next file to fetch, and what it is called from now on.
    mutating func next() -> (token: UInt64, file: WarmFile)? {
        guard let value = room?.value, let file = queue.next(in: value) else { return nil }
        if !file.isLink {
            room?.value.bytes -= file.missing
            room?.value.entries -= 1
        }
        nextToken += 1
        underWay[nextToken] = UnderWay(file: file)
        return (nextToken, file)
    }

    mutating func begin(_ token: UInt64, _ content: CachedContent) {
        underWay[token]?.content = content
        underWay[token]?.before = content.presentBytes
    }

    /// The content is let go of; another one may follow.
    mutating func leave(_ token: UInt64) {
        guard let file = underWay[token] else { return }
        known.bytesFetched += file.fetched
        underWay[token]?.left = file.missing
        underWay[token]?.content = nil
    }

    private mutating func end(_ token: UInt64) -> WarmFile? {
        guard let file = underWay.removeValue(forKey: token)?.file else { return nil }
        queue.ended(file)
        return file
    }

    /// A file is here now. What it was when it was found may have changed since.
    mutating func finished(_ token: UInt64, size: Int64) {
        guard let file = end(token) else { return }
        unreached = 0
        known.filesFetched += 1
        known.bytes += size - file.size
        known.bytesDone += size
    }

    /// A file is gone from the server, which is no failure.
    mutating func vanished(_ token: UInt64) {
        guard let file = end(token) else { return }
        known.files -= 1
        known.bytes -= file.size
    }

    mutating func failed(_ token: UInt64, _ error: FileSystemError) {
        guard let file = end(token) else { return }
        fail(file.path, error)
    }

    /// Notes a failure; where the server has not been reached for long, all that waits fails with it.
    mutating func fail(_ path: [String], _ error: FileSystemError) {
        note(path, error.message)
        let isUnreached = error.code == .networkUnreachable || error.code == .timedOut
        unreached = isUnreached ? unreached + 1 : 0
        guard unreached >= Self.silenceLimit else { return }
        for file in queue.removeAll() { note(file.path, "not tried: \(error.message)") }
    }

    private mutating func note(_ path: [String], _ reason: String) {
        known.failureCount += 1
        guard known.failures.count < WarmProgress.failureLimit else { return }
        known.failures.append(
            WarmProgress.Failure(path: "/" + path.joined(separator: "/"), reason: reason))
    }

    mutating func end(isCancelled: Bool) {
        known.isListing = false
        known.isOver = true
        known.isCancelled = isCancelled
    }
}
