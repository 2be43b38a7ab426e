import Dispatch
import FileSystemTypes
import Synchronization
import TestSupport
import Testing

@testable import BlockCache

@Suite struct EvictionTests {
    private func isStored(_ name: String, in cache: BlockCache) -> Bool {
        cache.table.withLock { $0.entries[CacheFixture.key(name)] != nil }
    }

    @Test func theLeastRecentlyUsedGoesFirst() async throws {
        var fixture = try CacheFixture(size: 50_000)
        fixture.configuration.sizeLimit = 160_000
        let cache = try fixture.open()
        for name in ["a", "b", "c"] { try await fixture.fill(cache, key: CacheFixture.key(name)) }
        #expect(cache.usage.bytes == 150_000)
        let content = try fixture.content(in: cache, key: CacheFixture.key("a"))
        content.release()
        try await fixture.putAway(CacheFixture.key("a"), in: cache)
        try await fixture.fill(cache, key: CacheFixture.key("d"))
        #expect(!isStored("b", in: cache))
        #expect(isStored("a", in: cache))
        #expect(isStored("d", in: cache))
        #expect(cache.usage.bytes <= 160_000)
        cache.close()
        #expect(try fixture.folder.files(".data").count == cache.usage.entries)
        #expect(try fixture.folder.files(".index").count == cache.usage.entries)
    }

    @Test func theOrderSurvivesARestart() async throws {
        var fixture = try CacheFixture(size: 50_000)
        var cache = try fixture.open()
        for name in ["a", "b", "c"] { try await fixture.fill(cache, key: CacheFixture.key(name)) }
        try await fixture.fill(cache, key: CacheFixture.key("a"))
        cache.close()
        fixture.configuration.sizeLimit = 120_000
        cache = try fixture.open()
        cache.storage.sync {}
        #expect(isStored("a", in: cache))
        #expect(!isStored("b", in: cache))
        cache.close()
    }

    @Test func whatIsInUseStays() async throws {
        var fixture = try CacheFixture(size: 50_000)
        fixture.configuration.sizeLimit = 60_000
        let cache = try fixture.open()
        let used = try fixture.content(in: cache, key: CacheFixture.key("a"))
        try await fixture.check(used, 0..<50_000)
        try await fixture.fill(cache, key: CacheFixture.key("b"))
        #expect(isStored("a", in: cache))
        #expect(!isStored("b", in: cache))
        #expect(try read(used, 0..<50_000) == fixture.bytes)
        used.release()
        try await fixture.putAway(CacheFixture.key("a"), in: cache)
        #expect(cache.usage.bytes == 50_000)
        cache.close()
    }

    @Test func theNumberOfEntriesIsBounded() async throws {
        var fixture = try CacheFixture(size: 100)
        fixture.configuration.entryLimit = 20
        let cache = try fixture.open()
        for number in 0..<50 { try await fixture.fill(cache, key: CacheFixture.key("\(number)")) }
        #expect(cache.usage.entries <= 20)
        #expect(isStored("49", in: cache))
        cache.close()
    }

    @Test func aFullDiskKeepsNothingThatIsNotUsed() async throws {
        var fixture = try CacheFixture(size: 50_000)
        fixture.configuration.minimumFreeBytes = .max / 2
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<50_000)
        content.release()
        try await fixture.putAway(in: cache)
        #expect(cache.usage.entries == 0)
        cache.close()
        #expect(try fixture.folder.files("").isEmpty)
    }

    @Test func aDiscardedVersionStaysReadableWhileOpen() async throws {
        let fixture = try CacheFixture(size: 50_000)
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<50_000)
        cache.discard(CacheFixture.key())
        #expect(cache.usage == CacheUsage(hits: 1, fetchedBytes: 50_000))
        #expect(try read(content, 0..<50_000) == fixture.bytes)
        let fresh = try fixture.content(in: cache)
        #expect(fresh !== content)
        #expect(!fresh.hasAll(ByteRange(0, 1)))
        content.release()
        fresh.release()
        cache.close()
    }

    @Test func contentsInUseAreShared() async throws {
        let fixture = try CacheFixture(size: 50_000)
        let cache = try fixture.open()
        let first = try fixture.content(in: cache)
        let second = try fixture.content(in: cache)
        #expect(first === second)
        first.release()
        try await fixture.check(second, 0..<50_000)
        second.release()
        try await fixture.putAway(in: cache)
        let third = try fixture.content(in: cache)
        #expect(third !== first)
        #expect(third.isVerified)
        third.release()
        cache.close()
    }
}
