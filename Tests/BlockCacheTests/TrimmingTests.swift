import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport
import Testing

@testable import BlockCache

/// Giving space back, and keeping what was fetched ahead from going.
@Suite struct TrimmingTests {
    private func isStored(_ name: String, in cache: BlockCache) -> Bool {
        cache.table.withLock { $0.entries[CacheFixture.key(name)] != nil }
    }

    @Test func trimmingGoesDownToASizeLeastRecentlyUsedFirst() async throws {
        let fixture = try CacheFixture(size: 50_000)
        let cache = try fixture.open()
        for name in ["a", "b", "c", "d"] {
            try await fixture.fill(cache, key: CacheFixture.key(name))
        }
        try await fixture.fill(cache, key: CacheFixture.key("a"))
        var trimming = await cache.trim(to: 120_000)
        #expect(trimming.files == 2)
        #expect(trimming.bytes == 100_000)
        #expect(isStored("a", in: cache))
        #expect(isStored("d", in: cache))
        trimming = await cache.trim(to: 120_000)
        #expect(trimming == CacheTrimming())
        trimming = await cache.trim(to: 0)
        #expect(trimming.bytes == 100_000)
        #expect(cache.usage.bytes == 0)
        #expect(try fixture.folder.files("").isEmpty)
        cache.close()
        trimming = await cache.trim(to: 0)
        #expect(trimming == CacheTrimming(), "the folder is another's by now")
    }

    @Test func trimmingLeavesWhatIsInUse() async throws {
        let fixture = try CacheFixture(size: 50_000)
        let cache = try fixture.open()
        let used = try fixture.content(in: cache, key: CacheFixture.key("a"))
        try await fixture.check(used, 0..<50_000)
        try await fixture.fill(cache, key: CacheFixture.key("b"))
        #expect(await cache.trim(to: 0).files == 1)
        #expect(isStored("a", in: cache))
        #expect(try read(used, 0..<50_000) == fixture.bytes)
        let inventory = cache.inventory()
        #expect(inventory.usedFiles == 1)
        #expect(inventory.usedBytes == 50_000)
        used.release()
        try await fixture.putAway(CacheFixture.key("a"), in: cache)
        #expect(await cache.trim(to: 0).files == 1)
        cache.close()
    }

