import ChangeFeed
import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport
import Testing

import VirtualFileSystem

/// Folders whose entries leave memory, and come back from the state table.
@Suite struct UnloadingTests {
    static let kinds = [false, true]

    private func cloud(addressesByPath: Bool) -> ModelCloud {
        let cloud = addressesByPath ? ModelCloud.addressingByPath() : ModelCloud()
        cloud.makeFolderByOther(at: "/d")
        cloud.makeFolderByOther(at: "/d/s")
        cloud.makeFolderByOther(at: "/e")
        for name in ["a", "b", "c"] { cloud.storeByOther(Array(name.utf8), at: "/d/\(name)") }
        cloud.storeByOther(Array("x".utf8), at: "/d/s/x")
        return cloud
    }

    private func listAll(_ fixture: Fixture) async throws -> [String: InodeNumber] {
        var found: [String: InodeNumber] = [:]
        for path in ["/d", "/d/a", "/d/b", "/d/c", "/d/s", "/d/s/x", "/e"] {
            found[path] = try await fixture.attributes(path).inode
        }
        return found
    }

    @Test(arguments: kinds)
    func entriesComeBackAsTheyWereWithoutARequest(_ addressesByPath: Bool) async throws {
        let fixture = try await Fixture.make(cloud: cloud(addressesByPath: addressesByPath))
        let before = try await listAll(fixture)
        var changes = AttributeChanges()
        changes.mode = 0o600
        _ = try await fixture.fileSystem.setattr(
            node: try await fixture.node("/d/a"), changes: changes, handle: nil,
            caller: fixture.caller
        ).value()
        let known = fixture.fileSystem.status().knownInodes
        await fixture.unload(asksForFolders: false)
        #expect(fixture.fileSystem.status().knownInodes == known - 4)
        fixture.cloud.resetCounts()
        #expect(try await listAll(fixture) == before)
        #expect(try await fixture.names("/d") == ["a", "b", "c", "s"])
        #expect(try await fixture.attributes("/d/a").mode == 0o600)
        #expect(fixture.cloud.totalCount() == 0)
        #expect(try await fixture.read("/d/s/x") == "x")
        await fixture.end()
    }

    /// What the kernel still counts it is asked to forget, and folders only where need be.
    @Test func theKernelIsAskedToForget() async throws {
        let fixture = try await Fixture.make(cloud: cloud(addressesByPath: false))
        let kernel = ForgettingKernel(fixture)
        fixture.fileSystem.setNotifier(kernel)
        let before = try await listAll(fixture)
        await fixture.fileSystem.unload(downTo: 0, unusedFor: 0)
        #expect(kernel.asked == ["a", "b", "c", "x"])
        #expect(fixture.fileSystem.status().knownInodes == 5)
        await fixture.unload(with: kernel)
        #expect(kernel.asked == ["a", "b", "c", "d", "e", "s", "x"])
        #expect(fixture.fileSystem.status().knownInodes == 2)
        #expect(try await listAll(fixture) == before)
        await fixture.end()
    }

    /// The kernel unmounts what is mounted on a folder that it is asked to forget.
    @Test(arguments: [false, true])
    func foldersStayWhileSomethingIsMountedOnOne(_ hasMounts: Bool) async throws {
        let fixture = try await Fixture.make(cloud: cloud(addressesByPath: false)) { options in
            options.nodeLimit = 2
            options.hasMountsBelow = { hasMounts }
        }
        _ = try await listAll(fixture)
        let kernel = ForgettingKernel(fixture)
        fixture.fileSystem.setNotifier(kernel)
        try await eventually {
            await fixture.fileSystem.makeRoom()
            return fixture.fileSystem.status().knownInodes == (hasMounts ? 5 : 2)
        }
        await fixture.fileSystem.makeRoom()
        #expect(kernel.asked.contains("d") == !hasMounts)
        #expect(fixture.fileSystem.status().knownInodes == (hasMounts ? 5 : 2))
        await fixture.end()
    }

