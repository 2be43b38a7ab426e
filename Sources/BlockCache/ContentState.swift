import CloudStorage
import FileSystemTypes

/// Everything of one content that changes while it is in use; guarded by its content's mutex.
struct ContentState: Sendable {
    /// A reader that waits for a range.
    struct Waiter: Sendable {
        let range: ByteRange
        let continuation: CheckedContinuation<Result<Void, CloudStorageError>, Never>
    }

    /// Waiting readers to answer once the mutex is free.
    struct Answer: Sendable {
        let waiter: Waiter
        let result: Result<Void, CloudStorageError>
    }

    /// How far the question whether the version still stands has got.
    enum Confirmation: Sendable {
        case idle
        /// To be asked, together with questions about other contents.
        case waiting
        /// Asked for these blocks; `again` where more arrived since.
        case running([Int], again: Bool)
    }

    /// More readers of one content than any kernel queue holds.
    static let waiterLimit = 4096

    var map: BlockMap
    var item: ItemReference
    var board: FetchBoard
    var window: ReadAheadWindow
    /// Bytes to ask for at least, by what is known of the line.
    var piece: Int64 = 0
    /// What read-ahead would like to have.
    var ahead = ByteRange(0, 0)
    var confirmation = Confirmation.idle
    /// What fetches under way have, but not on disk yet.
    var staged: [UInt64: (filler: BlockFiller, bytes: ByteRange)] = [:]
    /// Somebody waits for the answer.
    var isConfirmationAwaited = false
    /// Uses that were not released yet.
    var readers = 0
    /// Fetches and confirmations under way; they keep the content alive like readers.
    var activities = 0
    /// Who waits for the end of all activities; only where the cache is sequential.
    var sequentialReaders: [CheckedContinuation<Void, Never>] = []
    /// The server has another version now.
    var isStale = false
    /// The cache no longer knows this content; its files are unlinked.
    var isForgotten = false
    /// The cache was closed: nothing more is fetched.
    var isClosed = false
    var isRetiring = false
    /// Confirmed blocks are missing in the sidecar.
    var isDirty: Bool
    private(set) var waiters: [UInt64: Waiter] = [:]
    private var nextWaiter: UInt64 = 0

    init(map: BlockMap, item: ItemReference, board: FetchBoard, window: ReadAheadWindow) {
        self.map = map
        self.item = item
        self.board = board
        self.window = window
        isDirty = map.isComplete && map.geometry.size == 0
    }

    var isIdle: Bool { readers == 0 && activities == 0 }

    static let staleError = CloudStorageError(
        .revisionChanged, "the server has another version of the file now")

    static let closedError = CloudStorageError(.cancelled, "the block cache was closed")

    // MARK: Fetching

    /// The requests to start now; each counts as an activity until `fetchEnded` says it is over.
    mutating func plan() -> [FetchRequest] {
        guard !isStale, !isClosed else { return [] }
        // Who has waited longest comes first: there may be more readers than requests at a time.
        let needed = waiters.keys.sorted().compactMap { waiters[$0]?.range }
        let requests = board.plan(
            needed: needed, ahead: readers > 0 ? ahead : ByteRange(0, 0),
            smallest: window.smallestRequest(piece: piece), map: map, item: item)
        activities += requests.count
        return requests
    }

    /// Notes a read and moves the read-ahead.
    mutating func noteRead(_ range: ByteRange) {
        ahead = map.geometry.clipped(window.note(range))
    }

    /// A block is whole on disk; returns its bytes if new, and who can go on.
    mutating func blockArrived(
        _ block: Int, checksum: UInt32
    ) -> (newBytes: Int64, answers: [Answer]) {
        guard !isStale, map.insertFetched(block, checksum: checksum) else { return (0, []) }
        let bytes = map.geometry.range(of: block)
        return (bytes.count, answersToReaders(of: bytes))
    }

    /// A fetch has brought bytes up to `position`; returns who can go on.
    /// - Parameter arrived: those of the block under way that are on disk, from the block's start.
    mutating func fetchAdvanced(
        _ id: UInt64, to position: Int64, arrived: ByteRange
    ) throws(CloudStorageError) -> [Answer] {
        try board.advanced(id, to: position, arrived: arrived, geometry: map.geometry)
        return arrived.isEmpty || waiters.isEmpty ? [] : answersToReaders(of: arrived)
    }

    /// Whether a reader waits for some of these bytes, and for nothing after them.
    func isAwaited(_ bytes: ByteRange) -> Bool {
        waiters.values.contains { Self.ends($0.range, in: bytes) }
    }

    /// Which fetches have the end of a range, but not on disk yet.
    func fillers(holding range: ByteRange) -> [BlockFiller] {
        staged.values.compactMap { Self.ends(range, in: $0.bytes) ? $0.filler : nil }
    }

