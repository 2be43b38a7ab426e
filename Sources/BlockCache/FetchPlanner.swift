import FileSystemTypes

/// Decides which ranges to ask the server for next.
struct FetchPlanner: Hashable, Sendable {
    /// What is known when the next requests are chosen.
    struct Situation {
        var map: BlockMap
        /// Ranges still to come from requests under way.
        var inFlight: [ByteRange]
        /// Ranges that readers wait for.
        var needed: [ByteRange]
        /// What read-ahead would like.
        var ahead: ByteRange
        /// Bytes; a request for readers is not smaller where more is missing.
        var smallest: Int64
    }

    /// Bytes; read-ahead asks for no less at a time.
    let minimumRequest: Int64
    /// Bytes; longer stretches become several requests.
    let maximumRequest: Int64
    /// Requests at a time while nobody waits for them.
    let aheadParallelism: Int
    /// Requests at a time in all.
    let parallelism: Int
    /// Requests at a time in all for readers that jump about: they wait for answers, not for bytes.
    let seekingParallelism: Int

    /// Block-aligned ranges to request now, what readers wait for first; none twice.
    func requests(in situation: Situation) -> [ByteRange] {
        let map = situation.map
        var taken = ByteRangeSet()
        for range in situation.inFlight { taken.insert(range) }
        var requests: [ByteRange] = []
        func add(_ wanted: ByteRange, slots: Int, atLeast smallest: Int64) {
            for run in missingRuns(in: wanted, map: map, taken: taken) {
                var rest = extended(run, to: smallest, map: map, taken: taken)
                while !rest.isEmpty {
                    guard situation.inFlight.count + requests.count < slots else { return }
                    let piece = firstPiece(of: rest, geometry: map.geometry)
                    requests.append(piece)
                    taken.insert(piece)
                    rest.lowerBound = piece.upperBound
                }
            }
        }
        let slots = situation.smallest < minimumRequest ? seekingParallelism : parallelism
        for range in situation.needed {
            add(range, slots: slots, atLeast: situation.smallest)
        }
        if isWorthwhile(situation.ahead, map: map, taken: taken) {
            add(situation.ahead, slots: aheadParallelism, atLeast: 0)
        }
        return requests
    }

    /// Read-ahead is asked for in stretches, not block by block as the reader moves on.
    private func isWorthwhile(_ ahead: ByteRange, map: BlockMap, taken: ByteRangeSet) -> Bool {
        let ahead = map.geometry.clipped(ahead)
        let missing = missingRuns(in: ahead, map: map, taken: taken).reduce(0) { $0 + $1.count }
        return missing > 0
            && (missing >= min(minimumRequest, ahead.count)
                || ahead.upperBound == map.geometry.size)
    }

    /// Stretches of blocks that are neither on disk nor on their way.
    private func missingRuns(
        in range: ByteRange, map: BlockMap, taken: ByteRangeSet
    ) -> [ByteRange] {
        let geometry = map.geometry
        var runs: [ByteRange] = []
        for gap in taken.missing(in: geometry.range(of: geometry.blocks(in: range))) {
            for block in geometry.blocks(in: gap) where !map.present[block] {
                let bytes = geometry.range(of: block)
                if let end = runs.last?.upperBound, end >= bytes.lowerBound {
                    runs[runs.count - 1].upperBound = bytes.upperBound
                } else {
                    runs.append(bytes)
                }
            }
        }
        return runs
    }

    /// Grows a short run over the missing blocks behind it, up to the smallest request.
    private func extended(
        _ run: ByteRange, to smallest: Int64, map: BlockMap, taken: ByteRangeSet
    ) -> ByteRange {
        var run = run
        while run.count < smallest, run.upperBound < map.geometry.size {
            let block = map.geometry.block(at: run.upperBound)
            let next = map.geometry.range(of: block)
            guard !map.present[block], !taken.contains(next) else { break }
            run.upperBound = next.upperBound
        }
        return run
    }

    private func firstPiece(of run: ByteRange, geometry: BlockGeometry) -> ByteRange {
        let blocks = max(1, maximumRequest / geometry.blockSize)
        let end = min(run.upperBound, run.lowerBound + blocks * geometry.blockSize)
        return ByteRange(run.lowerBound, end)
    }
}
