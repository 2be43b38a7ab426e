import BlockCache
import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

import VirtualFileSystem

/// Fetching ahead whatever is below some paths.
@Suite struct WarmingTests {
    /// Fetches below paths of the account's root, and returns how it ended.
    private func warm(_ paths: [String], _ fixture: Fixture) async throws -> WarmProgress {
        let run = try fixture.fileSystem.beginWarming(
            below: paths.map { ["Files"] + $0.split(separator: "/").map(String.init) })
        var progress = WarmProgress()
        try await eventually(within: .seconds(60), "the end of the run") {
            progress = try #require(await fixture.fileSystem.warming(run, within: 1))
            return progress.isOver
        }
        #expect(await fixture.fileSystem.warming(run, within: 1) == nil, "it has said so")
        return progress
    }

    /// Has every call of these kinds fail, as without a server.
    private func stop(_ cloud: ModelCloud) {
        for call in [ModelCloud.Call.list, .item, .download, .changes, .account] {
            for _ in 0..<200 { cloud.fail(call, .before(.unreachable)) }
        }
    }

    private func fill(_ cloud: ModelCloud, folders: Int, files: Int) {
        for folder in 0..<folders {
            cloud.makeFolderByOther(at: "/d\(folder)")
            for file in 0..<files {
                let path = "/d\(folder)/f\(file)"
                cloud.storeByOther(Array("content of \(path)".utf8), at: path)
            }
        }
    }

    @Test(arguments: [ModelCloud(), ModelCloud.addressingByPath()])
    func aTreeThatWasNeverListedIsReadWithoutTheServer(_ cloud: ModelCloud) async throws {
        fill(cloud, folders: 5, files: 20)
        let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        cloud.storeByOther(large, at: "/d3/large")
        cloud.storeByOther([], at: "/d3/empty")
        let fixture = try await Fixture.make(cloud: cloud) { $0.readsAhead = false }
        cloud.resetCounts()
        let progress = try await warm(["/"], fixture)
        #expect(progress.isComplete)
        #expect(progress.folders == 6)
        #expect(progress.files == 102)
        #expect(progress.filesFetched == 101)
        #expect(progress.filesHere == 1, "the empty one")
        #expect(progress.bytes == progress.bytesDone)
        #expect(progress.bytes == progress.bytesFetched)
        #expect(cloud.count(of: .list) == 6, "every folder once")
        await fixture.fileSystem.settleListings()
        stop(cloud)
        for folder in 0..<5 {
            for file in 0..<20 {
                let path = "/d\(folder)/f\(file)"
                #expect(try await fixture.read(path) == "content of \(path)")
            }
        }
        let handle = try await fixture.open("/d3/large", [.read])
        let buffer = try await fixture.fileSystem.read(handle: handle, offset: 0, count: 1 << 22)
            .get()
        #expect(buffer.bytes[..<buffer.count].elementsEqual(large))
        try await fixture.close(handle)
        await fixture.end()
    }

    @Test func whatIsHereCostsNothing() async throws {
        let cloud = ModelCloud()
        fill(cloud, folders: 2, files: 10)
        let fixture = try await Fixture.make(cloud: cloud)
        _ = try await warm(["/d0"], fixture)
        cloud.resetCounts()
        let progress = try await warm(["/d0", "/d0/f1"], fixture)
        #expect(progress.isComplete)
        #expect(progress.files == 10)
        #expect(progress.filesHere == 10)
        #expect(progress.filesFetched == 0)
        #expect(progress.bytesFetched == 0)
        #expect(cloud.totalCount() == 0)
        let one = try await warm(["/d1/f3"], fixture)
        #expect(one.files == 1)
        #expect(one.folders == 0)
        #expect(cloud.count(of: .download) == 1)
        await fixture.end()
    }

    @Test func changesThatAreNotSentYetAreHereAlready() async throws {
        let cloud = ModelCloud()
        cloud.storeByOther(Array("old".utf8), at: "/changed")
        let fixture = try await Fixture.makeByHand(cloud: cloud)
        try await fixture.save("newer", to: "/changed")
        try await fixture.save("new", to: "/new")
        cloud.resetCounts()
        let progress = try await warm(["/"], fixture)
        #expect(progress.isComplete)
        #expect(progress.filesHere == 2)
        #expect(progress.bytesHere == 8)
        #expect(cloud.count(of: .download) == 0)
        await fixture.work()
        #expect(fixture.serverContents() == ["new", "newer"])
        await fixture.end()
    }

    /// The target of a link is content on the server.
    @Test func linksCanBeFollowedWithoutTheServer() async throws {
        let cloud = ModelCloud()
        cloud.storeByOther(Array("some/where".utf8), at: "/link.rclonelink")
        let fixture = try await Fixture.make(cloud: cloud)
        let progress = try await warm(["/"], fixture)
        #expect(progress.isComplete)
        #expect(progress.filesFetched == 1)
        #expect(progress.bytesDone == progress.bytes)
        stop(cloud)
        let node = try await fixture.node("/link")
        #expect(try await fixture.fileSystem.readlink(node: node).value() == "some/where")
        #expect(try await warm(["/"], fixture).filesHere == 1)
        await fixture.end()
    }

