import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport
import Testing

import VirtualFileSystem

/// Uploads that the server finishes after whoever sent them has gone, or has looked for them.
@Suite struct LateUploadTests {
    /// A cloud that has learned what it does with uploads, and a file on its way there, unheard.
    private func makeWithUploadOnItsWay(_ text: String) async throws -> Fixture {
        let fixture = try await Fixture.makeByHand()
        try await fixture.save("learn", to: "/l")
        await fixture.work()
        try await fixture.save(text, to: "/a")
        await fixture.loseUpload()
        fixture.cloud.deleteByOther(at: "/a")
        return fixture
    }

    /// A removed file whose upload arrives late is never seen again, and leaves the server.
    @Test(arguments: [false, true])
    func aRemovedFileThatArrivesLateDoesNotComeBack(_ restarts: Bool) async throws {
        var fixture = try await makeWithUploadOnItsWay("removed")
        try await fixture.unlink("/a")
        await fixture.work()
        if restarts { fixture = try await fixture.restartByHand() }
        try await fixture.look("/")
        try await fixture.fileSystem.finishUndertakings()
        fixture.cloud.storeByOther(Array("removed".utf8), at: "/a")
        try await fixture.look("/")
        #expect(try await fixture.names("/") == ["l"])
        try await fixture.fileSystem.finishUndertakings()
        #expect(fixture.serverContents() == ["learn"])
        try await fixture.look("/")
        #expect(try await fixture.names("/") == ["l"])
    }

    /// Nor does a listing show it that was made before it left the server, and comes after that.
    @Test func anOlderListingDoesNotBringItBack() async throws {
        let fixture = try await makeWithUploadOnItsWay("removed")
        try await fixture.unlink("/a")
        let second = try await fixture.restartByHand()
        second.cloud.storeByOther(Array("removed".utf8), at: "/a")
        second.cloud.beforeNextListingIsAnswered {
            try await second.fileSystem.finishUndertakings()
        }
        try await second.look("/")
        #expect(second.serverContents() == ["learn"])
        #expect(try await second.names("/") == ["l"])
    }