    @Test func whatIsInUseStays() async throws {
        let fixture = try await Fixture.makeByHand(cloud: cloud(addressesByPath: false))
        let before = try await listAll(fixture)
        let reader = try await fixture.open("/d/a", [.read])
        try await fixture.save("new", to: "/d/s/y")
        try await fixture.rename("/d/b", "/e/b")
        try await fixture.unlink("/d/c")
        await fixture.unload()
        #expect(try await fixture.read(handle: reader) == "a")
        try await fixture.close(reader)
        await fixture.unload()
        #expect(fixture.fileSystem.status().unsent.count == 3)
        await fixture.work()
        #expect(fixture.cloud.content(at: "/d/s/y") == Array("new".utf8))
        #expect(fixture.cloud.content(at: "/e/b") == Array("b".utf8))
        #expect(fixture.cloud.content(at: "/d/c") == nil)
        #expect(try await fixture.attributes("/e/b").inode == before["/d/b"])
        await fixture.end()
    }

    @Test func youngFoldersStay() async throws {
        let fixture = try await Fixture.make(cloud: cloud(addressesByPath: false))
        fixture.fileSystem.setNotifier(ForgettingKernel(fixture))
        _ = try await listAll(fixture)
        let known = fixture.fileSystem.status().knownInodes
        await fixture.fileSystem.unload(downTo: 0, unusedFor: 3_600)
        #expect(fixture.fileSystem.status().knownInodes == known)
        await fixture.end()
    }

