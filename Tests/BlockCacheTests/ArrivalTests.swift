import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport
import Testing

@testable import BlockCache

/// Reading bytes of a block whose rest is still on its way.
@Suite struct ArrivalTests {
    private func fixture(
        _ change: (inout FakeCloud.Settings) -> Void = { _ in }
    ) throws -> CacheFixture {
        var fixture = try CacheFixture(size: 200_000, change)
        fixture.configuration.blockSize = 64 << 10
        return fixture
    }

    @Test(arguments: [nil, true, false] as [Bool?])
    func aReadIsAnsweredWhenItsBytesHaveCome(supportsRanges: Bool?) async throws {
        let fixture = try fixture {
            $0.supportsRanges = supportsRanges
            $0.gate = 70_000
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<4096)
        try await fixture.check(content, 65_000..<70_000)
        #expect(!content.hasAll(ByteRange(65_536, 65_537)), "the block is not whole")
        #expect(cache.usage.bytes == 64 << 10)
        #expect(try read(content, 65_000..<70_600) == nil)
        let reader = Task { try await fixture.check(content, 69_000..<70_600) }
        try await eventually("it waits") { content.state.withLock { $0.waiters.count } == 1 }
        fixture.cloud.change { $0.gate = .max }
        try await reader.value
        try await fixture.check(content, 0..<200_000)
        content.release()
        cache.close()
    }

    @Test func whatIsCopiedWaitsForItsWholeBlocks() async throws {
        let fixture = try fixture {
            $0.supportsRanges = true
            $0.gate = 70_000
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<70_000)
        let waiter = Task { try await content.ensureWhole(ByteRange(0, 70_000)) }
        try await eventually("it waits") { content.state.withLock { $0.waiters.count } == 1 }
        fixture.cloud.change { $0.gate = .max }
        try await waiter.value
        #expect(content.hasAll(ByteRange(0, 131_072)))
        content.release()
        cache.close()
    }

    @Test func bytesInTheMiddleOfABlockWaitForThoseBeforeThem() async throws {
        let fixture = try fixture {
            $0.supportsRanges = true
            $0.gate = 75_000
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 70_000..<75_000)
        #expect(try read(content, 65_536..<75_000) == Array(fixture.bytes[65_536..<75_000]))
        #expect(try read(content, 65_535..<75_000) == nil)
        content.release()
        cache.close()
    }

    @Test func whatArrivedStaysReadableWhileABrokenFetchIsTakenUpAgain() async throws {
        let fixture = try fixture {
            $0.supportsRanges = true
            $0.cuts = [20_000]
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        fixture.cloud.change { $0.gate = 20_000 }
        try await fixture.check(content, 0..<15_000)
        fixture.cloud.change { $0.gate = 5000 }
        try await eventually("it is taken up again") { fixture.cloud.requests.count == 2 }
        #expect(try read(content, 0..<15_000) == Array(fixture.bytes[..<15_000]))
        fixture.cloud.change { $0.gate = .max }
        try await fixture.check(content, 0..<200_000)
        content.release()
        cache.close()
    }

    @Test func nothingThatArrivedIsReadOnceTheServerHasAnotherVersion() async throws {
        let fixture = try fixture {
            $0.supportsRanges = true
            $0.gate = 20_000
            $0.cuts = [25_000]
            $0.cutError = .revisionChanged
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<20_000)
        fixture.cloud.change { $0.gate = .max }
        try await eventually("the other version is noticed") { content.isStale }
        #expect(try read(content, 0..<20_000) == nil)
        await #expect(throws: CloudStorageError.self) {
            try await content.ensure(ByteRange(0, 20_000))
        }
        content.release()
        cache.close()
    }

