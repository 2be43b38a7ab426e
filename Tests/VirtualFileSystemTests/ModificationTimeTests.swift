import CloudStorage
import FileSystemTypes
import StateStore
import TestSupport
import Testing

import VirtualFileSystem

/// The times that programs give files, on a cloud that keeps them.
@Suite struct ModificationTimeTests {
    private static let time = FileTime(seconds: 1_500_000_000, nanoseconds: 123_456_789)
    private static let later = FileTime(seconds: 1_600_000_000)

    /// A file that both sides have.
    private func fixture() async throws -> Fixture {
        let fixture = try await Fixture.makeByHand(cloud: .addressingByPath(setsTimes: true))
        try await fixture.save("content", to: "/a")
        await fixture.work()
        fixture.cloud.resetCounts()
        return fixture
    }

    private func touch(
        _ fixture: Fixture, _ path: String = "/a", to time: FileTime = Self.time
    ) async throws {
        var changes = AttributeChanges()
        changes.modified = .time(time)
        _ = try await fixture.fileSystem.setattr(
            node: try await fixture.node(path), changes: changes, handle: nil,
            caller: fixture.caller
        ).value()
    }

    private func calls(_ fixture: Fixture) -> [Int] {
        [ModelCloud.Call.setModificationTime, .upload, .download]
            .map { fixture.cloud.count(of: $0) }
    }

    private func shown(_ fixture: Fixture) async throws -> FileTime {
        try await fixture.attributes("/a").modified
    }

    @Test func aTimeSetAfterTheContentHasGoneReachesTheServer() async throws {
        let fixture = try await fixture()
        try await touch(fixture)
        await fixture.work()
        #expect(fixture.cloud.modified(at: "/a") == Self.time.seconds)
        try await fixture.look("/")
        #expect(try await shown(fixture) == Self.time)
        #expect(try await fixture.read("/a") == "content")
        #expect(calls(fixture) == [1, 0, 0])
        await fixture.work()
        #expect(calls(fixture) == [1, 0, 0])
    }

    @Test func aTimeSetBeforeGoesAlongWithTheContent() async throws {
        let fixture = try await fixture()
        try await fixture.save("more content", to: "/a")
        try await touch(fixture)
        await fixture.work()
        #expect(fixture.cloud.modified(at: "/a") == Self.time.seconds)
        #expect(calls(fixture) == [0, 1, 0])
    }

    @Test func aTimeSetDuringTheUploadFollowsIt() async throws {
        let fixture = try await fixture()
        try await fixture.save("more content", to: "/a")
        await fixture.loseUpload()
        try await touch(fixture)
        await fixture.work()
        #expect(fixture.cloud.modified(at: "/a") == Self.time.seconds)
        #expect(fixture.serverContents() == ["more content"])
        #expect(fixture.cloud.count(of: .setModificationTime) == 1)
    }

    @Test func theSameBytesAreNotSentAgainForTheirTime() async throws {
        let fixture = try await fixture()
        try await fixture.save("content", to: "/a")
        try await touch(fixture)
        await fixture.work()
        #expect(fixture.cloud.modified(at: "/a") == Self.time.seconds)
        #expect(calls(fixture) == [1, 0, 0])
    }

    @Test func aTimeIsSentAfterARestart() async throws {
        let fixture = try await fixture()
        try await touch(fixture)
        let second = try await fixture.restartByHand()
        await second.work()
        #expect(second.cloud.modified(at: "/a") == Self.time.seconds)
        #expect(try await shown(second) == Self.time)
        let third = try await second.restartByHand()
        await third.work()
        #expect(third.cloud.count(of: .setModificationTime) == 1)
    }

    /// Has the time set without anybody here hearing of it.
    private func touchUnheard(_ fixture: Fixture, _ path: String = "/a") async throws {
        try await touch(fixture, path)
        fixture.cloud.fail(.setModificationTime, .answerLost)
        fixture.cloud.fail(.item, .before(.unreachable))
        _ = await fixture.fileSystem.carryOutNextJob()
        fixture.cloud.removeFaults()
        #expect(fixture.cloud.modified(at: path) == Self.time.seconds)
    }

    @Test func anUnheardTimeIsNoOthersChange() async throws {
        let fixture = try await fixture()
        try await touchUnheard(fixture)
        try await fixture.save("edited", to: "/a")
        await fixture.work()
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a"])
        #expect(fixture.serverContents() == ["edited"])
    }

    @Test func anUnheardTimeIsNoOthersChangeAfterARestart() async throws {
        let fixture = try await fixture()
        try await touchUnheard(fixture)
        let second = try await fixture.restartByHand()
        try await second.save("edited", to: "/a")
        await second.work()
        #expect(second.cloud.snapshot().keys.sorted() == ["/a"])
        #expect(second.serverContents() == ["edited"])
    }

    @Test(arguments: [false, true])
    func aLaterTimeFollowsAnUnheardOne(_ restarts: Bool) async throws {
        var fixture = try await fixture()
        try await touchUnheard(fixture)
        try await touch(fixture, to: Self.later)
        if restarts { fixture = try await fixture.restartByHand() }
        await fixture.work()
        #expect(fixture.cloud.modified(at: "/a") == Self.later.seconds)
        #expect(try await shown(fixture) == Self.later)
    }

