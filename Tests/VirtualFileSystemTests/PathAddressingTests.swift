import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

import VirtualFileSystem

/// A cloud that knows its items by path only.
@Suite struct PathAddressingTests {
    private func text(_ cloud: ModelCloud, _ path: String) -> String? {
        cloud.content(at: path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aFolderTakesWhatIsBelowItAlong() async throws {
        let fixture = try await Fixture.make(cloud: .addressingByPath())
        try await fixture.mkdir("/a")
        try await fixture.mkdir("/a/b")
        try await fixture.save("one", to: "/a/b/f")
        let number = try await fixture.attributes("/a/b/f").inode
        let handle = try await fixture.open("/a/b/f", [.read, .write])
        try await fixture.rename("/a", "/c")
        try await fixture.write("two", handle: handle)
        try await fixture.close(handle)
        #expect(text(fixture.cloud, "/c/b/f") == "two")
        try await fixture.mkdir("/a")
        try await fixture.rename("/c/b/f", "/a/g")
        try await fixture.save("three", to: "/a/g")
        #expect(try await fixture.attributes("/a/g").inode == number)
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a", "/a/g", "/c", "/c/b"])
        #expect(text(fixture.cloud, "/a/g") == "three")
    }

    @Test func numbersAndContentOutliveARestartAfterMoves() async throws {
        let fixture = try await Fixture.make(cloud: .addressingByPath())
        try await fixture.mkdir("/a")
        try await fixture.save("one", to: "/a/f")
        let number = try await fixture.attributes("/a/f").inode
        try await fixture.rename("/a", "/b")
        try await fixture.rename("/b/f", "/b/g")
        let second = try await fixture.restart()
        let downloads = second.cloud.count(of: .download)
        #expect(try await second.attributes("/b/g").inode == number)
        #expect(try await second.read("/b/g") == "one")
        // What was saved or read before is still the content of the file that was moved.
        #expect(second.cloud.count(of: .download) == downloads)
        try await second.save("two", to: "/b/g")
        #expect(text(second.cloud, "/b/g") == "two")
    }

    @Test func aMoveWhoseAnswerWasLostIsFoundOut() async throws {
        let fixture = try await Fixture.make(cloud: .addressingByPath())
        try await fixture.mkdir("/a")
        try await fixture.save("one", to: "/a/f")
        fixture.cloud.fail(.relocate, .answerLost)
        let failure = await code { () async throws(FileSystemError) in
            try await fixture.rename("/a", "/b")
        }
        #expect(failure == nil || failure == .networkUnreachable)
        fixture.cloud.removeFaults()
        try await fixture.save("two", to: "/b/f")
        #expect(text(fixture.cloud, "/b/f") == "two")
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/b", "/b/f"])
    }

    /// A move that was left half done, of a file that another client has taken away since: after a
    /// restart the folder that has the file's old name is still known.
    @Test func aMoveOfWhatIsGoneHidesNoFolder() async throws {
        var fixture = try await Fixture.makeByHand(cloud: .addressingByPath())
        try await fixture.mkdir("/d")
        try await fixture.save("one", to: "/d/d")
        try await fixture.save("other", to: "/d/e")
        await fixture.work()
        try await fixture.rename("/d/d", "/f")
        fixture.cloud.fail(.relocate, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        fixture.cloud.deleteByOther(at: "/d/d")
        try await fixture.save("second", to: "/f")
        try await fixture.fileSystem.finishUndertakings()
        fixture = try await restartedOffline(fixture)
        try await fixture.unlink("/d/e")
        fixture.cloud.removeFaults()
        await fixture.work()
        try await fixture.look("/d")
        #expect(fixture.serverContents() == ["second"])
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/d", "/f"])
    }

    /// A file that is to leave a folder which another client has deleted since: the same holds.
    @Test func aMoveOutOfAFolderThatIsGoneHidesNoFolder() async throws {
        var fixture = try await Fixture.makeByHand(cloud: .addressingByPath())
        try await fixture.mkdir("/c")
        try await fixture.save("other", to: "/c/e")
        try await fixture.mkdir("/d")
        try await fixture.save("one", to: "/d/c")
        await fixture.work()
        try await fixture.rename("/d/c", "/f")
        // Nobody here uses the folder any more.
        fixture = try await fixture.restartByHand()
        fixture.cloud.deleteByOther(at: "/d")
        try await fixture.look("/")
        try await fixture.save("second", to: "/f")
        fixture = try await restartedOffline(fixture)
        try await fixture.unlink("/c/e")
        fixture.cloud.removeFaults()
        await fixture.work()
        try await fixture.look("/c")
        #expect(fixture.serverContents() == ["second"])
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/c", "/f"])
    }

    /// A second run that has not heard of the server until `removeFaults`.
    private func restartedOffline(_ fixture: Fixture) async throws -> Fixture {
        for _ in 0..<12 {
            fixture.cloud.fail(.account, .before(.unreachable))
            fixture.cloud.fail(.list, .before(.unreachable))
        }
        return try await fixture.restartByHand()
    }

    /// A folder that stepped aside unheard, and whose old name another client has given to a folder.
    @Test func aFolderUnderATemporaryNameIsFoundAgain() async throws {
        let fixture = try await Fixture.makeByHand(cloud: .addressingByPath())
        for folder in ["/a", "/b"] {
            try await fixture.mkdir(folder)
            try await fixture.save("of \(folder)", to: folder + "/f")
        }
        await fixture.work()
        try await fixture.rename("/a", "/b", .exchange)
        fixture.cloud.fail(.relocate, .answerLost)
        for _ in 0..<6 { fixture.cloud.fail(.item, .before(.unreachable)) }
        _ = await fixture.fileSystem.carryOutNextJob()
        fixture.cloud.removeFaults()
        let names = fixture.cloud.snapshot().keys
        let free = try #require(["/a", "/b"].first { !names.contains($0) })
        fixture.cloud.makeFolderByOther(at: free)
        try await fixture.unlink("/a/f")
        try await fixture.unlink("/b/f")
        await fixture.work()
        try await fixture.fileSystem.finishUndertakings()
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == [])
        #expect(!fixture.cloud.snapshot().keys.contains { $0.contains(".ordner-") })
    }

    @Test func aFileThatTookTheNameIsAnother() async throws {
        let fixture = try await Fixture.make(cloud: .addressingByPath()) {
            $0.staleSeconds = 0
        }
        try await fixture.save("one", to: "/f")
        let number = try await fixture.attributes("/f").inode
        fixture.cloud.renameByOther(from: "/f", to: "g")
        #expect(try await fixture.names("/") == ["g"])
        fixture.cloud.storeByOther(Array("other".utf8), at: "/f")
        #expect(try await fixture.names("/") == ["f", "g"])
        #expect(try await fixture.read("/f") == "other")
        #expect(try await fixture.read("/g") == "one")
        #expect(try await fixture.attributes("/f").inode != number)
    }

    @Test func anUnseenRevisionIsKeptBesideOurs() async throws {
        let fixture = try await Fixture.make(cloud: .addressingByPath())
        try await fixture.save("base", to: "/a.txt")
        let handle = try await fixture.open("/a.txt", [.read, .write])
        try await fixture.write("mine", handle: handle)
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a.txt")
        try await fixture.close(handle)
        #expect(text(fixture.cloud, "/a.txt") == "theirs")
        let contents = fixture.cloud.snapshot().values.compactMap { $0 }.map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(contents.sorted() == ["mine", "theirs"])
        #expect(fixture.fileSystem.status().conflicts.count == 1)
    }

    @Test func aListingThatComesLateBringsNothingBack() async throws {
        let fixture = try await Fixture.make(cloud: .addressingByPath())
        try await fixture.mkdir("/d")
        for name in ["gone", "moved", "anew"] { try await fixture.save(name, to: "/d/\(name)") }
        let number = try await fixture.attributes("/d/moved").inode
        fixture.cloud.beforeNextListingIsAnswered { [unowned fixture] in
            try await fixture.unlink("/d/gone")
            try await fixture.rename("/d/moved", "/d/here")
            try await fixture.unlink("/d/anew")
            try await fixture.save("again", to: "/d/anew")
        }
        try await fixture.look("/d")
        #expect(try await fixture.names("/d") == ["anew", "here"])
        #expect(try await fixture.attributes("/d/here").inode == number)
        #expect(try await fixture.read("/d/anew") == "again")
        try await fixture.look("/d")
        #expect(try await fixture.names("/d") == ["anew", "here"])
        try await fixture.save("more", to: "/d/anew")
        #expect(text(fixture.cloud, "/d/anew") == "more")
        #expect(fixture.fileSystem.status().conflicts.isEmpty)
    }

    @Test func aSaveIsOneCall() async throws {
        let fixture = try await Fixture.make(cloud: .addressingByPath()) { $0.locking = .off }
        try await fixture.save("one", to: "/a.txt")
        fixture.cloud.resetCounts()
        try await fixture.save("two", to: "/a.txt")
        try await fixture.save("new", to: "/b.txt")
        #expect(fixture.cloud.count(of: .upload) == 2)
        #expect(fixture.cloud.totalCount() == 2)
    }

    @Test func aLockFollowsTheFile() async throws {
        let fixture = try await Fixture.make(cloud: .addressingByPath())
        try await fixture.save("one", to: "/a.txt")
        let handle = try await fixture.open("/a.txt", [.read, .write])
        try await fixture.rename("/a.txt", "/b.txt")
        #expect(fixture.cloud.count(of: .lock) >= 2)
        try await fixture.close(handle)
        #expect(fixture.cloud.ownLockCount == 0)
    }

    /// Else it would outlive the driver for longer than the mount's options say.
    @Test func aLockThatIsTakenAgainAfterAMoveLastsAsLongAsBefore() async throws {
        let fixture = try await Fixture.make(cloud: .addressingByPath()) { $0.lockSeconds = 120 }
        try await fixture.save("one", to: "/a.txt")
        let handle = try await fixture.open("/a.txt", [.read, .write])
        try await fixture.rename("/a.txt", "/b.txt")
        #expect(fixture.cloud.lockSeconds.count >= 2)
        #expect(fixture.cloud.lockSeconds.allSatisfy { $0 == 120 })
        try await fixture.close(handle)
    }

    /// A start asks only about moves whose outcome nobody knows: what is at the place that a file
    /// once had is another one.
    @Test func aMoveOfLongAgoIsNotLookedFor() async throws {
        let fixture = try await Fixture.makeByHand(cloud: .addressingByPath())
        try await fixture.save("one", to: "/a")
        await fixture.work()
        try await fixture.rename("/a", "/b")
        await fixture.work()
        try await fixture.rename("/b", "/a")
        await fixture.work()
        try await expectRemovalOfAnother(at: "/b", insteadOf: "/a", fixture)
    }

    /// As above, of a move that the server has refused.
    @Test func aRefusedMoveIsNotLookedFor() async throws {
        let fixture = try await Fixture.makeByHand(cloud: .addressingByPath())
        try await fixture.save("one", to: "/a")
        await fixture.work()
        try await fixture.rename("/a", "/b")
        fixture.cloud.fail(.relocate, .before(.forbidden))
        await fixture.work()
        #expect(try await fixture.names("/") == ["a"])
        try await expectRemovalOfAnother(at: "/b", insteadOf: "/a", fixture)
    }

    /// Another file, removed here, is removed on the server by the next run, although the first one
    /// is gone and may once have been there.
    private func expectRemovalOfAnother(
        at path: String, insteadOf old: String, _ fixture: Fixture
    ) async throws {
        try await fixture.save("another", to: path)
        await fixture.work()
        try await fixture.unlink(path)
        fixture.cloud.deleteByOther(at: old)
        let second = try await fixture.restartByHand()
        await second.work()
        try await second.look("/")
        #expect(second.serverContents() == [])
        #expect(try await second.names("/") == [])
        await second.end()
    }

    /// Another client renames a folder while an item in it has a temporary name.
    @Test(arguments: [false, true], [false, true])
    func aTemporaryNameIsNotLeftBehind(_ restarts: Bool, isHeard: Bool) async throws {
        var fixture = try await Fixture.makeByHand(cloud: .addressingByPath())
        try await fixture.mkdir("/f")
        try await fixture.save("one", to: "/f/a")
        try await fixture.save("two", to: "/f/b")
        await fixture.work()
        try await fixture.rename("/f/a", "/f/b", .exchange)
        if !isHeard {
            fixture.cloud.fail(.relocate, .answerLost)
            fixture.cloud.fail(.item, skip: 1, .before(.unreachable))
        }
        while !fixture.cloud.snapshot().keys.contains(where: { $0.contains(".ordner-") }) {
            try #require(await fixture.fileSystem.carryOutNextJob())
        }
        fixture.cloud.removeFaults()
        fixture.cloud.renameByOther(from: "/f", to: "g")
        if restarts { fixture = try await fixture.restartByHand() }
        for _ in 0..<2 {
            try await fixture.look("/")
            try await fixture.look("/g")
            await fixture.work()
        }
        #expect(fixture.serverContents() == ["one", "two"])
        #expect(fixture.cloud.snapshot().keys.filter { $0.contains(".ordner-") } == [])
        let names = try await fixture.names("/g")
        #expect(names.count == 2 && names.allSatisfy { !$0.contains(".ordner-") })
    }
}
