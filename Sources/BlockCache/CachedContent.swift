import CloudStorage
package import FileSystemTypes
import Synchronization

/// The content of one version of one file, shared by all its readers.
///
/// Calls may come from any thread, in parallel. Those that aren't `async` may block on the local
/// disk and don't belong on Swift's cooperative pool.
package final class CachedContent: Sendable {
    package let key: ContentKey
    /// Bytes of the whole content.
    package let size: Int64

    let cache: BlockCache
    let cloud: any CloudStorage
    /// The entry's name in the cache folder.
    let name: String
    let file: ContentFile
    let geometry: BlockGeometry
    let state: Mutex<ContentState>

    /// What one content is made from.
    struct Parts: Sendable {
        var key: ContentKey
        var name: String
        var file: ContentFile
        var map: BlockMap
        var item: ItemReference
    }

    init(_ parts: Parts, cache: BlockCache, cloud: any CloudStorage) {
        key = parts.key
        size = parts.map.geometry.size
        name = parts.name
        file = parts.file
        geometry = parts.map.geometry
        self.cache = cache
        self.cloud = cloud
        let settings = cache.configuration
        let planner = FetchPlanner(
            minimumRequest: max(settings.minimumRequest, geometry.blockSize),
            maximumRequest: max(settings.maximumRequest, geometry.blockSize),
            aheadParallelism: settings.parallelRequests,
            parallelism: settings.parallelRequests * 2,
            seekingParallelism: settings.parallelRequests * 4)
        let window = ReadAheadWindow(
            minimum: max(settings.minimumRequest, geometry.blockSize),
            limit: settings.readAheadLimit,
            tolerance: max(min(1 << 18, settings.minimumRequest / 4), geometry.blockSize))
        state = Mutex(
            ContentState(
                map: parts.map, item: parts.item, board: FetchBoard(planner: planner),
                window: window))
        takeUpLine()
    }

    /// Has requests go by what is known of the line now.
    func takeUpLine() {
        let parallel = cache.configuration.parallelRequests * 4
        let piece = cache.line.withLock { $0.piece(parallel: parallel) }
        state.withLock { $0.piece = piece }
    }

    /// Whether every byte is on this machine; some may still have to be verified.
    package var isComplete: Bool { state.withLock { $0.map.isComplete } }

    /// Whether every byte is on this machine and was checked since the cache was opened.
    package var isVerified: Bool { state.withLock { $0.map.isVerified } }

    /// Whether the server turned out to have another version; missing bytes can't be had then.
    package var isStale: Bool { state.withLock { $0.isStale } }

    /// Whether every byte of the range is on this machine; the part past the end doesn't count.
    package func hasAll(_ range: ByteRange) -> Bool {
        state.withLock { $0.map.readiness(of: range) != .missing }
    }

    /// Ends one use; must be called once for each `BlockCache.content`, after its last read.
    package func release() {
        let tasks = state.withLock { state in
            state.readers -= 1
            return state.readers == 0 ? state.board.giveUp(all: false) : []
        }
        for task in tasks { task.cancel() }
        let asks = !cache.configuration.isSequential
        if asks, state.withLock({ $0.readers == 0 }) { confirm() }
        retireIfIdle()
    }

    // MARK: For the cache

    /// Counts one more use.
    func retain(item: ItemReference) {
        state.withLock {
            $0.readers += 1
            $0.item = item
        }
    }

    /// Hands the content to the cache for storing once nobody uses it.
    func retireIfIdle() {
        let isDue = state.withLock { state in
            guard state.isIdle, !state.isRetiring else { return false }
            state.isRetiring = true
            return true
        }
        if isDue { cache.retire(self) }
    }

    /// Ends an activity that `plan` or `beginConfirmation` counted.
    func endActivity() {
        state.withLock { $0.activities -= 1 }
        retireIfIdle()
        resumeSequentialReaders()
    }

    /// Waits until no fetch and no question to the server is under way.
    func activitiesEnded() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.activities > 0 else { return true }
                state.sequentialReaders.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    func resumeSequentialReaders() {
        let readers = state.withLock { state in
            guard state.activities == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.sequentialReaders = [] }
            return state.sequentialReaders
        }
        for reader in readers { reader.resume() }
    }

    /// Resumes waiting readers; not under the mutex.
    func deliver(_ answers: [ContentState.Answer]) {
        for answer in answers { answer.waiter.continuation.resume(returning: answer.result) }
    }
}