    @Test func aStoredBlockIsCheckedAlsoWhereTheNextIsOnItsWay() async throws {
        let fixture = try fixture { $0.supportsRanges = true }
        let cache = try fixture.open()
        let first = try fixture.content(in: cache)
        try await fixture.check(first, 0..<(64 << 10))
        first.release()
        try await fixture.putAway(in: cache)
        cache.close()
        try spoil(try #require(try fixture.folder.files(".data").first), at: 62_000)
        fixture.cloud.change { $0.gate = 80_000 }
        let again = try fixture.open()
        let content = try fixture.content(in: again)
        try await fixture.check(content, 60_000..<80_000)
        content.release()
        fixture.cloud.change { $0.gate = .max }
        again.close()
    }
}

/// What the table of requests knows of bytes that arrived.
@Suite struct FetchBoardTests {
    private let geometry = BlockGeometry(size: 100, blockSize: 10)
    private let item = CacheFixture.item

    private func board() throws -> (FetchBoard, UInt64) {
        var board = FetchBoard(
            planner: FetchPlanner(
                minimumRequest: 40, maximumRequest: 80, aheadParallelism: 2, parallelism: 4,
                seekingParallelism: 8))
        board.note(supportsRanges: true)
        let requests = board.plan(
            needed: [ByteRange(20, 21)], ahead: ByteRange(0, 0), smallest: 40,
            map: BlockMap(geometry: geometry), item: item)
        let id = try #require(requests.first?.id)
        try board.began(id, at: 20, geometry: geometry)
        return (board, id)
    }

    @Test func onlyBytesOfTheBlockUnderWayCount() throws {
        var (board, id) = try board()
        try board.advanced(id, to: 25, arrived: ByteRange(20, 25), geometry: geometry)
        #expect(board.hasArrived(ByteRange(20, 25)))
        #expect(!board.hasArrived(ByteRange(20, 26)))
        try board.advanced(id, to: 33, arrived: ByteRange(30, 33), geometry: geometry)
        #expect(board.hasArrived(ByteRange(31, 33)))
        #expect(!board.hasArrived(ByteRange(20, 25)))
    }

    @Test func theVersionIsAskedForWhenAllIsHereAlthoughARequestLasts() throws {
        var state = ContentState(
            map: BlockMap(geometry: geometry), item: item, board: try board().0,
            window: ReadAheadWindow(minimum: 40, limit: 80, tolerance: 10))
        for block in 0..<9 { _ = state.blockArrived(block, checksum: 0) }
        #expect(!state.isConfirmationDue)
        _ = state.blockArrived(9, checksum: 0)
        #expect(state.isConfirmationDue)
    }

    @Test func aResumedRequestTakesNothingBack() throws {
        var (board, id) = try board()
        try board.advanced(id, to: 25, arrived: ByteRange(20, 25), geometry: geometry)
        let ending = board.ended(
            id, error: CloudStorageError(.unreachable, "cut"), canResume: true,
            map: BlockMap(geometry: geometry), item: item)
        guard case .resumed(let request) = ending else {
            Issue.record("it was not taken up again")
            return
        }
        #expect(request.range?.lowerBound == 20)
        #expect(board.hasArrived(ByteRange(20, 25)))
        try board.began(request.id, at: 20, geometry: geometry)
        try board.advanced(
            request.id, to: 22, arrived: ByteRange(20, 22), geometry: geometry)
        #expect(board.hasArrived(ByteRange(20, 25)))
    }

    @Test func nothingIsLeftOfARequestThatFailedOrWasGivenUp() throws {
        var (failed, id) = try board()
        try failed.advanced(id, to: 25, arrived: ByteRange(20, 25), geometry: geometry)
        _ = failed.ended(
            id, error: CloudStorageError(.notFound, "gone"), canResume: false,
            map: BlockMap(geometry: geometry), item: item)
        #expect(!failed.hasArrived(ByteRange(20, 25)))
        var (givenUp, other) = try board()
        try givenUp.advanced(other, to: 25, arrived: ByteRange(20, 25), geometry: geometry)
        _ = givenUp.giveUp(all: true)
        #expect(!givenUp.hasArrived(ByteRange(20, 25)))
    }
}
