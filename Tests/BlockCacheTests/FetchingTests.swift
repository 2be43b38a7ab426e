import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport
import Testing

@testable import BlockCache

@Suite struct FetchingTests {
    @Test(arguments: [1, 4095, 4096, 4097, 100_000, 300_001])
    func readsWhatTheServerHas(size: Int) async throws {
        for ranges in [FakeCloud.Ranges.served, .ignored] {
            for supportsRanges in [nil, ranges == .served] as [Bool?] {
                let fixture = try CacheFixture(size: size) {
                    $0.ranges = ranges
                    $0.supportsRanges = supportsRanges
                }
                let cache = try fixture.open()
                let content = try fixture.content(in: cache)
                #expect(try read(content, 0..<size) == nil)
                try await fixture.check(content, 0..<size)
                #expect(content.isComplete)
                #expect(try read(content, (size - 1)..<(size + 100)) == [fixture.bytes[size - 1]])
                #expect(try read(content, size..<(size + 1)) == [])
                #expect(cache.usage.bytes == Int64(size))
                content.release()
                cache.close()
            }
        }
    }

    @Test func emptyContentsAreComplete() async throws {
        let fixture = try CacheFixture(size: 0)
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        #expect(content.isComplete)
        #expect(content.isVerified)
        #expect(content.hasAll(ByteRange(0, 100)))
        #expect(try read(content, 0..<10) == [])
        try await content.ensure(ByteRange(0, 100))
        #expect(fixture.cloud.requests.isEmpty)
        content.release()
        cache.close()
    }

    @Test func randomReadsMatchTheReference() async throws {
        var generator = SeededRandom(seed: 42)
        for ranges in [FakeCloud.Ranges.served, .ignored] {
            let fixture = try CacheFixture(size: 777_777) { $0.ranges = ranges }
            let cache = try fixture.open()
            let content = try fixture.content(in: cache)
            for _ in 0..<300 {
                let start = Int.random(in: 0..<777_777, using: &generator)
                let end = min(777_777, start + Int.random(in: 1...20_000, using: &generator))
                try await fixture.check(content, start..<end)
            }
            content.release()
            cache.close()
        }
    }