    @Test func aFileOfAnUnheardAndALaterTimeIsRemovedAfterARestart() async throws {
        let fixture = try await fixture()
        try await touchUnheard(fixture)
        try await touch(fixture, to: Self.later)
        let second = try await fixture.restartByHand()
        try await second.unlink("/a")
        await second.work()
        #expect(second.cloud.snapshot().isEmpty)
    }

    /// Another client's version has the size, and by chance the second, that the server was asked for.
    private func storeAlikeByOther(_ fixture: Fixture) {
        fixture.cloud.storeByOther(
            Array("CONTENT".utf8), at: "/a", modified: Self.time.seconds)
    }

    @Test(arguments: [false, true])
    func anothersVersionThatLooksLikeAnUnheardTimeIsKept(_ restarts: Bool) async throws {
        var fixture = try await fixture()
        try await touchUnheard(fixture)
        storeAlikeByOther(fixture)
        if restarts { fixture = try await fixture.restartByHand() }
        try await fixture.save("edited", to: "/a")
        await fixture.work()
        #expect(fixture.serverContents() == ["CONTENT", "edited"])
    }

    @Test func anothersVersionThatLooksLikeAnUnheardTimeIsShown() async throws {
        let fixture = try await fixture()
        try await touchUnheard(fixture)
        storeAlikeByOther(fixture)
        try await fixture.look("/")
        await fixture.work()
        try await fixture.look("/")
        #expect(try await fixture.read("/a") == "CONTENT")
    }

    @Test func anothersVersionThatLooksLikeAnUnheardTimeIsNotRemoved() async throws {
        let fixture = try await fixture()
        try await fixture.mkdir("/d")
        try await fixture.rename("/a", "/d/a")
        await fixture.work()
        try await touchUnheard(fixture, "/d/a")
        fixture.cloud.storeByOther(
            Array("CONTENT".utf8), at: "/d/a", modified: Self.time.seconds)
        try await fixture.unlink("/d/a")
        try await fixture.rmdir("/d")
        await fixture.work()
        #expect(fixture.serverContents() == ["CONTENT"])
    }

    @Test func aListingThatShowsAnUnheardTimeAsksForNothing() async throws {
        let fixture = try await fixture()
        try await touchUnheard(fixture)
        fixture.cloud.resetCounts()
        try await fixture.look("/")
        await fixture.work()
        #expect(try await shown(fixture) == Self.time)
        #expect(calls(fixture)[0] == 0)
        #expect(fixture.serverContents() == ["content"])
    }

    @Test func anothersContentKeepsItsTime() async throws {
        let fixture = try await fixture()
        try await touch(fixture)
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a")
        let theirs = try #require(fixture.cloud.modified(at: "/a"))
        await fixture.work()
        #expect(fixture.cloud.modified(at: "/a") == theirs)
        #expect(try await fixture.read("/a") == "theirs")
        #expect(try await shown(fixture) == FileTime(seconds: theirs))
    }

    /// The time stays here, and nothing is asked again.
    @Test func aServerThatRefusesATimeIsAskedOnce() async throws {
        let fixture = try await fixture()
        fixture.cloud.fail(.setModificationTime, .before(.unsupported))
        try await touch(fixture)
        await fixture.work()
        #expect(try await shown(fixture) == Self.time)
        let second = try await fixture.restartByHand()
        await second.work()
        #expect(try await shown(second) == Self.time)
        #expect(calls(second) == [1, 0, 0])
    }

    @Test func anotherCloudIsNotAsked() async throws {
        let fixture = try await Fixture.makeByHand(cloud: .addressingByPath())
        try await fixture.save("content", to: "/a")
        await fixture.work()
        try await touch(fixture)
        await fixture.work()
        #expect(fixture.cloud.count(of: .setModificationTime) == 0)
        #expect(try await shown(fixture) == Self.time)
    }

    /// What is written beside a file and takes its place, as rsync does, once both are on the server.
    @Test func aReplacedFileGetsTheTimeOfTheNewOne() async throws {
        let fixture = try await fixture()
        try await fixture.save("new content", to: "/b")
        try await touch(fixture, "/b")
        await fixture.work()
        try await fixture.rename("/b", "/a")
        await fixture.work()
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a"])
        #expect(fixture.serverContents() == ["new content"])
        #expect(fixture.cloud.modified(at: "/a") == Self.time.seconds)
        #expect(try await shown(fixture) == Self.time)
    }

    @Test(arguments: [false, true])
    func aFileOfAnUnheardTimeIsRemoved(_ restarts: Bool) async throws {
        var fixture = try await fixture()
        try await touchUnheard(fixture)
        try await fixture.unlink("/a")
        if restarts { fixture = try await fixture.restartByHand() }
        await fixture.work()
        #expect(fixture.cloud.snapshot().isEmpty)
    }
}