    @Test(arguments: kinds)
    func localChangesReachFoldersThatAreNotInMemory(_ addressesByPath: Bool) async throws {
        let fixture = try await Fixture.makeByHand(cloud: cloud(addressesByPath: addressesByPath))
        let before = try await listAll(fixture)
        await fixture.unload()
        try await fixture.rename("/d/a", "/e/a")
        await fixture.unload()
        try await fixture.save("more", to: "/d/s/z")
        #expect(
            await code { () throws(FileSystemError) in try await fixture.rmdir("/d/s") }
                == .notEmpty)
        await fixture.work()
        await fixture.unload()
        try await fixture.rename("/d/s", "/e/s")
        await fixture.unload()
        await fixture.work()
        await fixture.unload()
        #expect(try await fixture.names("/e") == ["a", "s"])
        #expect(try await fixture.names("/e/s") == ["x", "z"])
        #expect(try await fixture.attributes("/e/s/x").inode == before["/d/s/x"])
        #expect(try await fixture.attributes("/e/a").inode == before["/d/a"])
        for name in ["x", "z"] { try await fixture.unlink("/e/s/\(name)") }
        await fixture.work()
        await fixture.unload()
        try await fixture.rmdir("/e/s")
        await fixture.unload()
        await fixture.work()
        #expect(fixture.cloud.snapshot()["/e/s"] == nil)
        #expect(try await fixture.names("/e") == ["a"])
        await fixture.end()
    }

    @Test func changesOfOthersInUnloadedFoldersAreSeenAtTheNextLook() async throws {
        let fixture = try await Fixture.make(cloud: cloud(addressesByPath: false))
        let feed = ChangeFeed(
            cloud: fixture.cloud, interval: .seconds(5), clock: ContinuousClock(),
            receiver: RemoteChanges(fileSystem: fixture.fileSystem))
        await feed.pollNow()
        let before = try await listAll(fixture)
        await fixture.unload()
        fixture.cloud.storeByOther(Array("22".utf8), at: "/d/a")
        fixture.cloud.storeByOther(Array("n".utf8), at: "/d/n")
        fixture.cloud.storeByOther(Array("xx".utf8), at: "/d/s/x")
        await feed.pollNow()
        #expect(try await fixture.names("/d") == ["a", "b", "c", "n", "s"])
        #expect(try await fixture.read("/d/a") == "22")
        #expect(try await fixture.read("/d/s/x") == "xx")
        #expect(try await fixture.attributes("/d/a").inode == before["/d/a"])
        await fixture.unload()
        fixture.cloud.renameByOther(from: "/d/b", to: "bb")
        fixture.cloud.deleteByOther(at: "/d/c")
        await feed.pollNow()
        #expect(try await fixture.names("/d") == ["a", "bb", "n", "s"])
        #expect(try await fixture.attributes("/d/bb").inode == before["/d/b"])
        await fixture.end()
    }

    /// The folder where it was is not in memory; the one where it is now is looked at first.
    @Test func whatAnotherClientMovesKeepsItsNumber() async throws {
        let fixture = try await Fixture.make(cloud: cloud(addressesByPath: false))
        let before = try await listAll(fixture)
        await fixture.unload()
        let bob = fixture.cloud
        let folders = try await bob.entries(of: .top(of: ModelCloud.root))
        let from = try #require(folders["d"])
        let target = try #require(folders["e"])
        for name in ["a", "s"] {
            let item = try #require(try await bob.entries(of: from.reference)[name])
            _ = try await bob.relocate(
                item.reference, to: RelocationTarget(folder: target.reference, name: nil))
        }
        try await fixture.look("/e")
        #expect(try await fixture.names("/e") == ["a", "s"])
        #expect(try await fixture.attributes("/e/a").inode == before["/d/a"])
        #expect(try await fixture.attributes("/e/s").inode == before["/d/s"])
        #expect(try await fixture.attributes("/e/s/x").inode == before["/d/s/x"])
        try await fixture.look("/d")
        #expect(try await fixture.names("/d") == ["b", "c"])
        await fixture.end()
    }

    @Test(arguments: kinds)
    func anUnloadedFolderIsListedWithoutAServer(_ addressesByPath: Bool) async throws {
        let fixture = try await Fixture.make(cloud: cloud(addressesByPath: addressesByPath)) {
            $0.staleSeconds = 0
        }
        let before = try await listAll(fixture)
        await fixture.unload()
        for call in ModelCloud.Call.allCases {
            for _ in 0..<200 { fixture.cloud.fail(call, .before(.unreachable)) }
        }
        #expect(try await fixture.names("/d") == ["a", "b", "c", "s"])
        #expect(try await listAll(fixture) == before)
        await fixture.end()
    }

    /// A program works in a folder whose parent is not in memory, and another client deletes both.
    @Test func unsentChangesBelowAnUnloadedFolderOutliveItsEnd() async throws {
        let fixture = try await Fixture.makeByHand(cloud: cloud(addressesByPath: false))
        _ = try await listAll(fixture)
        let kernel = ForgettingKernel(fixture)
        fixture.fileSystem.setNotifier(kernel)
        let inner = try await fixture.node("/d/s")
        await fixture.fileSystem.unload(downTo: 0, unusedFor: 0)
        let made = try await fixture.fileSystem.create(
            parent: inner, name: "unsent", mode: 0o644, options: [.write], caller: fixture.caller
        ).value()
        try await fixture.write("mine", handle: made.file.handle)
        try await fixture.close(made.file.handle)
        fixture.cloud.deleteByOther(at: "/d")
        try await fixture.look("/")
        #expect(try await fixture.names("/d") == ["s"])
        let second = try await fixture.restartByHand()
        await second.work()
        #expect(second.cloud.content(at: "/d/s/unsent") == Array("mine".utf8))
        #expect(second.cloud.snapshot().keys.sorted() == ["/d", "/d/s", "/d/s/unsent", "/e"])
        try await second.look("/d")
        #expect(try await second.names("/d") == ["s"])
        await second.end()
    }

    @Test(arguments: kinds)
    func aRestartShowsWhatIsKnownWhereTheServerDoesNotAnswer(_ addressesByPath: Bool) async throws {
        let fixture = try await Fixture.makeByHand(cloud: cloud(addressesByPath: addressesByPath))
        let before = try await listAll(fixture)
        await fixture.fileSystem.settleListings()
        for _ in 0..<64 { fixture.cloud.fail(.list, .before(.unreachable)) }
        let second = try await fixture.restartByHand()
        second.cloud.storeByOther(Array("n".utf8), at: "/d/n")
        #expect(try await listAll(second) == before)
        #expect(try await second.names("/d") == ["a", "b", "c", "s"])
        second.cloud.removeFaults()
        await second.fileSystem.settleListings()
        #expect(try await second.names("/d") == ["a", "b", "c", "n", "s"])
        await second.end()
    }

    /// What a crash left to be removed is not shown again by a listing that comes before all of it
    /// was taken up.
    @Test(arguments: kinds)
    func removedFilesStaySoWhileTheyAreTakenUp(_ addressesByPath: Bool) async throws {
        let cloud = addressesByPath ? ModelCloud.addressingByPath() : ModelCloud()
        cloud.makeFolderByOther(at: "/d")
        for index in 0..<300 { cloud.storeByOther([1], at: "/d/f\(index)") }
        let fixture = try await Fixture.makeByHand(cloud: cloud)
        for index in 0..<300 { try await fixture.unlink("/d/f\(index)") }
        let second = try await fixture.restart()
        #expect(try await second.names("/d") == [])
        _ = await second.fileSystem.drain(forSeconds: 60)
        #expect(cloud.snapshot().keys.sorted() == ["/d"])
        #expect(try await second.names("/d") == [])
        await second.end()
    }

    /// Slices of a listing that is bigger than one, first, again, and from the table.
    @Test(arguments: kinds)
    func aBigFolderIsTakenOverInSlices(_ addressesByPath: Bool) async throws {
        let cloud = addressesByPath ? ModelCloud.addressingByPath() : ModelCloud()
        cloud.makeFolderByOther(at: "/d")
        for index in 0..<2_500 { cloud.storeByOther([1], at: "/d/f\(index)") }
        let fixture = try await Fixture.make(cloud: cloud)
        let inode = try await fixture.attributes("/d/f2499").inode
        for index in 0..<1_200 { cloud.deleteByOther(at: "/d/f\(index)") }
        cloud.storeByOther([1, 2], at: "/d/f2000")
        try await fixture.look("/d")
        #expect(try await fixture.names("/d").count == 1_300)
        #expect(try await fixture.attributes("/d/f2000").size == 2)
        await fixture.unload()
        #expect(fixture.fileSystem.status().knownInodes < 10)
        #expect(try await fixture.names("/d").count == 1_300)
        #expect(try await fixture.attributes("/d/f2499").inode == inode)
        let second = try await fixture.restart()
        #expect(try await second.names("/d").count == 1_300)
        #expect(try await second.attributes("/d/f2499").inode == inode)
        await second.end()
    }
}

