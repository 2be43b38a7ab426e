import CloudStorage
import FileSystemTypes

/// The requests under way for one content: which to start, resume, give up.
///
/// A state machine without I/O, clock or lock.
struct FetchBoard: Sendable {
    /// What became of a request that ended.
    enum Ending: Sendable {
        /// Done, or given up: look for what is still missing.
        case finished
        /// Broken in the middle: take it up again.
        case resumed(FetchRequest)
        /// Whoever waits for these bytes gets the error.
        case failed(ByteRange, CloudStorageError)
    }

    static let resumptionLimit = 3

    let planner: FetchPlanner
    private(set) var fetches: [UInt64: Fetch] = [:]
    /// The server can't send ranges: one stream brings everything.
    private(set) var streamsWhole = false
    /// A server's answer proved that ranges work, or its capabilities say so.
    private(set) var rangesWork = false
    /// After a failure nothing is fetched ahead until something arrived again.
    private(set) var aheadIsSuspended = false
    private var nextID: UInt64 = 0

    init(planner: FetchPlanner) { self.planner = planner }

    var isEmpty: Bool { fetches.isEmpty }

    /// Takes in what the cloud knows of itself.
    mutating func note(supportsRanges: Bool?) {
        if supportsRanges == false { streamsWhole = true }
        if supportsRanges == true { rangesWork = true }
    }

    /// The requests to start now.
    /// - Parameter smallest: bytes of a request for readers at least, where so many are missing.
    mutating func plan(
        needed: [ByteRange], ahead: ByteRange, smallest: Int64, map: BlockMap,
        item: ItemReference
    ) -> [FetchRequest] {
        let geometry = map.geometry
        let ahead = aheadIsSuspended ? ByteRange(0, 0) : ahead
        if streamsWhole || geometry.size <= planner.minimumRequest {
            let isMissing = needed.contains { map.readiness(of: $0) == .missing }
            guard isMissing, !fetches.values.contains(where: { $0.isWhole && !$0.isGivenUp })
            else { return [] }
            return [begin(geometry.whole, isWhole: true, item: item)]
        }
        // Until the first answer shows how the server takes ranges, one request is enough.
        if !rangesWork && !fetches.isEmpty { return [] }
        let live = fetches.values.filter { !$0.isGivenUp }
        var ranges = planner.requests(
            in: FetchPlanner.Situation(
                map: map, inFlight: live.map { $0.remaining(in: geometry) }, needed: needed,
                ahead: ahead, smallest: smallest))
        if !rangesWork { ranges = Array(ranges.prefix(1)) }
        return ranges.map { begin($0, isWhole: false, item: item) }
    }

    private mutating func begin(
        _ range: ByteRange, isWhole: Bool, item: ItemReference
    ) -> FetchRequest {
        nextID += 1
        fetches[nextID] = Fetch(id: nextID, range: range, isWhole: isWhole)
        return FetchRequest(id: nextID, item: item, range: isWhole ? nil : range)
    }

    /// Attaches the task that runs a request; returns whether to cancel it at once.
    mutating func attach(_ task: Task<Void, Never>, to id: UInt64) -> Bool {
        guard fetches[id] != nil else { return false }
        fetches[id]?.task = task
        return fetches[id]?.isGivenUp ?? false
    }

    /// The server answers a request with bytes from `offset` on.
    mutating func began(
        _ id: UInt64, at offset: Int64, geometry: BlockGeometry
    ) throws(CloudStorageError) {
        guard let fetch = fetches[id], !fetch.isGivenUp else {
            throw CloudStorageError(.cancelled, "the fetch was given up")
        }
        guard offset <= fetch.range.lowerBound else {
            throw CloudStorageError(.invalidAnswer, "the bytes begin after those asked for")
        }
        if offset < fetch.range.lowerBound {
            guard offset == 0 else {
                throw CloudStorageError(.invalidAnswer, "the bytes begin before those asked for")
            }
            try becomeWhole(id, geometry: geometry)
            fetches[id]?.range = geometry.whole
        } else if offset > 0 {
            rangesWork = true
        }
        fetches[id]?.position = offset
    }