    @Test func manyReadersMakeOneDownload() async throws {
        let fixture = try CacheFixture(size: 200_000) {
            $0.ranges = .ignored
            $0.supportsRanges = false
        }
        let cache = try fixture.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for reader in 0..<50 {
                group.addTask {
                    let content = try fixture.content(in: cache)
                    let start = reader * 3900
                    try await fixture.check(content, start..<(start + 5000))
                    content.release()
                }
            }
            try await group.waitForAll()
        }
        #expect(fixture.cloud.requests == [nil])
        cache.close()
    }

    @Test func manyReadersOfARangeMakeOneRequest() async throws {
        let fixture = try CacheFixture(size: 500_000) {
            $0.supportsRanges = true
            $0.gate = 0
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask { try await fixture.check(content, 250_000..<250_010) }
            }
            try await eventually("all wait") { content.state.withLock { $0.waiters.count } == 20 }
            fixture.cloud.change { $0.gate = .max }
            try await group.waitForAll()
        }
        #expect(fixture.cloud.requests.count == 1)
        content.release()
        cache.close()
    }

    @Test func answersBeforeTheStreamEnds() async throws {
        let fixture = try CacheFixture(size: 200_000) {
            $0.supportsRanges = false
            $0.gate = 100_000
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<50_000)
        #expect(!content.hasAll(ByteRange(150_000, 150_001)))
        #expect(!content.isComplete)
        fixture.cloud.change { $0.gate = .max }
        try await fixture.check(content, 150_000..<200_000)
        #expect(fixture.cloud.requests.count == 1)
        content.release()
        cache.close()
    }

    @Test func anIgnoredRangeBecomesTheOnlyStream() async throws {
        let fixture = try CacheFixture(size: 400_000) { $0.ranges = .ignored }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 300_000..<300_100)
        try await fixture.check(content, 0..<400_000)
        #expect(fixture.cloud.requests.count == 1)
        #expect(cache.usage.fetchedBytes == 400_000)
        content.release()
        cache.close()
    }

    @Test func sequentialReadsAreFetchedAheadInParallel() async throws {
        let fixture = try CacheFixture(size: 2_000_000) { $0.supportsRanges = true }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        for start in stride(from: 0, to: 2_000_000, by: 10_000) {
            try await fixture.check(content, start..<(start + 10_000))
        }
        #expect(cache.usage.fetchedBytes == 2_000_000)
        #expect(fixture.cloud.requests.count < 100)
        #expect(fixture.cloud.mostRunning > 1)
        #expect(fixture.cloud.mostRunning <= 8)
        content.release()
        cache.close()
    }

    @Test func aSeekFetchesLittle() async throws {
        let fixture = try CacheFixture(size: 2_000_000) { $0.supportsRanges = true }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 1_000_000..<1_000_001)
        // The smallest request, from the start of the block with the byte. While the file is open
        // it is brought to its end: a reader that goes on finds the rest here.
        let request = ByteRange(999_424, 999_424 + (16 << 10))
        try await eventually("the request has ended") { content.hasAll(request) }
        content.release()
        try await fixture.putAway(in: cache)
        #expect(fixture.cloud.requests == [request])
        #expect(cache.usage.fetchedBytes == 16 << 10)
        cache.close()
    }

    @Test func whoHasWaitedLongestIsServedFirst() async throws {
        let fixture = try CacheFixture(size: 4_000_000) {
            $0.supportsRanges = true
            $0.gate = 0
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        let offsets = (1...40).map { Int64($0 * 7 % 41 * 90_000) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, offset) in offsets.enumerated() {
                group.addTask { try await content.ensure(ByteRange(offset, offset + 1)) }
                try await eventually("it waits") {
                    content.state.withLock { $0.waiters.count } == index + 1
                }
            }
            fixture.cloud.change { $0.gate = .max }
            try await group.waitForAll()
        }
        let begun = fixture.cloud.requests.compactMap { $0?.lowerBound }
        let wanted = offsets.map { $0 / 4096 * 4096 }
        // Those that are begun together come in any order.
        for (index, offset) in begun.enumerated() {
            let place = try #require(wanted.firstIndex(of: offset))
            #expect(abs(place - index) <= 12, "request \(index) is for reader \(place)")
        }
        content.release()
        cache.close()
    }

    @Test func theVersionIsAskedForOnceForAllThatComesTogether() async throws {
        let fixture = try CacheFixture(size: 2_000_000) {
            $0.supportsRanges = true
            $0.gate = 50_000
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        let far = Task { try await fixture.check(content, 1_000_000..<1_000_001) }
        try await eventually("it waits") { content.state.withLock { $0.waiters.count } == 1 }
        try await fixture.check(content, 0..<1)
        try await eventually("only the far one is under way") {
            content.state.withLock { $0.board.fetches.count == 1 && $0.activities == 1 }
        }
        #expect(fixture.cloud.itemCalls == 0)
        fixture.cloud.change { $0.gate = .max }
        try await far.value
        try await eventually("nothing is under way") {
            content.state.withLock { $0.activities } == 0
        }
        #expect(fixture.cloud.itemCalls == 1)
        #expect(content.state.withLock { !$0.map.hasUnconfirmed })
        content.release()
        cache.close()
    }

    @Test func theLastReleaseGivesUpARequestThatJustBegan() async throws {
        let fixture = try CacheFixture(size: 2_000_000) {
            $0.supportsRanges = true
            // The first piece completes the block, and nothing comes after it.
            $0.gate = 999_424 + FakeCloud.piece
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 1_000_000..<1_000_001)
        content.release()
        try await fixture.putAway(in: cache)
        #expect(fixture.cloud.requests.count == 1)
        #expect(cache.usage.fetchedBytes == Int64(FakeCloud.piece))
        cache.close()
    }

    @Test func aCancelledReaderLeavesTheOthersAlone() async throws {
        let fixture = try CacheFixture(size: 200_000) { $0.gate = 0 }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        let patient = Task { try await fixture.check(content, 0..<100) }
        let impatient = Task { () -> CloudStorageError.Kind? in
            do throws(CloudStorageError) {
                try await content.ensure(ByteRange(0, 100))
                return nil
            } catch { return error.kind }
        }
        try await eventually("both wait") { content.state.withLock { $0.waiters.count } == 2 }
        impatient.cancel()
        #expect(await impatient.value == .cancelled)
        fixture.cloud.change { $0.gate = .max }
        try await patient.value
        #expect(fixture.cloud.cancelled == 0)
        content.release()
        cache.close()
    }

    @Test func theLastReleaseEndsAStreamThatJustBegan() async throws {
        let fixture = try CacheFixture(size: 200_000) {
            $0.supportsRanges = false
            $0.gate = 50_000
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<40_000)
        content.release()
        try await fixture.putAway(in: cache)
        #expect(fixture.cloud.cancelled == 1)
        #expect(cache.usage.bytes >= 36_864, "the whole blocks of what was read")
        cache.close()
    }

    @Test func theLastReleaseKeepsAStreamThatIsMostlyHere() async throws {
        let fixture = try CacheFixture(size: 200_000) {
            $0.supportsRanges = false
            $0.gate = 150_000
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<140_000)
        content.release()
        fixture.cloud.change { $0.gate = .max }
        try await fixture.putAway(in: cache)
        #expect(fixture.cloud.cancelled == 0)
        #expect(cache.usage.bytes == 200_000)
        cache.close()
    }
}
