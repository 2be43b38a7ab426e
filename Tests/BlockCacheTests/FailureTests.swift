import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport
import Testing

@testable import BlockCache

@Suite struct FailureTests {
    private func failure(
        _ content: CachedContent, _ range: ByteRange
    ) async -> CloudStorageError.Kind? {
        do throws(CloudStorageError) {
            try await content.ensure(range)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test func aCutRangeIsResumedForItsMissingPart() async throws {
        let fixture = try CacheFixture(size: 30_000) {
            $0.supportsRanges = true
            $0.cuts = [10_000, 5000, 5000]
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<30_000)
        #expect(fixture.cloud.requests.dropFirst().allSatisfy { ($0?.lowerBound ?? 0) > 0 })
        content.release()
        cache.close()
    }

    @Test func aCutStreamIsRestarted() async throws {
        let fixture = try CacheFixture(size: 100_000) {
            $0.ranges = .ignored
            $0.supportsRanges = false
            $0.cuts = [10_000, 50_000, 70_000]
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<100_000)
        #expect(fixture.cloud.requests == [nil, nil, nil, nil])
        content.release()
        cache.close()
    }

    @Test func givesUpAfterThreeResumptions() async throws {
        let fixture = try CacheFixture(size: 100_000) {
            $0.ranges = .ignored
            $0.supportsRanges = false
            $0.cuts = [10_000, 10_000, 10_000, 10_000]
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        #expect(await failure(content, ByteRange(90_000, 90_001)) == .unreachable)
        #expect(fixture.cloud.requests.count == 4)
        try await fixture.check(content, 0..<8000)
        try await fixture.check(content, 0..<100_000)
        content.release()
        cache.close()
    }

    @Test func aRefusalReachesAllWaitersAtOnce() async throws {
        let fixture = try CacheFixture(size: 100_000) {
            $0.cuts = [0]
            $0.cutError = .forbidden
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        #expect(await failure(content, ByteRange(0, 10)) == .forbidden)
        #expect(fixture.cloud.requests.count == 1)
        try await fixture.check(content, 0..<10)
        content.release()
        cache.close()
    }

    @Test(arguments: [true, false], [99_999, 100_001, 200_000])
    func anotherSizeIsAnotherVersion(tellsSize: Bool, size: Int) async throws {
        let fixture = try CacheFixture(size: 100_000) {
            $0.bytes = CacheFixture.content(size)
            $0.supportsRanges = false
            $0.ranges = .ignored
            $0.tellsSize = tellsSize
            $0.revision = "2"
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        let kind = await failure(content, ByteRange(99_999, 100_000))
        // A stream that ends early without its size being known looks like a break at first.
        #expect(
            kind == .revisionChanged || (!tellsSize && size != 99_999)
                || (!tellsSize && kind == .invalidAnswer))
        try await eventually("the version is given up") { content.isStale }
        #expect(cache.usage.entries == 0)
        #expect(cache.usage.bytes == 0)
        content.release()
        cache.close()
    }

    @Test func aRevisionThatChangedMeanwhileIsDropped() async throws {
        let fixture = try CacheFixture(size: 100_000) {
            $0.supportsRanges = true
            $0.revision = "2"
            $0.holdsItem = true
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<10)
        fixture.cloud.change { $0.holdsItem = false }
        try await eventually("the version is given up") { content.isStale }
        #expect(await failure(content, ByteRange(0, 10)) == .revisionChanged)
        #expect(try read(content, 0..<10) == nil)
        #expect(cache.usage.entries == 0)
        content.release()
        cache.close()
        #expect(try fixture.folder.files("").isEmpty)
    }

    @Test func confirmedBlocksOutliveAChange() async throws {
        let fixture = try CacheFixture(size: 100_000) { $0.supportsRanges = true }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<10)
        try await eventually("the first fetch is confirmed") {
            content.state.withLock { $0.activities == 0 && !$0.map.hasUnconfirmed }
        }
        fixture.cloud.change { $0.revision = "2" }
        #expect(await failure(content, ByteRange(80_000, 80_010)) != .localFile)
        try await eventually("the version is given up") { content.isStale }
        #expect(try read(content, 0..<10) == Array(fixture.bytes[0..<10]))
        #expect(await failure(content, ByteRange(80_000, 80_010)) == .revisionChanged)
        content.release()
        cache.close()
    }

    @Test func unconfirmedBlocksAreReadButNotStored() async throws {
        let fixture = try CacheFixture(size: 100_000) {
            $0.itemError = CloudStorageError(.unreachable, "off")
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<100_000)
        content.release()
        try await fixture.putAway(in: cache)
        #expect(cache.usage.entries == 0)
        cache.close()
        #expect(try fixture.folder.files("").isEmpty)
    }

    @Test func aCutLocalFileIsFetchedAgain() async throws {
        let fixture = try CacheFixture(size: 100_000)
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<100_000)
        let data = try #require(try fixture.folder.files(".data").first)
        try truncateFile(data, to: 5000)
        #expect(try read(content, 90_000..<90_010) == nil)
        try await fixture.check(content, 90_000..<90_010)
        content.release()
        cache.close()
    }

    @Test func aClosedCacheEndsItsReaders() async throws {
        let fixture = try CacheFixture(size: 100_000) { $0.gate = 0 }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        let reader = Task { await failure(content, ByteRange(0, 10)) }
        try await eventually("the reader waits") { !content.state.withLock { $0.waiters.isEmpty } }
        cache.close()
        #expect(await reader.value == .cancelled)
        #expect(await failure(content, ByteRange(0, 10)) == .cancelled)
        #expect(throws: FileSystemError.self) { try fixture.content(in: cache) }
        content.release()
    }
}
