import CloudStorage
import FileSystemTypes
import StateStore
import TestSupport
import Testing

import VirtualFileSystem

/// The server's locks as office programs see and take them, and locks by hand.
@Suite struct OfficeLockTests {
    private static let owner = "/.~lock.a.odt#"

    /// Locks as they are by default, and nothing sent but by `work`.
    private func fixture(
        _ path: String = "/a.odt", cloud: ModelCloud = ModelCloud(), folder: TemporaryFolder? = nil
    ) async throws -> Fixture {
        let fixture = try await Fixture.make(cloud: cloud, folder: folder) { options in
            options.synchronization = .none
            options.synchronizesInBackground = false
        }
        if cloud.content(at: path) == nil {
            try await fixture.save("content", to: path)
            await fixture.work()
        }
        return fixture
    }

    private func lockByOther(_ fixture: Fixture, _ path: String = "/a.odt") async throws {
        fixture.cloud.setForeignLock(true, on: path)
        try await fixture.look("/")
    }

    private func refusal(_ body: () async throws -> Void) async throws -> FileSystemError.Code? {
        do {
            try await body()
            return nil
        } catch let error as FileSystemError {
            return error.code
        }
    }

    private func ownLocks(_ fixture: Fixture, are count: Int) async throws {
        try await eventually("\(count) locks") { fixture.cloud.ownLockCount == count }
    }

    // MARK: Somebody else's lock

