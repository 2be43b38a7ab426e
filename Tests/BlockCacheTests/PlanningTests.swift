import FileSystemTypes
import Testing

@testable import BlockCache

@Suite struct ReadAheadWindowTests {
    private func window() -> ReadAheadWindow {
        ReadAheadWindow(minimum: 100, limit: 800, tolerance: 50)
    }

    @Test func growsWhileReadsAreSequential() {
        var window = window()
        var lengths: [Int64] = []
        for start in stride(from: Int64(0), to: 60, by: 10) {
            let ahead = window.note(ByteRange(start, start + 10))
            #expect(ahead.lowerBound == start + 10)
            lengths.append(ahead.count)
        }
        #expect(lengths == [100, 200, 400, 800, 800, 800])
    }

    @Test func aRepeatedReadDoesNotGrowIt() {
        var window = window()
        _ = window.note(ByteRange(0, 10))
        let ahead1 = window.note(ByteRange(0, 10))
        #expect(ahead1 == ByteRange(10, 110))
    }

    @Test func aSeekResetsIt() {
        var window = window()
        _ = window.note(ByteRange(0, 10))
        let ahead2 = window.note(ByteRange(5000, 5010))
        #expect(ahead2.isEmpty)
        let ahead3 = window.note(ByteRange(5010, 5020))
        #expect(ahead3.count == 100)
        let ahead4 = window.note(ByteRange(0, 10))
        #expect(ahead4.isEmpty)
    }

    @Test func aReaderThatJumpsAboutAsksForLittle() {
        var window = window()
        #expect(window.smallestRequest(piece: 0) == 100)
        var sizes: [Int64] = []
        for start: Int64 in [5000, 90_000, 20_000, 70_000] {
            // Once when it asks, once when it is answered.
            _ = window.note(ByteRange(start, start + 10))
            _ = window.note(ByteRange(start, start + 10))
            sizes.append(window.smallestRequest(piece: 0))
        }
        #expect(sizes == [100, 25, 6, 1])
        _ = window.note(ByteRange(70_010, 70_020))
        #expect(window.smallestRequest(piece: 0) == 100)
    }

    @Test func oneReadThatGoesOnByChanceIsNoReasonToAskForMore() {
        var window = window()
        for start in stride(from: Int64(5000), to: 100_000, by: 5000) {
            _ = window.note(ByteRange(start, start + 10))
        }
        _ = window.note(ByteRange(50_010, 50_020))
        #expect(window.smallestRequest(piece: 0) == 1)
        _ = window.note(ByteRange(50_020, 50_030))
        #expect(window.smallestRequest(piece: 0) == 100)
    }

    @Test func readersThatTakeTurnsDoNotJumpAbout() {
        var window = window()
        for turn: Int64 in 0..<20 {
            for reader: Int64 in 1...4 {
                let start = reader * 10_000 + turn * 100
                let isFirst = turn == 0
                _ = window.note(ByteRange(start, start + 100))
                #expect(isFirst || window.smallestRequest(piece: 0) == 100)
            }
        }
    }

    @Test func whatIsAsGoodAsFreeIsAskedForByWhoJumpsAboutToo() {
        var window = window()
        for place in 1...8 {
            _ = window.note(ByteRange(Int64(place) * 10_000, Int64(place) * 10_000 + 1))
        }
        #expect(window.smallestRequest(piece: 0) == 0)
        #expect(window.smallestRequest(piece: 30) == 30)
        #expect(window.smallestRequest(piece: 1_000) == 100)
    }

    @Test func requestsOutOfOrderAreSequential() {
        var window = window()
        _ = window.note(ByteRange(0, 20))
        let ahead5 = window.note(ByteRange(40, 60))
        #expect(ahead5.count == 200)
        let ahead6 = window.note(ByteRange(20, 40))
        #expect(ahead6 == ByteRange(60, 260))
    }
}

@Suite struct FetchPlannerTests {
    private let geometry = BlockGeometry(size: 1050, blockSize: 10)
    private let planner = FetchPlanner(
        minimumRequest: 40, maximumRequest: 80, aheadParallelism: 2, parallelism: 4,
        seekingParallelism: 8)

