import TestSupport
import Testing

@testable import BlockCache

/// Contents that get another key without a change of a byte.
@Suite struct RenamingTests {
    private static let new = CacheFixture.key(revision: "2")

    private func isFound(
        _ key: ContentKey, in cache: BlockCache, _ fixture: CacheFixture
    ) throws -> Bool {
        let content = try fixture.content(in: cache, key: key)
        defer { content.release() }
        guard content.isComplete else { return false }
        return try read(content, 0..<fixture.bytes.count) == fixture.bytes
    }

    @Test func aRenamedContentIsFoundUnderItsNewKeyAlsoAfterARestart() async throws {
        let fixture = try CacheFixture(size: 100_001)
        var cache = try fixture.open()
        try await fixture.fill(cache)
        let requests = fixture.cloud.requests.count
        cache.rename(CacheFixture.key(), to: Self.new)
        await CacheFixture.finishStoring(in: cache)
        #expect(try isFound(Self.new, in: cache, fixture))
        #expect(try !isFound(CacheFixture.key(), in: cache, fixture))
        #expect(cache.usage.bytes == 100_001)
        cache.close()

        cache = try fixture.open()
        #expect(try isFound(Self.new, in: cache, fixture))
        #expect(fixture.cloud.requests.count == requests)
        cache.close()
    }

    @Test func whatIsInUseKeepsItsKey() async throws {
        let fixture = try CacheFixture(size: 50_000)
        let cache = try fixture.open()
        try await fixture.fill(cache)
        let reader = try fixture.content(in: cache)
        cache.rename(CacheFixture.key(), to: Self.new)
        await CacheFixture.finishStoring(in: cache)
        #expect(try read(reader, 0..<50_000) == fixture.bytes)
        reader.release()
        #expect(try isFound(CacheFixture.key(), in: cache, fixture))
        #expect(try !isFound(Self.new, in: cache, fixture))
        cache.close()
    }

    @Test func aContentOfThatKeyIsNotReplaced() async throws {
        let fixture = try CacheFixture(size: 50_000)
        let cache = try fixture.open()
        try await fixture.fill(cache)
        let path = try fixture.folder.write(fixture.bytes, to: "upload")
        try cache.adopt(file: path, as: Self.new, size: 50_000)
        cache.rename(CacheFixture.key(), to: Self.new)
        await CacheFixture.finishStoring(in: cache)
        #expect(try isFound(CacheFixture.key(), in: cache, fixture))
        #expect(try isFound(Self.new, in: cache, fixture))
        #expect(cache.usage.entries == 2)
        cache.close()
    }
}
