import CloudStorage
import FileSystemTypes
import StateStore
import TestSupport
import Testing

import VirtualFileSystem

/// Changes of this machine and of another client that meet; the orders of events were found by
/// simulated runs.
@Suite struct TwoClientTests {
    /// The server's validator of a folder can be again what it was before our own change.
    @Test(arguments: [false, true])
    func aFolderThatIsAsBeforeOurChangeIsListedAnew(_ restarts: Bool) async throws {
        var fixture = try await Fixture.makeByHand()
        fixture.cloud.makeFolderByOther(at: "/f")
        try await fixture.look("/")
        #expect(try await fixture.names("/f") == [])
        try await fixture.save("mine", to: "/f/a")
        await fixture.work()
        #expect(fixture.cloud.content(at: "/f/a") != nil)
        if restarts { fixture = try await fixture.restartByHand() }
        fixture.cloud.deleteByOther(at: "/f/a")
        try await fixture.look("/f")
        #expect(try await fixture.names("/f") == [])
    }

    /// What a program wrote into a file is gone when it is replaced, also where the server's
    /// version has to stay.
    @Test(arguments: [Capabilities.UploadOntoName.conflict, .revision])
    func aRefusedRemovalBringsBackOnlyTheServersVersion(
        _ behaviour: Capabilities.UploadOntoName
    ) async throws {
        let fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: behaviour))
        try await fixture.save("one", to: "/a")
        try await fixture.save("new content", to: "/b")
        await fixture.work()
        let handle = try await fixture.open("/a", [.write, .truncate])
        try await fixture.write("overwritten", handle: handle)
        try await fixture.fileSystem.fsync(handle: handle, dataOnly: false).value()
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a")
        try await fixture.rename("/b", "/a")
        await fixture.work()
        try await fixture.close(handle)
        try await fixture.look("/")
        await fixture.work()
        #expect(fixture.serverContents() == ["new content", "theirs"])
        var shown: [String] = []
        for name in try await fixture.names("/") {
            shown.append(try await fixture.read("/\(name)"))
        }
        #expect(shown.sorted() == ["new content", "theirs"])
    }

    /// A name that is taken on the way to another folder is no refusal: there is another way.
    @Test(arguments: [Capabilities.UploadOntoName.conflict, .revision])
    func aStrangersNameOnTheWayRefusesNothing(
        _ behaviour: Capabilities.UploadOntoName
    ) async throws {
        let fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: behaviour))
        fixture.cloud.makeFolderByOther(at: "/f")
        fixture.cloud.storeByOther(Array("old".utf8), at: "/f/x")
        try await fixture.look("/")
        #expect(try await fixture.names("/f") == ["x"])
        try await fixture.save("mine", to: "/c")
        await fixture.work()
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/f/c")
        fixture.cloud.storeByOther(Array("theirs too".utf8), at: "/x")
        try await fixture.rename("/c", "/f/x")
        await fixture.work()
        #expect(fixture.cloud.content(at: "/f/x") == Array("mine".utf8))
        #expect(fixture.serverContents() == ["mine", "theirs", "theirs too"])
    }

    /// What is unsent in a folder goes along when another client renames that and makes one of its old
    /// name.
    @Test func aRenamedFolderIsNotTakenForTheOneThatHasItsNameNow() async throws {
        let fixture = try await Fixture.makeByHand()
        fixture.cloud.makeFolderByOther(at: "/a")
        fixture.cloud.storeByOther(Array("one".utf8), at: "/a/x")
        try await fixture.save("second", to: "/a/x")
        let inode = try await fixture.attributes("/a").inode
        fixture.cloud.renameByOther(from: "/a", to: "b")
        fixture.cloud.makeFolderByOther(at: "/a")
        try await fixture.look("/")
        await fixture.work()
        #expect(fixture.serverContents() == ["second"])
        #expect(fixture.cloud.content(at: "/b/x") == Array("second".utf8))
        #expect(try await fixture.names("/a") == [])
        #expect(try await fixture.attributes("/b").inode == inode)
        await fixture.end()
    }

    /// Files that have each other's names now, and one whose name was taken from a file that is gone.
    @Test(arguments: [false, true])
    func namesThatWentRoundKeepTheirNumbers(_ isUnsent: Bool) async throws {
        let fixture = try await Fixture.makeByHand()
        for name in ["a", "b", "c", "d", "e", "f"] {
            fixture.cloud.storeByOther(Array("in \(name)".utf8), at: "/\(name)")
        }
        try await fixture.look("/")
        var inodes: [String: InodeNumber] = [:]
        for name in try await fixture.names("/") {
            inodes[name] = try await fixture.attributes("/\(name)").inode
        }
        if isUnsent { try await fixture.save("changed", to: "/b") }
        fixture.cloud.deleteByOther(at: "/f")
        for (old, new) in [("a", "t"), ("b", "a"), ("c", "b"), ("t", "c"), ("e", "f"), ("d", "e")] {
            fixture.cloud.renameByOther(from: "/\(old)", to: new)
        }
        try await fixture.look("/")
        #expect(try await fixture.names("/") == ["a", "b", "c", "e", "f"])
        for (name, old) in [("a", "b"), ("b", "c"), ("c", "a"), ("e", "d"), ("f", "e")] {
            #expect(try await fixture.attributes("/\(name)").inode == inodes[old], "\(name)")
            let isChanged = isUnsent && old == "b"
            #expect(try await fixture.read("/\(name)") == (isChanged ? "changed" : "in \(old)"))
        }
        await fixture.work()
        if isUnsent { #expect(fixture.cloud.content(at: "/a") == Array("changed".utf8)) }
        let second = try await fixture.restartByHand()
        for (name, old) in [("a", "b"), ("c", "a"), ("f", "e")] {
            #expect(try await second.attributes("/\(name)").inode == inodes[old], "\(name)")
        }
        await second.end()
    }

    /// What has another name here stays under it, and so does what is to have the name it has.
    @Test func namesThatAreTakenHereAreGivenToNobody() async throws {
        let fixture = try await Fixture.makeByHand()
        for name in ["a", "b", "c"] {
            fixture.cloud.storeByOther(Array("in \(name)".utf8), at: "/\(name)")
        }
        try await fixture.look("/")
        try await fixture.rename("/c", "/d")
        try await fixture.save("mine", to: "/c")
        for (old, new) in [("c", "t"), ("b", "c"), ("a", "b")] {
            fixture.cloud.renameByOther(from: "/\(old)", to: new)
        }
        try await fixture.look("/")
        #expect(try await fixture.names("/") == ["a", "b", "c", "d"])
        #expect(try await fixture.read("/c") == "mine")
        for _ in 0..<3 {
            await fixture.work()
            try await fixture.look("/")
        }
        #expect(fixture.serverContents() == ["in a", "in b", "in c", "mine"])
        for name in try await fixture.names("/") {
            let shown = Array(try await fixture.read("/\(name)").utf8)
            #expect(fixture.cloud.content(at: "/\(name)") == shown, "\(name)")
        }
        await fixture.end()
    }

    /// A folder that another client has given the name of one to be made here is not taken for the
    /// new one, and what is put into that survives the driver.
    @Test func aFolderKnownUnderAnotherNameIsNotTakenForANewOne() async throws {
        var fixture = try await Fixture.makeByHand()
        fixture.cloud.makeFolderByOther(at: "/d")
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/d/x")
        try await fixture.look("/")
        #expect(try await fixture.names("/d") == ["x"])
        try await fixture.mkdir("/a")
        fixture.cloud.renameByOther(from: "/d", to: "a")
        _ = await fixture.fileSystem.carryOutNextJob()
        try await fixture.save("mine", to: "/a/f")
        fixture = try await fixture.restartByHand()
        await fixture.work()
        try await fixture.look("/")
        await fixture.work()
        #expect(fixture.serverContents() == ["mine", "theirs"])
        #expect(try await fixture.names("/") == ["a", "d"])
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a", "/a/f", "/d", "/d/x"])
    }

    /// As above with files of one content.
    @Test func aFileKnownUnderAnotherNameIsNotTakenForANewOne() async throws {
        var fixture = try await Fixture.makeByHand()
        fixture.cloud.storeByOther(Array("same".utf8), at: "/known")
        try await fixture.look("/")
        #expect(try await fixture.read("/known") == "same")
        try await fixture.save("same", to: "/new")
        fixture.cloud.renameByOther(from: "/known", to: "new")
        await fixture.work()
        try await fixture.save("mine", to: "/new")
        fixture = try await fixture.restartByHand()
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["mine"])
        #expect(try await fixture.names("/") == ["new"])
    }

    /// What an earlier run has recorded under a folder that another one stands for as well is sent.
    @Test(arguments: [false, true])
    func whatIsUnsentInAnItemThatTwoStandForIsSent(_ isFile: Bool) async throws {
        var fixture = try await Fixture.makeByHand()
        fixture.cloud.makeFolderByOther(at: "/d")
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/d/x")
        #expect(try await fixture.read("/d/x") == "theirs")
        try await fixture.mkdir("/f")
        try await fixture.save("mine", to: "/f/new")
        let known = try await fixture.attributes(isFile ? "/d/x" : "/d").inode
        let other = try await fixture.attributes(isFile ? "/f/new" : "/f").inode
        var row = try #require(try await fixture.store.record(other))
        row.server = try await fixture.store.record(known)?.server
        try await fixture.store.commit([.put(row)], durability: .normal)
        fixture = try await fixture.restartByHand()
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["mine", "theirs"])
    }

    /// A removal is refused: the file is shown as the server has it, also where the driver ends
    /// before it could look again.
    @Test func aRefusedRemovalIsListedAnewAfterARestart() async throws {
        var fixture = try await Fixture.makeByHand()
        fixture.cloud.makeFolderByOther(at: "/f")
        fixture.cloud.storeByOther(Array("one".utf8), at: "/f/a")
        #expect(try await fixture.read("/f/a") == "one")
        try await fixture.unlink("/f/a")
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/f/a")
        try await fixture.look("/f")
        #expect(try await fixture.names("/f") == [])
        fixture.cloud.fail(.list, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        await fixture.fileSystem.settleListings()
        fixture.cloud.removeFaults()
        fixture = try await fixture.restartByHand()
        try await fixture.look("/f")
        #expect(try await fixture.read("/f/a") == "theirs")
    }

    /// A file that was read while it had another name here, and has its old one again, is shown as
    /// the server has it since.
    @Test func aVersionListedDuringARenameIsSeenAfterIt() async throws {
        let fixture = try await Fixture.makeByHand()
        fixture.cloud.makeFolderByOther(at: "/f")
        fixture.cloud.storeByOther(Array("one".utf8), at: "/f/a")
        let handle = try await fixture.open("/f/a", [.read])
        #expect(try await fixture.read(handle: handle) == "one")
        try await fixture.rename("/f/a", "/f/b")
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/f/a")
        try await fixture.look("/f")
        try await fixture.rename("/f/b", "/f/a")
        #expect(try await fixture.read(handle: handle) == "one")
        try await fixture.close(handle)
        await fixture.work()
        try await fixture.look("/f")
        #expect(try await fixture.read("/f/a") == "theirs")
    }

    /// A file that another client put into a folder after its removal here, and that a listing has
    /// shown since, is not deleted with the folder.
    @Test func aRemovedFolderIsListedBeforeItIsDeleted() async throws {
        let fixture = try await Fixture.makeByHand()
        try await fixture.mkdir("/a")
        await fixture.work()
        try await fixture.look("/a")
        let folder = try await fixture.node("/a")
        try await fixture.rmdir("/a")
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a/f")
        try await fixture.fileSystem.refreshAnew(folder)
        await fixture.work()
        #expect(fixture.serverContents() == ["theirs"])
        try await fixture.look("/")
        #expect(try await fixture.read("/a/f") == "theirs")
    }
}