    @Test func aFileThatIsRefusedLeavesTheOthers() async throws {
        let cloud = ModelCloud()
        fill(cloud, folders: 1, files: 30)
        let fixture = try await Fixture.make(cloud: cloud)
        cloud.fail(.download, skip: 11, .before(.forbidden))
        let progress = try await warm(["/d0", "/nowhere", "/d0/f1/below"], fixture)
        #expect(!progress.isComplete)
        #expect(progress.filesFetched == 29)
        #expect(progress.failureCount == 2)
        #expect(progress.failures.count == 2)
        #expect(progress.failures.contains { $0.path == "/Files/nowhere" })
        #expect(progress.failures.contains { $0.reason == "injected" })
        let again = try await warm(["/d0"], fixture)
        #expect(again.isComplete)
        #expect(again.filesFetched == 1)
        await fixture.end()
    }

    @Test func aFolderThatCannotBeListedIsNamed() async throws {
        let cloud = ModelCloud()
        fill(cloud, folders: 3, files: 2)
        let fixture = try await Fixture.make(cloud: cloud) { $0.readsAhead = false }
        _ = try await fixture.names("/")
        cloud.fail(.list, skip: 1, .before(.forbidden))
        let progress = try await warm(["/"], fixture)
        #expect(progress.failureCount == 1)
        #expect(progress.filesFetched == 4)
        #expect(progress.failures.first?.path.hasPrefix("/Files/d") == true)
        await fixture.end()
    }

    /// The version that a listing told of is replaced, or gone, when its turn comes.
    @Test(arguments: [ModelCloud(), ModelCloud.addressingByPath()])
    func anotherClientsChangesAreFollowed(_ cloud: ModelCloud) async throws {
        fill(cloud, folders: 1, files: 5)
        let fixture = try await Fixture.make(cloud: cloud)
        _ = try await fixture.names("/d0")
        cloud.storeByOther(Array("another, longer content".utf8), at: "/d0/f2")
        cloud.deleteByOther(at: "/d0/f3")
        let progress = try await warm(["/d0"], fixture)
        #expect(progress.isComplete, "\(progress.failures)")
        #expect(progress.files == 4)
        #expect(progress.bytes == progress.bytesDone)
        await fixture.fileSystem.settleListings()
        stop(cloud)
        #expect(try await fixture.read("/d0/f2") == "another, longer content")
        await fixture.end()
    }

    @Test func aServerThatIsGoneEndsTheRun() async throws {
        let cloud = ModelCloud()
        fill(cloud, folders: 1, files: 100)
        let fixture = try await Fixture.make(cloud: cloud)
        _ = try await fixture.names("/d0")
        stop(cloud)
        let progress = try await warm(["/d0"], fixture)
        #expect(progress.failureCount == 100)
        #expect(progress.filesFetched == 0)
        #expect(cloud.count(of: .download) < 60)
        #expect(progress.failures.contains { $0.reason.hasPrefix("not tried: ") })
        await fixture.end()
    }

    // MARK: Room

    @Test func aCacheThatIsTooSmallIsToldAndKeepsWhatWasFetched() async throws {
        let cloud = ModelCloud()
        for index in 0..<10 {
            cloud.storeByOther([UInt8](repeating: UInt8(index), count: 100_000), at: "/f\(index)")
        }
        let fixture = try await Fixture.make(cloud: cloud, cacheLimit: 550_000)
        let progress = try await warm(["/"], fixture)
        #expect(!progress.isComplete)
        #expect(progress.failureCount == 0)
        #expect(progress.filesFetched == 5)
        #expect(progress.refusal.files == 5)
        #expect(progress.refusal.bytes == 500_000)
        #expect(progress.refusal.lacking == 450_000)
        #expect(progress.refusal.bound == .limit)
        #expect(cloud.count(of: .download) == 5, "nothing is fetched in vain")
        #expect(fixture.cache.inventory().completeFiles == 5)
        cloud.resetCounts()
        let again = try await warm(["/"], fixture)
        #expect(again.filesHere == 5)
        #expect(again.filesFetched == 0)
        #expect(again.refusal.lacking == 450_000)
        #expect(cloud.count(of: .download) == 0)
        await fixture.end()
    }

