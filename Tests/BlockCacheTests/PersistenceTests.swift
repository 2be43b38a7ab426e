import CloudStorage
import FileSystemTypes
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import BlockCache

@Suite struct PersistenceTests {
    private func failingCloud(_ fixture: CacheFixture) {
        fixture.cloud.change { $0.cuts = [Int](repeating: 0, count: 1000) }
    }

    @Test func aRestartKeepsWhatWasRead() async throws {
        let fixture = try CacheFixture(size: 100_000) { $0.supportsRanges = true }
        var cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 20_000..<40_000)
        content.release()
        try await fixture.putAway(in: cache)
        let bytes = cache.usage.bytes
        cache.close()

        failingCloud(fixture)
        cache = try fixture.open()
        #expect(cache.usage.bytes == bytes)
        #expect(cache.usage.entries == 1)
        let again = try fixture.content(in: cache)
        #expect(again.hasAll(ByteRange(20_000, 40_000)))
        #expect(!again.hasAll(ByteRange(90_000, 90_001)))
        #expect(!again.isVerified)
        #expect(try read(again, 20_000..<40_000) == Array(fixture.bytes[20_000..<40_000]))
        again.release()
        cache.close()
    }

    @Test func anUnfinishedReleaseIsStoredByClose() async throws {
        let fixture = try CacheFixture(size: 50_000)
        var cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<50_000)
        try await eventually("the fetch is confirmed") {
            content.state.withLock { !$0.map.hasUnconfirmed }
        }
        cache.close()
        content.release()
        failingCloud(fixture)
        cache = try fixture.open()
        let again = try fixture.content(in: cache)
        #expect(again.isComplete)
        #expect(try again.verifyAll())
        #expect(again.isVerified)
        again.release()
        cache.close()
    }

    @Test func aDamagedBlockIsFetchedAgain() async throws {
        let fixture = try CacheFixture(size: 100_000) { $0.supportsRanges = true }
        var cache = try fixture.open()
        try await fixture.fill(cache)
        cache.close()
        try spoil(try #require(try fixture.folder.files(".data").first), at: 50_000)
        let before = fixture.cloud.requests.count

        cache = try fixture.open()
        let content = try fixture.content(in: cache)
        #expect(try read(content, 0..<100) == Array(fixture.bytes[0..<100]))
        #expect(try read(content, 50_000..<50_010) == nil)
        try await fixture.check(content, 0..<100_000)
        #expect(fixture.cloud.requests.count == before + 1)
        #expect(cache.usage.bytes == 100_000)
        content.release()
        cache.close()
    }

    @Test func aWaitingReaderFindsTheDamageToo() async throws {
        let fixture = try CacheFixture(size: 100_000)
        var cache = try fixture.open()
        try await fixture.fill(cache)
        cache.close()
        for offset in stride(from: UInt64(0), to: 100_000, by: 30_000) {
            try spoil(try #require(try fixture.folder.files(".data").first), at: offset)
        }
        cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<100_000)
        #expect(content.isVerified)
        content.release()
        cache.close()
    }

    @Test(arguments: ["index", "data", "version", "empty"])
    func whatIsDamagedIsRemovedAtStart(what: String) async throws {
        let fixture = try CacheFixture(size: 20_000)
        var cache = try fixture.open()
        try await fixture.fill(cache)
        cache.close()
        let index = try #require(try fixture.folder.files(".index").first)
        let data = try #require(try fixture.folder.files(".data").first)
        switch what {
        case "index": try spoil(index, at: 40)
        case "data": try FileManager.default.removeItem(atPath: data)
        case "version": try spoil(index, at: 8)
        default: try truncateFile(index, to: 0)
        }
        _ = try fixture.folder.write([1, 2, 3], to: "blocks-v1/left.tmp")
        cache = try fixture.open()
        #expect(cache.usage.entries == 0)
        #expect(try fixture.folder.files("").isEmpty)
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<20_000)
        content.release()
        cache.close()
    }

    @Test func otherFormatVersionsAreRemovedAndNothingElse() throws {
        let fixture = try CacheFixture(size: 10)
        let manager = FileManager.default
        let path = fixture.folder.path
        for name in ["blocks-v0", "blocks-v12", "blocks-vx"] {
            try manager.createDirectory(
                atPath: "\(path)/\(name)", withIntermediateDirectories: false)
            _ = try fixture.folder.write([1], to: "\(name)/file")
        }
        _ = try fixture.folder.write([1], to: "mine")
        try fixture.open().close()
        #expect(
            try manager.contentsOfDirectory(atPath: path).sorted()
                == ["blocks-v1", "blocks-vx", "mine"])
    }

    @Test func theFolderIsMadeForItsOwnerOnly() throws {
        var fixture = try CacheFixture(size: 10)
        fixture.configuration.folder = fixture.folder.path + "/a/b"
        try fixture.open().close()
        for folder in ["a", "a/b", "a/b/blocks-v1"] {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: "\(fixture.folder.path)/\(folder)")
            #expect(attributes[.posixPermissions] as? Int == 0o700)
        }
    }

    @Test func anEntryOfAnotherSizeIsMadeAnew() async throws {
        let fixture = try CacheFixture(size: 20_000)
        let cache = try fixture.open()
        try await fixture.fill(cache)
        let other = try cache.content(
            for: CacheFixture.key(), of: CacheFixture.item, size: 19_999, from: fixture.cloud)
        #expect(!other.hasAll(ByteRange(0, 1)))
        #expect(cache.usage.bytes == 0)
        other.release()
        cache.close()
    }

    @Test func afterCloseNothingIsWritten() async throws {
        let fixture = try CacheFixture(size: 10_000) { $0.holdsItem = true }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<10_000)
        content.release()
        cache.close()
        #expect(try fixture.folder.files(".index").isEmpty)
        // The answer that makes the content worth storing comes only now.
        fixture.cloud.change { $0.holdsItem = false }
        try await eventually("the content is handed over for storing") {
            content.state.withLock { $0.isRetiring }
        }
        await CacheFixture.finishStoring(in: cache)
        #expect(try fixture.folder.files(".index").isEmpty)
        #expect(try fixture.folder.files(".tmp").isEmpty)
    }
}