    /// Whether bytes of a block under way are on disk.
    func hasArrived(_ bytes: ByteRange) -> Bool {
        fetches.values.contains { $0.arrived.contains(bytes) }
    }

    /// Bytes of a request arrived up to `position`.
    /// - Parameter arrived: those of the block under way that it has written, from the block's start.
    mutating func advanced(
        _ id: UInt64, to position: Int64, arrived: ByteRange, geometry: BlockGeometry
    ) throws(CloudStorageError) {
        guard let fetch = fetches[id], !fetch.isGivenUp else {
            throw CloudStorageError(.cancelled, "the fetch was given up")
        }
        aheadIsSuspended = false
        if position > fetch.range.upperBound {
            try becomeWhole(id, geometry: geometry)
            fetches[id]?.range.upperBound = geometry.size
        }
        fetches[id]?.position = position
        // Taken up again, it brings the same bytes of the block once more.
        let old = fetch.arrived
        let isBehind =
            old.lowerBound == arrived.lowerBound && old.upperBound > arrived.upperBound
        if !arrived.isEmpty, !isBehind { fetches[id]?.arrived = arrived }
    }

    /// What arrived of blocks under way is no longer on disk.
    mutating func forgetArrived() {
        for id in fetches.keys { fetches[id]?.arrived = ByteRange(0, 0) }
    }

    /// A server that sends more than was asked for sends everything: one such stream is enough.
    private mutating func becomeWhole(
        _ id: UInt64, geometry: BlockGeometry
    ) throws(CloudStorageError) {
        streamsWhole = true
        rangesWork = false
        if fetches.values.contains(where: { $0.id != id && $0.isWhole && !$0.isGivenUp }) {
            fetches[id]?.isGivenUp = true
            throw CloudStorageError(.cancelled, "another stream brings the same bytes")
        }
        fetches[id]?.isWhole = true
    }

    /// A request ended, with an error or without.
    /// - Parameter canResume: whether the failure may be got over by asking again.
    mutating func ended(
        _ id: UInt64, error: CloudStorageError?, canResume: Bool, map: BlockMap,
        item: ItemReference
    ) -> Ending {
        guard var fetch = fetches.removeValue(forKey: id) else { return .finished }
        guard let error = error ?? shortfall(of: fetch) else {
            if !fetch.isWhole && fetch.position != nil { rangesWork = !streamsWhole }
            return .finished
        }
        if fetch.isGivenUp { return .finished }
        guard canResume, fetch.position != nil, fetch.resumptions < Self.resumptionLimit else {
            aheadIsSuspended = true
            return .failed(fetch.range, error)
        }
        fetch.resumptions += 1
        if !fetch.isWhole || rangesWork { fetch.range = fetch.remaining(in: map.geometry) }
        let asksWhole = fetch.range == map.geometry.whole
        fetch.isWhole = fetch.isWhole || asksWhole
        fetch.position = nil
        fetches[id] = fetch
        return .resumed(FetchRequest(id: id, item: item, range: asksWhole ? nil : fetch.range))
    }

    private func shortfall(of fetch: Fetch) -> CloudStorageError? {
        guard (fetch.position ?? 0) < fetch.range.upperBound else { return nil }
        return CloudStorageError(.invalidAnswer, "the server sent fewer bytes than it announced")
    }

    /// Gives up what nobody waits for any more, except what is nearly here.
    mutating func giveUp(all: Bool) -> [Task<Void, Never>] {
        var tasks: [Task<Void, Never>] = []
        for (id, fetch) in fetches where !fetch.isGivenUp && (all || !fetch.isMostlyDone) {
            fetches[id]?.isGivenUp = true
            fetches[id]?.arrived = ByteRange(0, 0)
            if let task = fetch.task { tasks.append(task) }
        }
        return tasks
    }
}