    /// A descriptor that the kernel was given reads the same bytes after the file's name is gone.
    @Test func trimmedFilesAreUnlinkedAndNotCut() async throws {
        let fixture = try CacheFixture(size: 50_000)
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<50_000)
        let copy = try ContentFile.open(
            "/proc/self/fd/\(content.withDescriptor { $0 })", flags: 0)
        content.release()
        try await fixture.putAway(in: cache)
        #expect(await cache.trim(to: 0).files == 1)
        #expect(try copy.length() == 50_000)
        var bytes = [UInt8](repeating: 0, count: 50_000)
        #expect(try bytes.withUnsafeMutableBytes { try copy.read(into: $0, at: 0) } == 50_000)
        #expect(bytes == fixture.bytes)
        cache.close()
    }

    @Test func aSmallerLimitTakesEffectAtOnce() async throws {
        let fixture = try CacheFixture(size: 50_000)
        let cache = try fixture.open()
        for name in ["a", "b", "c"] { try await fixture.fill(cache, key: CacheFixture.key(name)) }
        cache.setSizeLimit(60_000)
        await CacheFixture.finishStoring(in: cache)
        #expect(cache.usage.bytes == 50_000)
        #expect(isStored("c", in: cache))
        #expect(cache.inventory().limit == 60_000)
        cache.close()
    }

    @Test func theInventoryTellsWholeFilesFromParts() async throws {
        let fixture = try CacheFixture(size: 50_000) { $0.supportsRanges = true }
        var cache = try fixture.open()
        try await fixture.fill(cache, key: CacheFixture.key("whole"))
        let part = try fixture.content(in: cache, key: CacheFixture.key("part"))
        try await fixture.check(part, 0..<4096)
        part.release()
        try await fixture.putAway(CacheFixture.key("part"), in: cache)
        for _ in 0..<2 {
            let inventory = cache.inventory()
            #expect(inventory.completeFiles == 1)
            #expect(inventory.completeBytes == 50_000)
            #expect(inventory.partialFiles == 1)
            #expect((4096..<50_000).contains(inventory.partialBytes))
            #expect(inventory.bytes == cache.usage.bytes)
            #expect(inventory.usedFiles == 0)
            #expect(inventory.freeBytes ?? 0 > 0)
            cache.close()
            cache = try fixture.open()
        }
        cache.close()
    }

    // MARK: Holds

    @Test func whatIsHeldIsNotEvictedUntilTheHoldEnds() async throws {
        var fixture = try CacheFixture(size: 50_000)
        fixture.configuration.sizeLimit = 120_000
        let cache = try fixture.open()
        let hold = cache.beginHold()
        try await fixture.fill(cache, key: CacheFixture.key("a"))
        let found = cache.holdIfWhole(CacheFixture.key("a"), size: 50_000, for: hold)
        #expect(found.isWhole)
        #expect(found.missing == 0)
        for name in ["b", "c", "d"] { try await fixture.fill(cache, key: CacheFixture.key(name)) }
        #expect(isStored("a", in: cache))
        #expect(await cache.trim(to: 0).files > 0)
        #expect(isStored("a", in: cache))
        cache.endHold(hold)
        #expect(await cache.trim(to: 0).files == 1)
        #expect(cache.usage.entries == 0)
        cache.close()
    }

    /// What is too much when a hold ends goes at the cost of the others.
    @Test func theEndOfAHoldPushesNothingOut() async throws {
        let fixture = try CacheFixture(size: 50_000)
        let cache = try fixture.open()
        let hold = cache.beginHold()
        for name in ["a", "b", "other"] {
            try await fixture.fill(cache, key: CacheFixture.key(name))
            if name != "other" { cache.hold(CacheFixture.key(name), for: hold) }
        }
        cache.sizeLimit.store(110_000, ordering: .relaxed)
        cache.endHold(hold)
        await CacheFixture.finishStoring(in: cache)
        #expect(isStored("a", in: cache))
        #expect(isStored("b", in: cache))
        #expect(!isStored("other", in: cache))
        cache.close()
    }

    @Test func onlyWholeContentsOfTheSameSizeAreHeld() async throws {
        let fixture = try CacheFixture(size: 50_000) { $0.supportsRanges = true }
        let cache = try fixture.open()
        let hold = cache.beginHold()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<4096)
        content.release()
        try await fixture.putAway(in: cache)
        let part = cache.holdIfWhole(CacheFixture.key(), size: 50_000, for: hold)
        #expect(!part.isWhole)
        #expect((1..<50_000).contains(part.missing))
        #expect(cache.holdIfWhole(CacheFixture.key(), size: 49_999, for: hold).missing == 49_999)
        #expect(cache.holdIfWhole(CacheFixture.key("other"), size: 7, for: hold).missing == 7)
        #expect(await cache.trim(to: 0).files == 1)
        cache.endHold(hold)
        cache.close()
    }

    @Test func theRoomIsWhatIsLeftBesideUsedAndHeldContents() async throws {
        var fixture = try CacheFixture(size: 50_000)
        fixture.configuration.sizeLimit = 200_000
        fixture.configuration.entryLimit = 10
        let cache = try fixture.open()
        #expect(
            cache.room(free: cache.freeBytes())
                == CacheRoom(bytes: 200_000, bound: .limit, entries: 10))
        for name in ["a", "b"] { try await fixture.fill(cache, key: CacheFixture.key(name)) }
        #expect(cache.room(free: cache.freeBytes()).bytes == 200_000, "both would make room")
        let hold = cache.beginHold()
        cache.hold(CacheFixture.key("a"), for: hold)
        let used = try fixture.content(in: cache, key: CacheFixture.key("b"))
        #expect(
            cache.room(free: cache.freeBytes())
                == CacheRoom(bytes: 100_000, bound: .limit, entries: 8))
        cache.setSizeLimit(60_000)
        #expect(cache.room(free: cache.freeBytes()).bytes == -40_000)
        used.release()
        cache.endHold(hold)
        cache.close()
    }

    @Test func theDiskBoundsTheRoomToo() async throws {
        var fixture = try CacheFixture(size: 50_000)
        fixture.configuration.sizeLimit = .max / 2
        fixture.configuration.minimumFreeBytes = 4096
        let cache = try fixture.open()
        let room = cache.room(free: cache.freeBytes())
        #expect(room.bound == .disk)
        #expect((0..<(.max / 4)).contains(room.bytes))
        cache.close()
    }

    // MARK: Completing

    @Test(arguments: [FakeCloud.Ranges.served, .ignored])
    func aCompletedContentStays(_ ranges: FakeCloud.Ranges) async throws {
        let fixture = try CacheFixture(size: 300_000) { $0.ranges = ranges }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await content.complete()
        #expect(content.isKept)
        #expect(content.presentBytes == 300_000)
        content.release()
        try await fixture.putAway(in: cache)
        #expect(cache.inventory().completeFiles == 1)
        #expect(cache.usage.misses == 0, "nobody has read")
        let again = try fixture.content(in: cache)
        let requests = fixture.cloud.requests.count
        try await again.complete()
        #expect(fixture.cloud.requests.count == requests)
        #expect(try read(again, 0..<300_000) == fixture.bytes)
        again.release()
        cache.close()
    }

    @Test func aContentThatTheServerDoesNotStandByIsNotComplete() async throws {
        let fixture = try CacheFixture(size: 50_000) {
            $0.itemError = CloudStorageError(.unreachable, "gone")
        }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        await #expect(throws: CloudStorageError.self) { try await content.complete() }
        fixture.cloud.change { $0.itemError = nil }
        try await content.complete()
        fixture.cloud.change { $0.revision = "2" }
        content.release()
        let other = try fixture.content(in: cache, key: CacheFixture.key("8"))
        let error = await #expect(throws: CloudStorageError.self) { try await other.complete() }
        #expect(error?.kind == .revisionChanged)
        other.release()
        cache.close()
    }

    @Test func completingCanBeCancelled() async throws {
        // More than is written at a time.
        let fixture = try CacheFixture(size: 1_000_000) { $0.gate = Int(BlockFiller.runSize) * 2 }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        let task = Task { try await content.complete() }
        try await eventually("the first bytes") { content.presentBytes > 0 }
        task.cancel()
        let error = await #expect(throws: CloudStorageError.self) { try await task.value }
        #expect(error?.kind == .cancelled)
        content.release()
        try await eventually("the end of the downloads") { fixture.cloud.cancelled > 0 }
        cache.close()
    }
}
