import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

import VirtualFileSystem

/// Uploads whose answer nobody heard: what is found on the server later is known as our own, and what
/// has become somebody else's is left alone.
@Suite struct UnheardAnswerTests {
    /// A new file that arrived unheard and was removed here since.
    @Test(arguments: [false, true])
    func aRemovedFileThatArrivedUnheardDoesNotComeBack(_ isReplaced: Bool) async throws {
        let fixture = try await Fixture.makeByHand()
        try await fixture.save("other", to: "/b")
        await fixture.work()
        try await fixture.save("removed", to: "/a")
        await fixture.loseUpload()
        #expect(fixture.serverContents().contains("removed"))
        if isReplaced {
            try await fixture.rename("/b", "/a")
        } else {
            try await fixture.unlink("/a")
        }
        await fixture.work()
        try await fixture.fileSystem.finishUndertakings()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["other"])
        #expect(try await fixture.names("/") == [isReplaced ? "a" : "b"])
    }

    /// A file that another client has deleted, that arrived anew unheard, and was removed here since.
    @Test(arguments: [false, true])
    func aRemovedFileThatArrivedAnewUnheardDoesNotComeBack(_ isReplaced: Bool) async throws {
        let fixture = try await Fixture.makeByHand()
        try await fixture.save("one", to: "/a")
        try await fixture.save("other", to: "/b")
        await fixture.work()
        try await fixture.save("second", to: "/a")
        fixture.cloud.deleteByOther(at: "/a")
        fixture.cloud.fail(.upload, .answerLost)
        fixture.cloud.fail(.list, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        fixture.cloud.removeFaults()
        #expect(fixture.serverContents() == ["other", "second"])
        if isReplaced {
            try await fixture.rename("/b", "/a")
        } else {
            try await fixture.unlink("/a")
        }
        await fixture.work()
        try await fixture.fileSystem.finishUndertakings()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["other"])
        #expect(try await fixture.names("/") == [isReplaced ? "a" : "b"])
    }

    /// A new file that arrived unheard, and has another name here since, is on the server once.
    @Test(arguments: [false, true], [false, true])
    func aRenamedFileThatArrivedUnheardIsThereOnce(
        _ isListed: Bool, isChanged: Bool
    ) async throws {
        let fixture = try await Fixture.makeByHand()
        try await fixture.save("learn", to: "/l")
        await fixture.work()
        try await fixture.save("content", to: "/a")
        await fixture.loseUpload()
        #expect(fixture.cloud.content(at: "/a") == Array("content".utf8))
        try await fixture.rename("/a", "/b")
        if isChanged { try await fixture.save("another", to: "/b") }
        if isListed { try await fixture.look("/") }
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == [isChanged ? "another" : "content", "learn"])
        #expect(try await fixture.names("/") == ["b", "l"])
    }

    /// The same of an empty file, whose content is that of all others: only the name that it had says
    /// whose it is, and a file that has this name by now stays.
    @Test(arguments: [false, true], [nil, "", "successor"])
    func anEmptyFileThatArrivedUnheardIsThereOnce(
        _ isListed: Bool, _ successor: String?
    ) async throws {
        let fixture = try await Fixture.makeByHand()
        try await fixture.save("learn", to: "/l")
        await fixture.work()
        try await fixture.save("", to: "/a")
        await fixture.loseUpload()
        try #require(fixture.cloud.content(at: "/a") == [])
        try await fixture.rename("/a", "/b")
        if let successor { try await fixture.save(successor, to: "/a") }
        if isListed { try await fixture.look("/") }
        await fixture.work()
        try await fixture.look("/")
        let names = successor != nil ? ["a", "b", "l"] : ["b", "l"]
        #expect(fixture.cloud.snapshot().keys.sorted() == names.map { "/" + $0 })
        if let successor { #expect(fixture.cloud.content(at: "/a") == Array(successor.utf8)) }
        #expect(try await fixture.names("/") == names)
    }

    /// A file that has the name by now takes over what arrived, where it is sent first.
    @Test(arguments: ["", "content"], ["", "successor"])
    func whatArrivedUnheardIsNoStrangersToItsSuccessor(
        _ content: String, _ successor: String
    ) async throws {
        let fixture = try await Fixture.makeByHand()
        try await fixture.save("learn", to: "/l")
        await fixture.work()
        try await fixture.save(content, to: "/a")
        await fixture.loseUpload()
        try #require(fixture.cloud.content(at: "/a") == Array(content.utf8))
        try await fixture.rename("/a", "/b")
        try await fixture.save(successor, to: "/a")
        // What is being written waits.
        let handle = try await fixture.open("/b", [.write, .append])
        try await fixture.write(" and more", handle: handle)
        await fixture.work()
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a", "/l"])
        #expect(fixture.cloud.content(at: "/a") == Array(successor.utf8))
        try await fixture.close(handle)
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a", "/b", "/l"])
        #expect(fixture.cloud.content(at: "/a") == Array(successor.utf8))
        #expect(fixture.cloud.content(at: "/b") == Array("\(content) and more".utf8))
        #expect(try await fixture.names("/") == ["a", "b", "l"])
    }

    /// A successor of the same bytes that was stored stays, also when this run has not looked at it.
    @Test(arguments: ["", "content"])
    func aSuccessorThatWasStoredIsNoStray(_ content: String) async throws {
        let cloud = ModelCloud()
        for path in ["/d", "/g"] { cloud.makeFolderByOther(at: path) }
        var fixture = try await Fixture.makeByHand(cloud: cloud)
        try await fixture.save("learn", to: "/l")
        await fixture.work()
        try await fixture.save(content, to: "/d/a")
        await fixture.loseUpload()
        try await fixture.rename("/d/a", "/g/b")
        try await fixture.save(content, to: "/d/a")
        let handle = try await fixture.open("/g/b", [.write, .append])
        try await fixture.write(" and more", handle: handle)
        await fixture.work()
        try #require(cloud.snapshot().keys.sorted() == ["/d", "/d/a", "/g", "/l"])
        try await fixture.close(handle)
        fixture = try await fixture.restartByHand()
        await fixture.work()
        try await fixture.look("/d")
        #expect(cloud.snapshot().keys.sorted() == ["/d", "/d/a", "/g", "/g/b", "/l"])
        #expect(cloud.content(at: "/d/a") == Array(content.utf8))
        #expect(cloud.content(at: "/g/b") == Array("\(content) and more".utf8))
        #expect(try await fixture.names("/d") == ["a"])
    }

    /// The same where its folder was renamed by another client, and a second try failed for certain.
    @Test func aFileThatArrivedUnheardIsThereOnceThoughItsFolderWasRenamed() async throws {
        let cloud = ModelCloud()
        for path in ["/d", "/g"] { cloud.makeFolderByOther(at: path) }
        let fixture = try await Fixture.makeByHand(cloud: cloud)
        try await fixture.save("learn", to: "/l")
        await fixture.work()
        try await fixture.save("content", to: "/d/a")
        await fixture.loseUpload()
        try #require(cloud.content(at: "/d/a") != nil)
        cloud.renameByOther(from: "/d", to: "e")
        try await fixture.look("/")
        cloud.fail(.upload, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        cloud.removeFaults()
        try await fixture.rename("/e/a", "/g/a")
        await fixture.work()
        #expect(cloud.snapshot().keys.sorted() == ["/e", "/g", "/g/a", "/l"])
        await fixture.end()
    }

    /// A new version that arrived unheard is no stranger's: the file can still be removed.
    @Test func aVersionOfOurOwnDoesNotKeepAFileFromBeingRemoved() async throws {
        let fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .revision))
        try await fixture.save("one", to: "/a")
        await fixture.work()
        try await fixture.save("second", to: "/a")
        fixture.cloud.fail(.upload, .answerLost)
        fixture.cloud.fail(.item, skip: 1, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        fixture.cloud.removeFaults()
        #expect(fixture.serverContents() == ["second"])
        try await fixture.unlink("/a")
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == [])
        #expect(try await fixture.names("/") == [])
    }

    /// A later try that certainly failed says nothing about an earlier one.
    @Test func anUnheardVersionIsKnownAfterALaterFailure() async throws {
        let fixture = try await Fixture.makeByHand()
        try await fixture.save("learn", to: "/l")
        await fixture.work()
        try await fixture.save("earlier", to: "/a")
        await fixture.loseUpload()
        fixture.cloud.fail(.upload, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        try await fixture.save("later one", to: "/a")
        await fixture.work()
        #expect(fixture.serverContents() == ["later one", "learn"])
        #expect(fixture.fileSystem.status().conflicts.isEmpty)
    }

    /// A file that takes the place of one whose new version arrived unheard.
    @Test func aVersionOfOurOwnDoesNotKeepAFileFromBeingReplaced() async throws {
        let fixture = try await Fixture.makeByHand(cloud: .addressingByPath())
        try await fixture.save("one", to: "/a")
        try await fixture.save("second", to: "/b")
        await fixture.work()
        try await fixture.save("unheard", to: "/a")
        await fixture.loseUpload()
        #expect(fixture.serverContents() == ["second", "unheard"])
        try await fixture.rename("/b", "/a")
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["second"])
        #expect(try await fixture.names("/") == ["a"])
    }

    /// A conflict copy that arrived unheard is not made a second time after a restart.
    @Test(arguments: [false, true], ["second", "the third"])
    func aConflictCopyThatArrivedUnheardIsMadeOnce(
        _ isListed: Bool, content: String
    ) async throws {
        var fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .revision))
        try await fixture.save("one", to: "/a")
        await fixture.work()
        try await fixture.save("second", to: "/a")
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a")
        fixture.cloud.fail(.upload, .answerLost)
        fixture.cloud.fail(.list, skip: 2, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        fixture.cloud.removeFaults()
        #expect(fixture.serverContents() == ["second", "theirs"])
        fixture = try await fixture.restartByHand()
        if isListed {
            try await fixture.look("/")
            // It is not shown beside the file whose content it has.
            #expect(try await fixture.names("/") == ["a"])
        }
        if content != "second" { try await fixture.save(content, to: "/a") }
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents().sorted() == [content, "theirs"].sorted())
        #expect(try await fixture.names("/").count == 2)
    }

    /// What an appended file still lacks is not lost when another client deletes the file and the
    /// driver starts anew.
    @Test func anUnsentContentKeepsWhatItIsBasedOn() async throws {
        let cloud = ModelCloud(behaviour: .revision)
        cloud.storeByOther(Array("base".utf8), at: "/a")
        cloud.storeByOther(Array("in the way".utf8), at: "/b")
        var fixture = try await Fixture.makeByHand(cloud: cloud)
        #expect(try await fixture.read("/a") == "base")
        let handle = try await fixture.open("/a", [.write, .append])
        try await fixture.write(" and more", handle: handle)
        try await fixture.close(handle)
        try await fixture.rename("/a", "/b")
        cloud.deleteByOther(at: "/a")
        _ = await fixture.fileSystem.carryOutNextJob()
        fixture = try await fixture.restartByHand()
        await fixture.work()
        #expect(fixture.serverContents() == ["base and more"])
    }

    /// A file that is renamed over another one while it is being written outlives the driver as it
    /// was then, and not as what it has replaced.
    @Test func aReplacementStillBeingWrittenOutlivesTheDriver() async throws {
        var fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .revision))
        try await fixture.save("replaced", to: "/b")
        try await fixture.save("one", to: "/a")
        await fixture.work()
        let handle = try await fixture.open("/a", [.write, .truncate])
        try await fixture.write("half", handle: handle)
        try await fixture.rename("/a", "/b")
        await fixture.work()
        fixture = try await fixture.restartByHand()
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["half"])
        #expect(try await fixture.read("/b") == "half")
    }
}