    private static func ends(_ range: ByteRange, in bytes: ByteRange) -> Bool {
        range.upperBound <= bytes.upperBound && range.intersection(bytes) != nil
    }

    /// What a range needs before it can be read: as the map says, but where a block is on its way,
    /// only the bytes that are asked for must have come.
    func readiness(of range: ByteRange) -> BlockMap.Readiness {
        let readiness = map.readiness(of: range)
        guard readiness == .missing, !board.isEmpty else { return readiness }
        var found = BlockMap.Readiness.ready
        for block in map.geometry.blocks(in: range) {
            let bytes = map.geometry.range(of: block)
            switch map.readiness(of: bytes) {
            case .ready: break
            case .unverified: found = .unverified
            case .missing:
                guard let needed = bytes.intersection(range), board.hasArrived(needed) else {
                    return .missing
                }
            }
        }
        return found
    }

    /// Ends the wait of those who need some of these bytes and have all others.
    private mutating func answersToReaders(of bytes: ByteRange) -> [Answer] {
        var answers: [Answer] = []
        for (id, waiter) in waiters
        where waiter.range.intersection(bytes) != nil && readiness(of: waiter.range) != .missing {
            waiters[id] = nil
            answers.append(Answer(waiter: waiter, result: .success(())))
        }
        return answers
    }

    // MARK: Waiting

    enum Admission: Sendable {
        case ready
        case unverified
        case waiting(UInt64)
        case refused(CloudStorageError)
    }

    /// Lets a reader go on or makes it wait.
    mutating func admit(_ waiter: Waiter) -> Admission {
        switch readiness(of: waiter.range) {
        case .ready: return .ready
        case .unverified: return .unverified
        case .missing: break
        }
        if isStale { return .refused(Self.staleError) }
        if isClosed { return .refused(Self.closedError) }
        guard waiters.count < Self.waiterLimit else {
            return .refused(
                CloudStorageError(.temporarilyUnavailable, "too many readers wait for one file"))
        }
        nextWaiter += 1
        waiters[nextWaiter] = waiter
        return .waiting(nextWaiter)
    }

    mutating func removeWaiter(_ id: UInt64) -> Waiter? { waiters.removeValue(forKey: id) }

    /// Ends the wait of everybody who needs a missing byte of the range.
    mutating func failWaiters(in range: ByteRange, with error: CloudStorageError) -> [Answer] {
        var answers: [Answer] = []
        for (id, waiter) in waiters {
            guard let shared = waiter.range.intersection(range),
                map.readiness(of: shared) == .missing
            else { continue }
            waiters[id] = nil
            answers.append(Answer(waiter: waiter, result: .failure(error)))
        }
        return answers
    }

    // MARK: Confirmation

    /// Bytes after which the server is asked although more are on their way.
    private static let mostUnconfirmed: Int64 = 32 << 20

    /// Whether to ask now, when a fetch has ended: one question is enough for all that come together.
    var isConfirmationDue: Bool {
        board.isEmpty || map.isComplete
            || map.unconfirmedCount * map.geometry.blockSize >= Self.mostUnconfirmed
    }

    /// What to do about blocks that the server has not stood by yet.
    enum ConfirmationStep: Sendable {
        case nothing
        /// The question is put to those that are asked together.
        case waits
        case asks(ItemReference)
    }

    /// Begins a question, which counts as an activity, where one is needed and none is under way.
    mutating func beginConfirmation(mayWait: Bool) -> ConfirmationStep {
        guard !isStale, map.hasUnconfirmed else { return .nothing }
        switch confirmation {
        case .running(let blocks, _):
            confirmation = .running(blocks, again: true)
            return .nothing
        case .waiting: return .nothing
        case .idle:
            activities += 1
            if mayWait && !isConfirmationAwaited {
                confirmation = .waiting
                return .waits
            }
            confirmationIsAsked()
            return .asks(item)
        }
    }

    /// A question goes out, about the blocks that are here now.
    mutating func confirmationIsAsked() {
        confirmation = .running(map.unconfirmedBlocks, again: false)
    }

    /// The server stands by the version, or can't be asked (`nil`); returns whether to ask again.
    ///
    /// The activity goes on until what follows from the answer is done.
    mutating func confirmationEnded(stands: Bool?) -> Bool {
        guard case .running(let blocks, let again) = confirmation else {
            // It waited, and nobody is asked any more.
            confirmation = .idle
            return false
        }
        confirmation = .idle
        if stands == true {
            map.confirm(blocks)
            isDirty = true
        }
        return again
    }

    /// Another version is on the server: what was not confirmed goes, and nothing more is fetched.
    mutating func becomeStale() -> (
        removedBytes: Int64, answers: [Answer], tasks: [Task<Void, Never>]
    ) {
        isStale = true
        let removed = map.remove(map.unconfirmedBlocks)
        let answers = failWaiters(in: map.geometry.whole, with: Self.staleError)
        return (removed, answers, board.giveUp(all: true))
    }
}