    @Test func aLockedDocumentHasAnOwnerFile() async throws {
        let fixture = try await fixture("/table.xlsx")
        try await lockByOther(fixture, "/table.xlsx")
        #expect(
            try await fixture.names("/") == [".~lock.table.xlsx#", "table.xlsx", "~$table.xlsx"])
        #expect(try await fixture.read("/.~lock.table.xlsx#") == ",,,,;")
        #expect(try await fixture.attributes("/~$table.xlsx").size == 165)
        // Else the program would not look for the owner file.
        #expect(try await fixture.attributes("/table.xlsx").mode & 0o200 != 0)
        #expect(try await fixture.read("/table.xlsx") == "content")
        #expect(
            try await refusal { _ = try await fixture.open("/table.xlsx", [.write]) } == .locked)

        fixture.cloud.setForeignLock(false, on: "/table.xlsx")
        try await fixture.look("/")
        #expect(try await fixture.names("/") == ["table.xlsx"])
        try await fixture.save("mine", to: "/table.xlsx")
    }

    @Test func anyOtherLockedFileIsReadOnly() async throws {
        let fixture = try await fixture("/a.txt")
        try await lockByOther(fixture, "/a.txt")
        #expect(try await fixture.names("/") == ["a.txt"])
        #expect(try await fixture.attributes("/a.txt").mode & 0o222 == 0)
        #expect(
            try await refusal { _ = try await fixture.open("/a.txt", [.write]) } == .locked)
        fixture.cloud.setForeignLock(false, on: "/a.txt")
        try await fixture.look("/")
        #expect(try await fixture.attributes("/a.txt").mode & 0o200 != 0)
    }

    @Test func theOwnerFileOfSomebodyElseCantBeChanged() async throws {
        let fixture = try await fixture()
        try await lockByOther(fixture)
        #expect(try await refusal { _ = try await fixture.create(Self.owner) } == .locked)
        #expect(try await refusal { try await fixture.unlink(Self.owner) } == .locked)
        #expect(try await refusal { try await fixture.rename(Self.owner, "/b") } == .locked)
        #expect(try await refusal { _ = try await fixture.open(Self.owner, [.write]) } == .locked)
        await fixture.work()
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a.odt"])
    }

    @Test func whatSomebodyElseHasLockedStaysAsItIs() async throws {
        let fixture = try await fixture()
        try await fixture.mkdir("/d")
        try await fixture.rename("/a.odt", "/d/a.odt")
        try await fixture.save("other", to: "/b")
        await fixture.work()
        fixture.cloud.setForeignLock(true, on: "/d/a.odt")
        try await fixture.look("/d")
        #expect(try await refusal { try await fixture.unlink("/d/a.odt") } == .locked)
        #expect(try await refusal { try await fixture.rename("/d/a.odt", "/c") } == .locked)
        #expect(try await refusal { try await fixture.rename("/b", "/d/a.odt") } == .locked)
        #expect(try await refusal { try await fixture.rename("/d", "/e") } == .locked)
        #expect(fixture.serverContents() == ["content", "other"])
    }

    @Test func nothingIsMadeOrTakenInALockedFolder() async throws {
        let fixture = try await fixture()
        try await fixture.mkdir("/d")
        try await fixture.save("in it", to: "/d/x")
        await fixture.work()
        fixture.cloud.setForeignLock(true, on: "/d")
        try await fixture.look("/")
        #expect(try await refusal { try await fixture.save("new", to: "/d/y") } == .locked)
        #expect(try await refusal { try await fixture.mkdir("/d/e") } == .locked)
        #expect(try await refusal { try await fixture.unlink("/d/x") } == .locked)
        #expect(try await refusal { try await fixture.rename("/a.odt", "/d/a.odt") } == .locked)
        #expect(try await refusal { try await fixture.rename("/d/x", "/x") } == .locked)
        #expect(try await fixture.read("/d/x") == "in it")
        // What never leaves this machine is nobody else's business.
        try await fixture.close(try await fixture.create("/d/.x.swp"))
        try await fixture.unlink("/d/.x.swp")
    }

    @Test func aLockThatOnlyTheServerKnewOfIsShownOnceItIsMet() async throws {
        let fixture = try await fixture()
        fixture.cloud.setForeignLock(true, on: "/a.odt")
        #expect(try await refusal { _ = try await fixture.create(Self.owner) } == .locked)
        #expect(try await fixture.names("/") == [".~lock.a.odt#", "a.odt"])
        await fixture.end()
    }

    // MARK: Office programs here

    @Test func anOwnerFileHoldsTheLockOfItsDocument() async throws {
        let fixture = try await fixture()
        let handle = try await fixture.create(Self.owner)
        try await fixture.write("me", handle: handle)
        try await fixture.close(handle)
        #expect(fixture.cloud.ownLockCount == 1)
        #expect(fixture.fileSystem.knownLocks().map(\.purpose) == [.office])
        try await fixture.save("edited", to: "/a.odt")
        await fixture.work()
        #expect(fixture.cloud.ownLockCount == 1)
        try await fixture.unlink(Self.owner)
        try await ownLocks(fixture, are: 0)
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a.odt"])
    }

    /// As LibreOffice saves some documents: a new file is renamed over the old one.
    @Test(arguments: [Capabilities.UploadOntoName.conflict, .revision])
    func theLockStaysWithADocumentThatIsReplaced(
        _ behaviour: Capabilities.UploadOntoName
    ) async throws {
        let fixture = try await fixture(cloud: ModelCloud(behaviour: behaviour))
        try await fixture.close(try await fixture.create(Self.owner))
        try await fixture.save("edited", to: "/lu1.tmp")
        try await fixture.rename("/lu1.tmp", "/a.odt")
        await fixture.work()
        #expect(fixture.serverContents() == ["edited"])
        try await ownLocks(fixture, are: 1)
        try await fixture.unlink(Self.owner)
        try await ownLocks(fixture, are: 0)
    }

    /// The new file has reached the server before it took the old one's place, and the owner file is
    /// gone before the server knows of that.
    @Test(arguments: [Capabilities.UploadOntoName.conflict, .revision], [false, true])
    func theLockEndsWithAReplacementByAStoredFile(
        _ behaviour: Capabilities.UploadOntoName, addressesByPath: Bool
    ) async throws {
        let cloud =
            addressesByPath ? ModelCloud.addressingByPath() : ModelCloud(behaviour: behaviour)
        let fixture = try await fixture(cloud: cloud)
        try await fixture.close(try await fixture.create(Self.owner))
        try await fixture.save("edited", to: "/lu1.tmp")
        await fixture.work()
        try await fixture.rename("/lu1.tmp", "/a.odt")
        try await fixture.unlink(Self.owner)
        await fixture.work()
        #expect(fixture.serverContents() == ["edited"])
        try await ownLocks(fixture, are: 0)
        #expect(fixture.fileSystem.knownLocks().isEmpty)
    }

    @Test func theLockIsKeptUntilTheContentIsOnTheServer() async throws {
        let fixture = try await fixture()
        try await fixture.close(try await fixture.create(Self.owner))
        try await fixture.save("edited", to: "/a.odt")
        try await fixture.unlink(Self.owner)
        #expect(fixture.cloud.ownLockCount == 1)
        await fixture.work()
        #expect(fixture.serverContents() == ["edited"])
        try await ownLocks(fixture, are: 0)
    }

    @Test func aCrashLeavesNoLockOfADocument() async throws {
        let cloud = ModelCloud()
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud: cloud, folder: folder)
        try await first.close(try await first.create(Self.owner))
        #expect(cloud.ownLockCount == 1)
        await first.end()
        let second = try await fixture(cloud: cloud, folder: folder)
        try await ownLocks(second, are: 0)
        #expect(try await second.names("/") == [".~lock.a.odt#", "a.odt"])
    }

    /// A program that finds its own owner file of before a crash writes it again.
    @Test func anOwnerFileThatIsLeftTakesTheLockWhenItIsWritten() async throws {
        let cloud = ModelCloud()
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud: cloud, folder: folder)
        try await first.save("me", to: Self.owner)
        await first.end()
        let second = try await fixture(cloud: cloud, folder: folder)
        try await ownLocks(second, are: 0)
        try await second.save("me", to: Self.owner)
        try await second.save("me again", to: Self.owner)
        #expect(cloud.ownLockCount == 1)
        #expect(second.fileSystem.knownLocks().map(\.purpose) == [.office])
        try await second.unlink(Self.owner)
        try await ownLocks(second, are: 0)
        await second.end()
    }

    @Test func anOwnerFileThatIsLeftGivesWayToSomebodyElsesLock() async throws {
        let cloud = ModelCloud()
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud: cloud, folder: folder)
        try await first.save("me", to: Self.owner)
        await first.end()
        cloud.endOwnLocks()
        let second = try await fixture(cloud: cloud, folder: folder)
        cloud.setForeignLock(true, on: "/a.odt")
        #expect(
            try await refusal { _ = try await second.open(Self.owner, [.write]) } == .locked)
        #expect(try await second.read(Self.owner) == "me")
        await second.end()
    }

    // MARK: By hand

    @Test func aLockByHandIsTakenUpAgainAfterACrash() async throws {
        let cloud = ModelCloud()
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud: cloud, folder: folder)
        try await first.fileSystem.lock(path: ["Files", "a.odt"], seconds: nil)
        #expect(cloud.ownLockCount == 1)
        await first.end()
        cloud.endOwnLocks()
        let second = try await fixture(cloud: cloud, folder: folder)
        try await ownLocks(second, are: 1)
        #expect(second.fileSystem.knownLocks().map(\.purpose) == [.command])
        try await second.fileSystem.unlock(path: ["Files", "a.odt"])
        #expect(cloud.ownLockCount == 0)
        #expect(second.fileSystem.knownLocks().isEmpty)
    }

    @Test(arguments: ["leases", "locks-by-hand"])
    func aDamagedRecordOfLocksKeepsNoMountFromStarting(_ key: String) async throws {
        let cloud = ModelCloud()
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud: cloud, folder: folder)
        try await first.fileSystem.lock(path: ["Files", "a.odt"], seconds: nil)
        try await first.store.commit([.setValue(key: key, value: "[{")], durability: .normal)
        await first.end()
        let second = try await fixture(cloud: cloud, folder: folder)
        #expect(try await second.read("/a.odt") == "content")
        // What is not on record ends when its time is over.
        try await second.fileSystem.lock(path: ["Files", "a.odt"], seconds: nil)
        try await second.fileSystem.unlock(path: ["Files", "a.odt"])
        await second.end()
    }

    @Test func aLockByHandEndsWithItsItem() async throws {
        let cloud = ModelCloud()
        cloud.storeByOther([1], at: "/a.odt")
        let fixture = try await Fixture.make(cloud: cloud) { options in
            options.lockSeconds = 2
            options.pollSeconds = 3_600
        }
        let run = Task { await fixture.fileSystem.run() }
        try await fixture.fileSystem.lock(path: ["Files", "a.odt"], seconds: nil)
        await fixture.fileSystem.endLocksByHand()
        #expect(fixture.fileSystem.knownLocks().map(\.purpose) == [.command])
        cloud.deleteByOther(at: "/a.odt")
        try await eventually("nobody has a lock of it any more") {
            await fixture.fileSystem.endLocksByHand()
            return fixture.fileSystem.knownLocks().isEmpty
        }
        run.cancel()
        await run.value
        await fixture.end()
    }

    @Test func aLockByHandIsRefusedWhereSomebodyElseHasIt() async throws {
        let fixture = try await fixture()
        fixture.cloud.setForeignLock(true, on: "/a.odt")
        #expect(
            try await refusal {
                try await fixture.fileSystem.lock(path: ["Files", "a.odt"], seconds: 60)
            }
                == .locked)
        #expect(
            try await refusal { try await fixture.fileSystem.unlock(path: ["Files", "a.odt"]) }
                == .locked)
        #expect(fixture.fileSystem.knownLocks().map(\.purpose) == [.others])
        await fixture.end()
    }

    @Test func theLockOfUnsentContentIsTakenUpAgain() async throws {
        let cloud = ModelCloud()
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud: cloud, folder: folder)
        try await first.save("edited", to: "/a.odt")
        #expect(cloud.ownLockCount == 1)
        await first.end()
        cloud.endOwnLocks()
        let second = try await fixture(cloud: cloud, folder: folder)
        try await ownLocks(second, are: 1)
        try await eventually("it is known") { second.fileSystem.knownLocks().count == 1 }
        await second.work()
        try await ownLocks(second, are: 0)
        #expect(second.serverContents() == ["edited"])
    }
}