    /// What is here of the paths is not pushed out by what is fetched beside it, other files are.
    @Test func onlyOtherFilesMakeRoom() async throws {
        let cloud = ModelCloud()
        for name in ["a", "b", "c", "d", "e"] {
            cloud.makeFolderByOther(at: "/\(name)")
            for index in 0..<4 {
                cloud.storeByOther([UInt8](repeating: 1, count: 50_000), at: "/\(name)/\(index)")
            }
        }
        // Three of the five folders have room.
        let fixture = try await Fixture.make(cloud: cloud, cacheLimit: 620_000)
        for name in ["a", "b", "c"] { #expect(try await warm(["/\(name)"], fixture).isComplete) }
        cloud.resetCounts()
        // Used longest ago, and wanted.
        let progress = try await warm(["/a", "/d", "/e"], fixture)
        #expect(progress.isComplete)
        #expect(progress.filesHere == 4)
        #expect(cloud.count(of: .download) == 8)
        cloud.resetCounts()
        #expect(try await warm(["/a", "/d", "/e"], fixture).filesHere == 12)
        #expect(cloud.count(of: .download) == 0)
        await fixture.end()
    }

    // MARK: The end

    @Test func aRunThatIsEndedFetchesNothingMore() async throws {
        let cloud = HeldCloud(holdingDownloads: 20)
        fill(cloud.model, folders: 1, files: 100)
        let fixture = try await Fixture.make(cloud: cloud.model, over: cloud)
        let run = try fixture.fileSystem.beginWarming(below: [["Files"]])
        try await eventually("all that may be under way") { cloud.held == WarmQueue.parallelFiles }
        let progress = try #require(await fixture.fileSystem.endWarming(run))
        #expect(progress.isOver)
        #expect(progress.isCancelled)
        #expect(progress.filesFetched == 20)
        #expect(progress.failureCount == 0)
        #expect(cloud.model.count(of: .download) == 20)
        #expect(await fixture.fileSystem.warming(run, within: 0) == nil)
        #expect(await fixture.fileSystem.endWarming(run) == nil)
        #expect(await fixture.cache.trim(to: 0).files == 20, "nothing is held any more")
        await fixture.end()
    }

    @Test func aRunThatNobodyAsksForEnds() async throws {
        let cloud = HeldCloud(holdingDownloads: 3)
        fill(cloud.model, folders: 1, files: 10)
        let fixture = try await Fixture.make(cloud: cloud.model, over: cloud)
        let run = try fixture.fileSystem.beginWarming(below: [["Files"]], leaseSeconds: 0.2)
        // Without the end of the lease it would wait for the downloads.
        await fixture.fileSystem.settleReadAhead()
        let progress = try #require(await fixture.fileSystem.warming(run, within: 0))
        #expect(progress.isOver)
        #expect(progress.isCancelled)
        #expect(progress.filesFetched <= 3)
        try await eventually("the end of what was under way") { cloud.held == cloud.cancelled }
        await fixture.end()
    }

    @Test func theEndOfTheMountEndsRuns() async throws {
        let cloud = HeldCloud(holdingDownloads: 0)
        fill(cloud.model, folders: 1, files: 10)
        let fixture = try await Fixture.make(cloud: cloud.model, over: cloud)
        _ = try fixture.fileSystem.beginWarming(below: [["Files"]])
        try await eventually("what is under way") { cloud.held > 0 }
        await fixture.fileSystem.shutdown()
        try await eventually("the end of what was under way") { cloud.held == cloud.cancelled }
    }

    @Test func progressGrowsWithinALongFile() async throws {
        let cloud = HeldCloud(holdingDownloads: 3)
        cloud.model.storeByOther([UInt8](repeating: 5, count: 32 << 20), at: "/large")
        let fixture = try await Fixture.make(cloud: cloud.model, over: cloud)
        let run = try fixture.fileSystem.beginWarming(below: [["Files"]])
        var progress = WarmProgress()
        try await eventually("the first parts") {
            progress = try #require(await fixture.fileSystem.warming(run, within: 0))
            return progress.bytesDone > 0
        }
        #expect(progress.filesFetched == 0)
        #expect(progress.bytesDone == progress.bytesFetched)
        #expect(progress.bytesDone < progress.bytes)
        cloud.letGo()
        try await eventually("the end") {
            progress = try #require(await fixture.fileSystem.warming(run, within: 1))
            return progress.isOver
        }
        #expect(progress.isComplete)
        #expect(progress.bytesDone == 32 << 20)
        #expect(progress.bytesFetched == 32 << 20)
        await fixture.end()
    }

    @Test func theNumberOfRunsIsBounded() async throws {
        let cloud = HeldCloud(holdingDownloads: 0)
        fill(cloud.model, folders: 1, files: 1)
        let fixture = try await Fixture.make(cloud: cloud.model, over: cloud)
        var runs: [UInt64] = []
        for _ in 0..<16 {
            runs.append(try fixture.fileSystem.beginWarming(below: [["Files"]]))
        }
        #expect(throws: FileSystemError.self) {
            try fixture.fileSystem.beginWarming(below: [["Files"]])
        }
        for run in runs { _ = await fixture.fileSystem.endWarming(run) }
        let last = try fixture.fileSystem.beginWarming(below: [["Files"]])
        _ = await fixture.fileSystem.endWarming(last)
        await fixture.end()
    }
}