    /// A moved file whose upload arrives late at its old place is not seen there.
    @Test func aMovedFileThatArrivesLateIsSeenOnce() async throws {
        let fixture = try await makeWithUploadOnItsWay("moved")
        try await fixture.rename("/a", "/b")
        fixture.cloud.storeByOther(Array("moved".utf8), at: "/a")
        try await fixture.look("/")
        #expect(try await fixture.names("/") == ["b", "l"])
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["learn", "moved"])
        #expect(try await fixture.names("/") == ["b", "l"])
    }

    /// A file of the same name and content as the removed one is another file, and stays.
    @Test(arguments: ["same", ""])
    func aNewFileOfTheSameContentStays(_ text: String) async throws {
        let fixture = try await makeWithUploadOnItsWay(text)
        try await fixture.unlink("/a")
        try await fixture.save(text, to: "/a")
        await fixture.work()
        try await fixture.fileSystem.finishUndertakings()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["learn", text].sorted())
        #expect(try await fixture.names("/") == ["a", "l"])
        let second = try await fixture.restartByHand()
        try await second.fileSystem.finishUndertakings()
        try await second.look("/")
        #expect(second.serverContents() == ["learn", text].sorted())
        #expect(try await second.names("/") == ["a", "l"])
    }

    /// Nor is it taken for the removed one's where it is stored while that is being looked for.
    @Test func aNewFileOfTheSameContentStaysWhileTheOldOneIsLookedFor() async throws {
        let fixture = try await makeWithUploadOnItsWay("same")
        try await fixture.unlink("/a")
        let stored = Mutex<String?>(nil)
        fixture.cloud.beforeNextListingIsMade {
            try await fixture.save("same", to: "/a")
            fixture.cloud.fail(.upload, .answerLost)
            // The first look is for the old one.
            fixture.cloud.fail(.list, skip: 1, .before(.unreachable))
            _ = await fixture.fileSystem.carryOutNextJob()
            fixture.cloud.removeFaults()
            stored.withLock { $0 = fixture.cloud.id(at: "/a") }
        }
        try await fixture.fileSystem.finishUndertakings()
        let known = try #require(stored.withLock { $0 })
        await fixture.work()
        #expect(fixture.cloud.id(at: "/a") == known)
        #expect(fixture.serverContents() == ["learn", "same"])
    }

    /// What another client has put at the place of a removed file is shown, whatever its size.
    @Test func whatAnotherClientPutsThereIsShown() async throws {
        let fixture = try await makeWithUploadOnItsWay("removed")
        try await fixture.unlink("/a")
        await fixture.work()
        fixture.cloud.storeByOther(Array("theirs.".utf8), at: "/a")
        try await fixture.look("/")
        try await fixture.fileSystem.finishUndertakings()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["learn", "theirs."])
        #expect(try await fixture.names("/") == ["a", "l"])
    }

    /// What servers keep of an upload that was cut off is no other client's file.
    @Test(arguments: ["", "the fir"], ["known", "new", "gone"])
    func theArrivedPartOfAnUploadIsOurOwn(_ part: String, _ name: String) async throws {
        let cloud = ModelCloud.addressingByPath(keepsPartialUploads: true)
        var fixture = try await Fixture.makeByHand(cloud: cloud)
        if name == "known" {
            try await fixture.save("before", to: "/known")
            await fixture.work()
        }
        try await fixture.save("the first of it", to: "/\(name)")
        await fixture.loseUpload()
        cloud.storeByOther(Array(part.utf8), at: "/\(name)")
        if name == "gone" { try await fixture.unlink("/gone") }
        fixture = try await fixture.restartByHand()
        try await fixture.look("/")
        #expect(try await fixture.names("/") == (name == "gone" ? [] : [name]))
        try await fixture.fileSystem.finishUndertakings()
        await fixture.work()
        #expect(fixture.serverContents() == (name == "gone" ? [] : ["the first of it"]))
    }

    /// Another client's file is kept, also where cut-off uploads leave parts.
    @Test(arguments: ["theirs", "the first of new, and more"])
    func whatIsNoPartOfItIsKept(_ theirs: String) async throws {
        let cloud = ModelCloud.addressingByPath(keepsPartialUploads: true)
        let fixture = try await Fixture.makeByHand(cloud: cloud)
        try await fixture.save("the first of new", to: "/new")
        await fixture.loseUpload()
        cloud.storeByOther(Array(theirs.utf8), at: "/new")
        await fixture.work()
        #expect(fixture.serverContents() == ["the first of new", theirs].sorted())
    }

    /// A conflict copy that arrived unheard, of a file that was removed here since, does not stay.
    @Test(arguments: [false, true], [false, true])
    func aCopyOfARemovedFileDoesNotStay(_ addressesByPath: Bool, restarts: Bool) async throws {
        let cloud = addressesByPath ? ModelCloud.addressingByPath() : ModelCloud()
        var fixture = try await Fixture.makeByHand(cloud: cloud)
        try await fixture.save("one", to: "/a")
        await fixture.work()
        try await fixture.save("the next", to: "/a")
        cloud.storeByOther(Array("theirs".utf8), at: "/a")
        // The first upload is refused; whether the copy has arrived can't be looked for.
        cloud.fail(.upload, skip: addressesByPath ? 1 : 0, .answerLost)
        cloud.fail(.item, skip: 1, .before(.unreachable))
        cloud.fail(.list, skip: addressesByPath ? 1 : 2, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        cloud.removeFaults()
        try #require(fixture.serverContents() == ["the next", "theirs"])
        try await fixture.unlink("/a")
        if restarts { fixture = try await fixture.restartByHand() }
        try await fixture.look("/")
        await fixture.work()
        try await fixture.fileSystem.finishUndertakings()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["theirs"])
        #expect(try await fixture.names("/") == ["a"])
        await fixture.end()
    }
}
