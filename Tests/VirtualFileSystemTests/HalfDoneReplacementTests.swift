import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

import VirtualFileSystem

/// Replacements that were left half done: the new file is on the server, what it replaces is too.
/// What is found there later is ended as it was meant, and what has become somebody else's is left alone.
@Suite struct HalfDoneReplacementTests {
    /// The old file of a replacement that was left half done is deleted only as it was then.
    @Test func whatWasToBeDeletedAndHasChangedIsKept() async throws {
        let fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .conflict))
        try await fixture.save("one", to: "/a")
        await fixture.work()
        try await fixture.save("second", to: "/a")
        fixture.cloud.fail(.delete, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        let aside = fixture.cloud.snapshot().keys.first { $0.hasPrefix("/.ordner-") }
        fixture.cloud.storeByOther(Array("theirs".utf8), at: try #require(aside))
        try await fixture.fileSystem.finishUndertakings()
        await fixture.work()
        try await fixture.fileSystem.finishUndertakings()
        await fixture.work()
        #expect(fixture.serverContents() == ["second", "theirs"])
    }

    /// A replacement that was ended later is the end of the upload: when somebody changes the file
    /// after that, our version is not sent again beside it.
    @Test func aReplacementEndedLaterIsNotSentAgain() async throws {
        let fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .conflict))
        try await fixture.save("one", to: "/a")
        await fixture.work()
        try await fixture.save("second", to: "/a")
        fixture.cloud.fail(.delete, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        try await fixture.fileSystem.finishUndertakings()
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a")
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["theirs"])
        #expect(fixture.fileSystem.status().conflicts.isEmpty)
    }

    /// What another client stores in a file whose replacement was left half done is no version that
    /// this machine has seen.
    @Test(arguments: [false, true], [false, true])
    func aVersionStoredAfterAReplacementThatIsEndedLaterIsKept(
        _ restarts: Bool, isWrittenAgain: Bool
    ) async throws {
        var fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .conflict))
        try await fixture.save("one", to: "/a")
        await fixture.work()
        try await fixture.save("second", to: "/a")
        fixture.cloud.fail(.delete, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a")
        if restarts { fixture = try await fixture.restartByHand() }
        if isWrittenAgain { try await fixture.save("the third", to: "/a") }
        await fixture.work()
        try await fixture.fileSystem.finishUndertakings()
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == (isWrittenAgain ? ["the third"] : []) + ["theirs"])
        #expect(try await fixture.read("/a") == "theirs")
    }

    /// `/b` with "second" in it takes the place of `/a`, but the old one is not deleted.
    private func replaceHalf(_ fixture: Fixture) async throws {
        try await fixture.save("one", to: "/a")
        try await fixture.save("second", to: "/b")
        await fixture.work()
        try await fixture.rename("/b", "/a")
        fixture.cloud.fail(.delete, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        #expect(fixture.serverContents() == ["second", "second"])
    }

    /// A file that has become the next version of the one it replaces must not go with either.
    @Test(arguments: [false, true])
    func aReplacementByRevisionThatIsLeftHalfDoneLosesNothing(_ restarts: Bool) async throws {
        var fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .revision))
        try await replaceHalf(fixture)
        if restarts { fixture = try await fixture.restartByHand() }
        await fixture.work()
        try await fixture.fileSystem.finishUndertakings()
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["second"])
        #expect(try await fixture.read("/a") == "second")
        #expect(fixture.fileSystem.status().conflicts.isEmpty)
    }

    /// As above, where somebody has stored another version in the one it replaces, and a program has
    /// written the file again, before the replacement was ended.
    @Test func aVersionStoredInWhatWasReplacedByRevisionIsKept() async throws {
        let fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .revision))
        try await replaceHalf(fixture)
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a")
        try await fixture.save("the third", to: "/a")
        await fixture.work()
        try await fixture.fileSystem.finishUndertakings()
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["the third", "theirs"])
    }

    /// As above, where the program has removed the file.
    @Test func aVersionStoredInWhatWasReplacedByRevisionIsNotRemoved() async throws {
        let fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .revision))
        try await replaceHalf(fixture)
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a")
        try await fixture.unlink("/a")
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["theirs"])
        #expect(try await fixture.read("/a") == "theirs")
    }

    /// What a file has become the next version of is not removed, nor taken for a stranger's, when the
    /// file gets yet another name before the replacement was ended.
    @Test(arguments: [false, true])
    func aReplacementThatIsRenamedBeforeItsEndLosesNothing(_ restarts: Bool) async throws {
        var fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .revision))
        try await fixture.save("one", to: "/a")
        try await fixture.save("second", to: "/b")
        await fixture.work()
        try await fixture.rename("/b", "/a")
        fixture.cloud.fail(.delete, .answerLost)
        fixture.cloud.fail(.item, skip: 2, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        fixture.cloud.removeFaults()
        #expect(fixture.serverContents() == ["second"])
        if restarts { fixture = try await fixture.restartByHand() }
        try await fixture.rename("/a", "/c")
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["second"])
        #expect(try await fixture.names("/") == ["c"])
    }

    /// A file that another client has renamed meanwhile is still the one that was replaced.
    @Test func aReplacedFileThatWasRenamedMeanwhileIsGone() async throws {
        let fixture = try await Fixture.makeByHand(cloud: ModelCloud(behaviour: .revision))
        try await fixture.save("replaced", to: "/a")
        try await fixture.save("second", to: "/b")
        await fixture.work()
        try await fixture.rename("/b", "/a")
        fixture.cloud.renameByOther(from: "/a", to: "c")
        await fixture.work()
        try await fixture.look("/")
        #expect(fixture.serverContents() == ["second"])
        #expect(try await fixture.names("/") == ["a"])
    }
}
