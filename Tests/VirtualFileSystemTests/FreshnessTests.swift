import ChangeFeed
import CloudStorage
import FileSystemTypes
import StateStore
import TestSupport
import Testing

import VirtualFileSystem

@Suite struct FreshnessTests {
    @Test func remoteChangesAreSeenAfterThePoll() async throws {
        let cloud = ModelCloud()
        cloud.storeByOther(Array("1".utf8), at: "/a")
        // The server has stood by what is read before it has another version.
        let fixture = try await Fixture.make(cloud: cloud, cacheIsSequential: true)
        let feed = ChangeFeed(
            cloud: cloud, interval: .seconds(5), clock: ContinuousClock(),
            receiver: RemoteChanges(fileSystem: fixture.fileSystem))
        await feed.pollNow()
        #expect(try await fixture.read("/a") == "1")
        let inode = try await fixture.attributes("/a").inode
        let reader = try await fixture.open("/a", [.read])
        cloud.storeByOther(Array("22".utf8), at: "/a")
        cloud.storeByOther(Array("b".utf8), at: "/b")
        cloud.makeFolderByOther(at: "/d")
        await feed.pollNow()
        #expect(try await fixture.names("/") == ["a", "b", "d"])
        #expect(try await fixture.read("/a") == "22")
        #expect(try await fixture.attributes("/a").inode == inode)
        #expect(try await fixture.read(handle: reader) == "1")
        try await fixture.close(reader)
        cloud.renameByOther(from: "/b", to: "c")
        cloud.deleteByOther(at: "/a")
        await feed.pollNow()
        #expect(try await fixture.names("/") == ["c", "d"])
        #expect(try await fixture.read("/c") == "b")
    }

    @Test func ownChangesCauseNoListing() async throws {
        let fixture = try await Fixture.make()
        _ = try await fixture.names("/")
        let feed = RemoteChanges(fileSystem: fixture.fileSystem)
        try await fixture.save("x", to: "/a")
        let page = try await fixture.cloud.changes(in: ModelCloud.root, since: "0")
        #expect(!page.items.isEmpty)
        fixture.cloud.resetCounts()
        await feed.changed(page.items, in: ModelCloud.root)
        #expect(fixture.cloud.count(of: .list) == 0)
    }

    @Test func aListingIsOneRequestForAllItsFiles() async throws {
        let cloud = ModelCloud()
        for index in 0..<500 { cloud.storeByOther([1], at: "/f\(index)") }
        let fixture = try await Fixture.make(cloud: cloud) { $0.readsAhead = false }
        cloud.resetCounts()
        for name in try await fixture.names("/") {
            _ = try await fixture.attributes("/\(name)")
        }
        #expect(cloud.totalCount() == 1)
    }

    @Test func aRestartKnowsTheTreeAndItsNumbers() async throws {
        let cloud = ModelCloud()
        cloud.makeFolderByOther(at: "/d")
        cloud.storeByOther(Array("1".utf8), at: "/d/a")
        let fixture = try await Fixture.make(cloud: cloud)
        let inode = try await fixture.attributes("/d/a").inode
        let node = try await fixture.node("/d/a")
        var changes = AttributeChanges()
        changes.mode = 0o600
        changes.modified = .time(FileTime(seconds: 1_000_000, nanoseconds: 5))
        _ = try await fixture.fileSystem.setattr(
            node: node, changes: changes, handle: nil, caller: fixture.caller
        ).value()
        let second = try await fixture.restart()
        let found = try await second.attributes("/d/a")
        #expect(found.inode == inode)
        #expect(found.mode == 0o600)
        #expect(found.modified == FileTime(seconds: 1_000_000, nanoseconds: 5))
    }

    @Test func withoutAServerTheKnownTreeIsThere() async throws {
        let cloud = ModelCloud()
        cloud.makeFolderByOther(at: "/d")
        cloud.storeByOther(Array("1".utf8), at: "/d/a")
        let fixture = try await Fixture.make(cloud: cloud)
        #expect(try await fixture.read("/d/a") == "1")
        for call in ModelCloud.Call.allCases {
            for _ in 0..<20 { cloud.fail(call, .before(.unreachable)) }
        }
        let second = try await fixture.restart()
        #expect(try await second.names("/d") == ["a"])
    }

    /// A server that does not answer is waited for once, not at each folder of a walk.
    @Test func aWalkWaitsOnceForASilentServer() async throws {
        let cloud = ModelCloud()
        for name in 0..<20 {
            cloud.makeFolderByOther(at: "/\(name)")
            cloud.storeByOther(Array("1".utf8), at: "/\(name)/a")
        }
        let first = try await Fixture.make(cloud: cloud)
        for name in 0..<20 { #expect(try await first.names("/\(name)") == ["a"]) }
        await first.store.close()
        let held = HeldCloud(cloud, holdingDownloads: 0)
        held.holdListings()
        let second = try await Fixture.make(cloud: cloud, folder: first.folder, over: held) {
            ($0.firstLookSeconds, $0.revalidationSeconds) = (5, 5)
            $0.readsAhead = false
        }
        let began = ContinuousClock.now
        for name in 0..<20 { #expect(try await second.names("/\(name)") == ["a"]) }
        // 100 seconds where each folder waits.
        #expect(ContinuousClock.now - began < .seconds(50))
        cloud.storeByOther(Array("2".utf8), at: "/19/b")
        held.letGo()
        try await eventually { try await second.names("/19") == ["a", "b"] }
        await second.end()
    }

    @Test func modificationTimesOfProgramsStay() async throws {
        let fixture = try await Fixture.make()
        let handle = try await fixture.create("/a")
        try await fixture.write("x", handle: handle)
        var changes = AttributeChanges()
        changes.modified = .time(FileTime(seconds: 1_234_567, nanoseconds: 89))
        let node = try await fixture.node("/a")
        _ = try await fixture.fileSystem.setattr(
            node: node, changes: changes, handle: handle, caller: fixture.caller
        ).value()
        try await fixture.close(handle)
        #expect(
            try await fixture.attributes("/a").modified
                == FileTime(seconds: 1_234_567, nanoseconds: 89))
        fixture.cloud.storeByOther(Array("other".utf8), at: "/a")
        try await fixture.fileSystem.refreshAnew(try await fixture.node("/"))
        #expect(try await fixture.attributes("/a").modified.seconds >= 1_700_000_000)
    }
}
