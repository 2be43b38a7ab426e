import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization
import TestSupport
import Testing

import VirtualFileSystem

/// The server's locks of files that programs have open: when they are taken, whose they are, and
/// when they go back.
@Suite struct ServerLockTests {
    /// Nothing is sent but by `work`.
    private func fixture(
        _ path: String = "/a.txt", cloud: ModelCloud = ModelCloud(),
        folder: TemporaryFolder? = nil, change: (inout MountOptions) -> Void = { _ in }
    ) async throws -> Fixture {
        if cloud.content(at: path) == nil { cloud.storeByOther(Array("content".utf8), at: path) }
        return try await Fixture.make(cloud: cloud, folder: folder) { options in
            options.synchronization = .none
            options.synchronizesInBackground = false
            change(&options)
        }
    }

    private func refusal(_ body: () async throws -> Void) async throws -> FileSystemError.Code? {
        do {
            try await body()
            return nil
        } catch let error as FileSystemError {
            return error.code
        }
    }

    private func ownLocks(_ fixture: Fixture, are paths: [String]) async throws {
        try await eventually("locks of \(paths)") { fixture.cloud.ownLockPaths == paths }
    }

    // MARK: Conflicts

    @Test func theLockOfTheOriginalGoesBackAfterAConflictCopy() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.read("/a.txt") == "content")
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a.txt")
        try await fixture.save("mine", to: "/a.txt")
        #expect(fixture.cloud.ownLockPaths == ["/a.txt"])
        await fixture.work()
        #expect(fixture.serverContents() == ["mine", "theirs"])
        try await ownLocks(fixture, are: [])
        #expect(fixture.fileSystem.knownLocks().isEmpty)
    }

    /// Who goes on writing writes the copy from then on.
    @Test func aCopyThatIsStillWrittenIsLockedInsteadOfTheOriginal() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.read("/a.txt") == "content")
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a.txt")
        let handle = try await fixture.open("/a.txt", [.write, .truncate])
        try await fixture.write("mine", handle: handle)
        try await fixture.fileSystem.fsync(handle: handle, dataOnly: false).value()
        await fixture.work()
        let copy = try #require(fixture.cloud.snapshot().keys.first { $0 != "/a.txt" })
        try await ownLocks(fixture, are: [copy])
        try await fixture.close(handle)
        await fixture.work()
        try await ownLocks(fixture, are: [])
    }

    @Test func aFileStoredAnewAfterItsDeletionIsLockedAsLongAsItIsWritten() async throws {
        let fixture = try await fixture()
        let handle = try await fixture.open("/a.txt", [.write, .truncate])
        try await fixture.write("mine", handle: handle)
        fixture.cloud.deleteByOther(at: "/a.txt")
        try await fixture.fileSystem.fsync(handle: handle, dataOnly: false).value()
        await fixture.work()
        #expect(fixture.serverContents() == ["mine"])
        try await ownLocks(fixture, are: ["/a.txt"])
        try await fixture.close(handle)
        await fixture.work()
        try await ownLocks(fixture, are: [])
    }

    // MARK: Opening and closing at once

    @Test func whoOpensWhileAnotherClosesHasTheLock() async throws {
        let fixture = try await fixture()
        for _ in 0..<200 {
            let first = try await fixture.open("/a.txt", [.write])
            async let closed: Void = fixture.close(first)
            async let opened = fixture.open("/a.txt", [.write])
            try await closed
            let second = try await opened
            try #require(fixture.cloud.ownLockPaths == ["/a.txt"])
            try await fixture.close(second)
            try await ownLocks(fixture, are: [])
        }
    }

    // MARK: A lock that is lost

    @Test func aLockThatSomebodyElseHasByNowIsNotHeld() async throws {
        let fixture = try await fixture { options in
            options.lockSeconds = 2
            options.pollSeconds = 3_600
        }
        let run = Task { await fixture.fileSystem.run() }
        let handle = try await fixture.open("/a.txt", [.write])
        fixture.cloud.endOwnLocks()
        fixture.cloud.setForeignLock(true, on: "/a.txt")
        try await eventually("the loss is known") {
            fixture.fileSystem.knownLocks().contains { $0.problem != nil }
        }
        try await fixture.look("/")
        #expect(try await fixture.attributes("/a.txt").mode & 0o222 == 0)
        #expect(try await refusal { try await fixture.unlink("/a.txt") } == .locked)
        #expect(try await refusal { _ = try await fixture.open("/a.txt", [.write]) } == .locked)
        fixture.cloud.setForeignLock(false, on: "/a.txt")
        let second = try await fixture.open("/a.txt", [.write])
        #expect(fixture.cloud.ownLockPaths == ["/a.txt"])
        try await fixture.close(second)
        #expect(fixture.cloud.ownLockPaths == ["/a.txt"])
        try await fixture.close(handle)
        try await ownLocks(fixture, are: [])
        run.cancel()
        await run.value
    }

    // MARK: Without locks

    enum Lockless: CaseIterable { case policy, option, silence, refusal }

    @Test(arguments: Lockless.allCases)
    func aKnownLockOfSomebodyElseIsRespectedWithoutLocks(_ reason: Lockless) async throws {
        let cloud = ModelCloud()
        if reason == .policy {
            var policy = StoragePolicy()
            policy.allowsLocks = false
            cloud.set(quota: nil, policy: policy)
        }
        let fixture = try await fixture(cloud: cloud) { options in
            if reason == .option { options.locking = .off }
        }
        cloud.setForeignLock(true, on: "/a.txt")
        try await fixture.look("/")
        switch reason {
        case .silence:
            try await fixture.save("other", to: "/b.txt")
            cloud.fail(.upload, .before(.unreachable))
            _ = await fixture.fileSystem.carryOutNextJob()
        case .refusal: cloud.fail(.lock, .before(.forbidden))
        case .policy, .option: break
        }
        #expect(try await refusal { _ = try await fixture.open("/a.txt", [.write]) } == .locked)
        if reason == .refusal { cloud.fail(.lock, .before(.forbidden)) }
        #expect(try await refusal { try await fixture.save("mine", to: "/a.txt") } == .locked)
        #expect(try await fixture.read("/a.txt") == "content")
    }

    @Test(arguments: MountOptions.Synchronization.allCases)
    func noFileIsMadeInALockedFolder(_ mode: MountOptions.Synchronization) async throws {
        let cloud = ModelCloud()
        cloud.storeByOther(Array("in it".utf8), at: "/a.txt")
        cloud.makeFolderByOther(at: "/d")
        let fixture = try await Fixture.make(cloud: cloud) { $0.synchronization = mode }
        #expect(try await fixture.names("/d") == [])
        cloud.setForeignLock(true, on: "/d")
        try await fixture.look("/")
        #expect(try await refusal { _ = try await fixture.create("/d/x") } == .locked)
        try await fixture.close(try await fixture.create("/d/.x.swp"))
    }

    @Test(arguments: [Lockless.policy, .refusal])
    func thatAFileIsNotLockedIsSaidOnce(_ reason: Lockless) async throws {
        let cloud = ModelCloud()
        cloud.storeByOther(Array("content".utf8), at: "/a.txt")
        if reason == .policy {
            var policy = StoragePolicy()
            policy.allowsLocks = false
            cloud.set(quota: nil, policy: policy)
        }
        let log = LogLines()
        let fixture = try await Fixture.make(
            cloud: cloud, logger: Logger(label: "test", factory: { _ in log }))
        for _ in 0..<3 {
            if reason == .refusal { cloud.fail(.lock, .before(.forbidden)) }
            try await fixture.close(try await fixture.open("/a.txt", [.write]))
        }
        #expect(log.lines.filter { $0.contains("without the server's lock") }.count == 1)
    }

    // MARK: Replacing

    /// As editors save: a new file is renamed over the old one, which a program holds the lock of.
    @Test(arguments: [Capabilities.UploadOntoName.conflict, .revision], [false, true])
    func theLockOfADocumentGoesToTheStoredFileThatReplacesIt(
        _ behaviour: Capabilities.UploadOntoName, addressesByPath: Bool
    ) async throws {
        let cloud =
            addressesByPath ? ModelCloud.addressingByPath() : ModelCloud(behaviour: behaviour)
        let fixture = try await fixture("/a.odt", cloud: cloud)
        try await fixture.close(try await fixture.create("/.~lock.a.odt#"))
        try await fixture.save("edited", to: "/lu1.tmp")
        await fixture.work()
        try await fixture.rename("/lu1.tmp", "/a.odt")
        await fixture.work()
        #expect(fixture.serverContents() == ["edited"])
        try await ownLocks(fixture, are: ["/a.odt"])
        try await fixture.unlink("/.~lock.a.odt#")
        try await ownLocks(fixture, are: [])
    }

    /// The content of the file that takes the place is not sent yet.
    @Test(arguments: [false, true], [false, true])
    func aReplacedFileIsLockedUntilTheContentIsThere(
        addressesByPath: Bool, isSourceStored: Bool
    ) async throws {
        let cloud =
            addressesByPath ? ModelCloud.addressingByPath() : ModelCloud(behaviour: .revision)
        let fixture = try await fixture("/a.odt", cloud: cloud)
        try await fixture.close(try await fixture.create("/.~lock.a.odt#"))
        try await fixture.save("first", to: "/lu1.tmp")
        if isSourceStored { await fixture.work() }
        try await fixture.save("edited", to: "/lu1.tmp")
        try await fixture.rename("/lu1.tmp", "/a.odt")
        try await fixture.unlink("/.~lock.a.odt#")
        for _ in 0..<20 {
            guard await fixture.fileSystem.carryOutNextJob() else { break }
            if cloud.content(at: "/a.odt") == Array("content".utf8) {
                // What goes back would be gone by then.
                await fixture.fileSystem.settleListings()
                for _ in 0..<50 { await Task.yield() }
                #expect(cloud.ownLockPaths.contains("/a.odt"))
            }
        }
        #expect(fixture.serverContents() == ["edited"])
        try await ownLocks(fixture, are: [])
        #expect(fixture.fileSystem.knownLocks().isEmpty)
    }

    // MARK: The end of a mount

    @Test func unsentContentKeepsItsLockAfterTheMount() async throws {
        let cloud = ModelCloud()
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud: cloud, folder: folder)
        let handle = try await first.open("/a.txt", [.write])
        try await first.close(handle)
        try await first.save("edited", to: "/a.txt")
        await first.fileSystem.shutdown()
        #expect(cloud.ownLockPaths == ["/a.txt"])
        cloud.endOwnLocks()
        let second = try await fixture(cloud: cloud, folder: folder)
        try await ownLocks(second, are: ["/a.txt"])
        try await eventually("it is known") { second.fileSystem.knownLocks().count == 1 }
        await second.work()
        try await ownLocks(second, are: [])
        await second.fileSystem.shutdown()
    }

    /// The edit was made without the server.
    @Test func contentThatHadNoLockIsLockedByTheNextMount() async throws {
        let cloud = ModelCloud()
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud: cloud, folder: folder) { $0.locking = .off }
        try await first.save("edited", to: "/a.txt")
        await first.fileSystem.shutdown()
        let second = try await fixture(cloud: cloud, folder: folder)
        try await ownLocks(second, are: ["/a.txt"])
        try await eventually("it is known") { second.fileSystem.knownLocks().count == 1 }
        await second.work()
        try await ownLocks(second, are: [])
        await second.fileSystem.shutdown()
    }

    // MARK: New documents

    @Test func aNewFileIsLockedOnceTheServerHasIt() async throws {
        let fixture = try await fixture()
        let handle = try await fixture.create("/new.txt")
        try await fixture.write("mine", handle: handle)
        try await fixture.fileSystem.fsync(handle: handle, dataOnly: false).value()
        await fixture.work()
        #expect(fixture.cloud.content(at: "/new.txt") != nil)
        try await ownLocks(fixture, are: ["/new.txt"])
        try await fixture.close(handle)
        await fixture.work()
        try await ownLocks(fixture, are: [])
    }

    @Test func aNewFileThatItsCloseHasStoredIsNotLocked() async throws {
        let fixture = try await Fixture.make()
        for index in 0..<20 { try await fixture.save("mine", to: "/\(index).txt") }
        #expect(fixture.cloud.count(of: .lock) == 0)
    }

    /// The program has its owner file before the document is there.
    @Test func aNewDocumentIsLockedForItsOwnerFile() async throws {
        let fixture = try await fixture()
        try await fixture.close(try await fixture.create("/.~lock.new.odt#"))
        try await fixture.save("mine", to: "/new.odt")
        await fixture.work()
        try await ownLocks(fixture, are: ["/new.odt"])
        try await eventually("it is known") {
            fixture.fileSystem.knownLocks().map(\.purpose) == [.office]
        }
        try await fixture.unlink("/.~lock.new.odt#")
        try await ownLocks(fixture, are: [])
        #expect(fixture.fileSystem.knownLocks().isEmpty)
    }

    /// As Word saves: the document is moved aside, the new one gets its name, the old one goes.
    @Test(arguments: [false, true])
    func theLockOfADocumentGoesToTheNextOneOfItsName(isNewStored: Bool) async throws {
        let fixture = try await fixture("/a.docx")
        try await fixture.close(try await fixture.create("/~$a.docx"))
        #expect(fixture.cloud.ownLockPaths == ["/a.docx"])
        if isNewStored {
            try await fixture.save("edited", to: "/new")
            await fixture.work()
        }
        try await fixture.rename("/a.docx", "/old")
        await fixture.work()
        if isNewStored {
            try await fixture.rename("/new", "/a.docx")
        } else {
            try await fixture.save("edited", to: "/a.docx")
        }
        await fixture.work()
        try await fixture.unlink("/old")
        await fixture.work()
        #expect(fixture.serverContents() == ["edited"])
        try await ownLocks(fixture, are: ["/a.docx"])
        try await fixture.unlink("/~$a.docx")
        try await ownLocks(fixture, are: [])
    }
}

/// What a mount has logged from `info` on.
private final class LogLines: LogHandler {
    private let known = Mutex<[String]>([])

    var lines: [String] { known.withLock { $0 } }

    func log(event: LogEvent) {
        known.withLock { $0.append("\(event.level) \(event.message)") }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    var logLevel: Logger.Level {
        get { .info }
        set {}
    }
}