/// A kernel that forgets at once what it is told to.
final class ForgettingKernel: KernelNotifier {
    // The fixture has its file system, and that this.
    private unowned let fixture: Fixture
    private let names = Mutex<[String]>([])

    init(_ fixture: Fixture) { self.fixture = fixture }

    /// The names it was told to forget, sorted.
    var asked: [String] { names.withLock { $0.sorted() } }

    func invalidateContent(ofNode node: UInt64) {}
    func dropPages(_ range: ByteRange, ofNode node: UInt64) {}
    func invalidateAttributes(ofNode node: UInt64) {}

    func invalidateEntry(parent: UInt64, name: String) {
        guard let node = fixture.lookedUp.withLock({ $0["\(parent)/\(name)"] }) else { return }
        names.withLock { $0.append(name) }
        fixture.fileSystem.forget(node: node, count: .max)
    }
}

extension Fixture {
    /// All that nothing keeps leaves memory, with what a kernel may still count.
    func unload(
        with kernel: ForgettingKernel? = nil, asksForFolders: Bool = true
    ) async {
        fileSystem.setNotifier(kernel ?? ForgettingKernel(self))
        // Level by level.
        for _ in 0..<4 {
            await fileSystem.unload(
                downTo: 0, unusedFor: 0, asksForFolders: asksForFolders)
        }
    }
}