    private func plan(
        present: [Int] = [], inFlight: [ByteRange] = [], needed: [ByteRange] = [],
        ahead: ByteRange = ByteRange(0, 0), smallest: Int64 = 40
    ) -> [ByteRange] {
        var map = BlockMap(geometry: geometry)
        for block in present { _ = map.insertFetched(block, checksum: 0) }
        return planner.requests(
            in: FetchPlanner.Situation(
                map: map, inFlight: inFlight, needed: needed, ahead: ahead, smallest: smallest))
    }

    @Test func asksForWholeBlocksAndNotTooFew() {
        #expect(plan(needed: [ByteRange(105, 106)]) == [ByteRange(100, 140)])
        #expect(plan(needed: [ByteRange(1045, 1046)]) == [ByteRange(1040, 1050)])
    }

    @Test func asksForTheBlocksAloneThatAReaderNeedsWhoJumpsAbout() {
        #expect(
            plan(needed: [ByteRange(105, 106), ByteRange(505, 512)], smallest: 0)
                == [ByteRange(100, 110), ByteRange(500, 520)])
        #expect(plan(needed: [ByteRange(105, 106)], smallest: 20) == [ByteRange(100, 120)])
    }

    @Test func stopsBeforeWhatIsThereOrComing() {
        #expect(plan(present: [12], needed: [ByteRange(105, 106)]) == [ByteRange(100, 120)])
        #expect(
            plan(inFlight: [ByteRange(110, 200)], needed: [ByteRange(105, 106)])
                == [ByteRange(100, 110)])
        #expect(plan(inFlight: [ByteRange(90, 200)], needed: [ByteRange(105, 106)]).isEmpty)
        #expect(plan(present: [10], needed: [ByteRange(100, 110)]).isEmpty)
    }

    @Test func manyReadersOfOneBlockMakeOneRequest() {
        let wanted = ByteRange(100, 110)
        #expect(plan(needed: [wanted, wanted, ByteRange(105, 107)]) == [ByteRange(100, 140)])
    }

    @Test func splitsLongStretchesAndKeepsTheLimit() {
        #expect(
            plan(needed: [ByteRange(0, 1050)])
                == [ByteRange(0, 80), ByteRange(80, 160), ByteRange(160, 240), ByteRange(240, 320)])
        let busy = [ByteRange(900, 910), ByteRange(920, 930), ByteRange(940, 950)]
        #expect(plan(inFlight: busy, needed: [ByteRange(0, 500)]) == [ByteRange(0, 80)])
    }

    @Test func readsAheadWithFewerRequestsAndInStretches() {
        #expect(
            plan(ahead: ByteRange(100, 700)) == [ByteRange(100, 180), ByteRange(180, 260)])
        #expect(plan(inFlight: [ByteRange(100, 680)], ahead: ByteRange(100, 700)).isEmpty)
        #expect(
            plan(inFlight: [ByteRange(900, 1030)], ahead: ByteRange(900, 1050))
                == [ByteRange(1030, 1050)])
        #expect(
            plan(
                inFlight: [ByteRange(0, 10), ByteRange(20, 30)], ahead: ByteRange(100, 700)
            ).isEmpty)
    }
}

@Suite struct EvictionOrderTests {
    private typealias Order = EvictionOrder<Int>

    private let candidates = [
        Order.Candidate(name: 1, bytes: 10, lastUse: 30),
        Order.Candidate(name: 2, bytes: 20, lastUse: 10),
        Order.Candidate(name: 3, bytes: 30, lastUse: 20),
    ]

    private func victims(bytes: Int64, entries: Int) -> [Int] {
        Order.victims(
            among: candidates, meeting: Order.Demand(bytes: bytes, entries: entries)
        ).map(\.name)
    }

    @Test func takesTheLeastRecentlyUsedFirst() {
        #expect(victims(bytes: 0, entries: 0).isEmpty)
        #expect(victims(bytes: 1, entries: 0) == [2])
        #expect(victims(bytes: 20, entries: 0) == [2])
        #expect(victims(bytes: 21, entries: 0) == [2, 3])
        #expect(victims(bytes: 0, entries: 2) == [2, 3])
        #expect(victims(bytes: 1000, entries: 0) == [2, 3, 1])
    }
}
