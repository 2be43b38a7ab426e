import CloudStorage
import FileSystemTypes
import StateStore
import Foundation
import TestSupport
import Testing

import VirtualFileSystem

@Suite struct SavingTests {
    @Test(arguments: [Capabilities.UploadOntoName.conflict, .revision])
    func savedContentIsOnTheServer(_ behaviour: Capabilities.UploadOntoName) async throws {
        let fixture = try await Fixture.make(cloud: ModelCloud(behaviour: behaviour))
        try await fixture.save("one", to: "/a.txt")
        #expect(fixture.cloud.content(at: "/a.txt") == Array("one".utf8))
        try await fixture.save("second", to: "/a.txt")
        #expect(fixture.cloud.content(at: "/a.txt") == Array("second".utf8))
        try await fixture.save("third", to: "/a.txt")
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a.txt"])
        #expect(try await fixture.read("/a.txt") == "third")
        #expect(try await fixture.names("/") == ["a.txt"])
        #expect(fixture.cloud.ownLockCount == 0)
    }

    @Test func replacingKeepsIdentityWhereTheServerCan() async throws {
        let fixture = try await Fixture.make(cloud: ModelCloud(behaviour: .revision))
        try await fixture.save("one", to: "/a.txt")
        let id = fixture.cloud.id(at: "/a.txt")
        try await fixture.save("two", to: "/a.txt")
        #expect(fixture.cloud.id(at: "/a.txt") == id)
        try await fixture.save("three", to: "/a.tmp")
        try await fixture.rename("/a.tmp", "/a.txt")
        #expect(fixture.cloud.id(at: "/a.txt") == id)
        #expect(fixture.cloud.content(at: "/a.txt") == Array("three".utf8))
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a.txt"])
    }

    @Test(arguments: [Capabilities.UploadOntoName.conflict, .revision])
    func anUnseenRevisionIsKeptBesideOurs(_ behaviour: Capabilities.UploadOntoName) async throws {
        let fixture = try await Fixture.make(cloud: ModelCloud(behaviour: behaviour))
        try await fixture.save("base", to: "/a.txt")
        let handle = try await fixture.open("/a.txt", [.read, .write])
        try await fixture.write("mine", handle: handle)
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a.txt")
        try await fixture.close(handle)
        let contents = fixture.cloud.snapshot().values.compactMap { $0 }.map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(contents.sorted() == ["mine", "theirs"])
        #expect(fixture.cloud.content(at: "/a.txt") == Array("theirs".utf8))
        #expect(fixture.fileSystem.status().conflicts.count == 1)
        #expect(try await fixture.read("/a.txt") == "theirs")
    }

    @Test(arguments: [Capabilities.UploadOntoName.conflict, .revision])
    func aNewFileNeverReplacesAStrangersFile(
        _ behaviour: Capabilities.UploadOntoName
    ) async throws {
        let fixture = try await Fixture.make(cloud: ModelCloud(behaviour: behaviour))
        _ = try await fixture.names("/")
        let handle = try await fixture.create("/a.txt")
        try await fixture.write("mine", handle: handle)
        fixture.cloud.storeByOther(Array("theirs".utf8), at: "/a.txt")
        try await fixture.close(handle)
        #expect(fixture.cloud.content(at: "/a.txt") == Array("theirs".utf8))
        #expect(fixture.cloud.snapshot().count == 2)
    }

    @Test func aLostAnswerDoesNotMakeACopy() async throws {
        let fixture = try await Fixture.make()
        try await fixture.save("x", to: "/learn.txt")
        fixture.cloud.fail(.upload, .answerLost)
        try await fixture.save("content", to: "/a.txt")
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a.txt", "/learn.txt"])
    }

    /// Every call of a replacement fails once, before or after its work: the close tells, nothing
    /// is lost, and the next save brings both sides together.
    @Test(arguments: [Capabilities.UploadOntoName.conflict, .revision], 0..<2)
    func aReplacementSurvivesEveryFailure(
        _ behaviour: Capabilities.UploadOntoName, _ faultKind: Int
    ) async throws {
        for call in [ModelCloud.Call.item, .upload, .relocate, .delete] {
            for skip in 0..<3 {
                let cloud = ModelCloud(behaviour: behaviour)
                let fixture = try await Fixture.make(cloud: cloud)
                try await fixture.save("old", to: "/a.txt")
                try await fixture.save("older", to: "/a.txt")
                cloud.fail(
                    call, skip: skip, faultKind == 0 ? .before(.unreachable) : .answerLost)
                let failure = await code { () async throws(FileSystemError) in
                    try await fixture.save("new content", to: "/a.txt")
                }
                cloud.removeFaults()
                let kept = cloud.snapshot().values.compactMap { $0 }.map {
                    String(decoding: $0, as: UTF8.self)
                }
                #expect(kept.contains("older") || kept.contains("new content"))
                #expect(try await fixture.read("/a.txt") == "new content")
                if failure != nil {
                    #expect(fixture.fileSystem.status().unsent.count == 1)
                }
                try await fixture.save("newest", to: "/a.txt")
                #expect(
                    cloud.snapshot().keys.sorted() == ["/a.txt"],
                    "left over after \(call) \(skip) \(faultKind)")
                #expect(cloud.content(at: "/a.txt") == Array("newest".utf8))
            }
        }
    }

    @Test func unsentContentSurvivesTheDriver() async throws {
        let fixture = try await Fixture.make()
        try await fixture.save("x", to: "/learn.txt")
        for _ in 0..<4 { fixture.cloud.fail(.upload, .before(.unreachable)) }
        let failure = await code { () async throws(FileSystemError) in
            try await fixture.save("precious", to: "/a.txt")
        }
        #expect(failure == .networkUnreachable)
        fixture.cloud.removeFaults()
        let second = try await fixture.restart()
        #expect(try await second.read("/a.txt") == "precious")
        #expect(await second.fileSystem.drain(forSeconds: 60).remaining == 0)
        await second.fileSystem.shutdown()
        #expect(fixture.cloud.content(at: "/a.txt") == Array("precious".utf8))
    }

    @Test func aForeignLockRefusesWriting() async throws {
        let fixture = try await Fixture.make()
        try await fixture.save("x", to: "/a.txt")
        fixture.cloud.setForeignLock(true, on: "/a.txt")
        let refused = await code { () async throws(FileSystemError) in
            try await fixture.save("y", to: "/a.txt")
        }
        #expect(refused == .locked)
        #expect(fixture.cloud.content(at: "/a.txt") == Array("x".utf8))
        #expect(try await fixture.read("/a.txt") == "x")
    }

    @Test func policyAndQuotaAreKnownBeforeTheUpload() async throws {
        let cloud = ModelCloud()
        cloud.set(
            quota: StorageQuota(total: 100, used: 90),
            policy: StoragePolicy(excludedExtensions: [".exe"], maximumFileSize: 8))
        let fixture = try await Fixture.make(cloud: cloud)
        let refused = await code { () async throws(FileSystemError) in
            _ = try await fixture.create("/virus.EXE")
        }
        #expect(refused == .policy)
        let handle = try await fixture.create("/a.txt")
        let tooLarge = await code { () async throws(FileSystemError) in
            try await fixture.write("123456789", handle: handle)
        }
        #expect(tooLarge == .tooLarge)
        try await fixture.close(handle)
        cloud.set(quota: StorageQuota(total: 100, used: 99), policy: StoragePolicy())
        await fixture.fileSystem.refreshAccount()
        let full = await code { () async throws(FileSystemError) in
            try await fixture.save("12345", to: "/b.txt")
        }
        #expect(full == .quotaExceeded)
    }

    @Test func readOnlyAccountsAreRefused() async throws {
        let cloud = ModelCloud()
        cloud.storeByOther(Array("x".utf8), at: "/a.txt")
        cloud.set(permissions: .read)
        let fixture = try await Fixture.make(cloud: cloud)
        #expect(try await fixture.read("/a.txt") == "x")
        #expect(try await fixture.attributes("/a.txt").mode == 0o444)
        for path in ["/a.txt", "/b.txt"] {
            let refused = await code { () async throws(FileSystemError) in
                try await fixture.save("y", to: path)
            }
            #expect(refused == .accessDenied)
        }
    }
}

extension SavingTests {
    /// Whoever opens a file while its last writer's copy moves into the cache reads all of it.
    @Test func openingWhileTheCopyIsRetiredReadsTheContent() async throws {
        let fixture = try await Fixture.make()
        let text = String(repeating: "content ", count: 100_000)
        for round in 0..<10 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                let path = "/f\(round)"
                let writer = try await fixture.create(path)
                try await fixture.write(text, handle: writer)
                try await fixture.fileSystem.flush(handle: writer).value()
                group.addTask { try await fixture.fileSystem.release(handle: writer).value() }
                for _ in 0..<4 {
                    group.addTask {
                        let found = try await fixture.read(path)
                        #expect(found == text)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// What was written since the last fsync is not confirmed, and nobody else is to see it.
    @Test func whatIsWrittenSinceAnFsyncIsNotSent() async throws {
        let fixture = try await Fixture.makeByHand()
        let handle = try await fixture.create("/a")
        try await fixture.write("one", handle: handle)
        try await fixture.fileSystem.fsync(handle: handle, dataOnly: false).value()
        try await fixture.write("one and", handle: handle)
        await fixture.work()
        #expect(fixture.serverContents() == [])
        try await fixture.write("one and two", handle: handle)
        try await fixture.fileSystem.fsync(handle: handle, dataOnly: false).value()
        await fixture.work()
        #expect(fixture.serverContents() == ["one and two"])
        try await fixture.write("two", handle: handle)
        await fixture.work()
        #expect(fixture.serverContents() == ["one and two"])
        try await fixture.close(handle)
        await fixture.work()
        #expect(fixture.serverContents() == ["two and two"])
    }

    /// Loss of power can take back a close's row, but not the removal of the file that the row before it
    /// speaks of.
    @Test(arguments: [false, true])
    func whatFsyncHasConfirmedStaysUntilItIsReplacedForGood(afterRestart: Bool) async throws {
        var fixture = try await Fixture.makeByHand()
        var handle = try await fixture.create("/a")
        try await fixture.write("first", handle: handle)
        try await fixture.fileSystem.fsync(handle: handle, dataOnly: true).value()
        try await fixture.close(handle)
        if afterRestart { fixture = try await fixture.restartByHand() }
        let folder = fixture.store.contentFolder
        func contents() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder).map {
                try String(contentsOfFile: folder + "/" + $0, encoding: .utf8)
            }.sorted()
        }
        #expect(try contents() == ["first"])
        handle = try await fixture.open("/a", [.read, .write])
        try await fixture.write("later", handle: handle)
        try await fixture.close(handle)
        #expect(try contents() == ["first", "later"])
        handle = try await fixture.open("/a", [.read, .write])
        try await fixture.fileSystem.fsync(handle: handle, dataOnly: true).value()
        #expect(try contents() == ["later"])
        try await fixture.close(handle)
        await fixture.work()
        #expect(fixture.cloud.content(at: "/a") == Array("later".utf8))
        #expect(try contents() == [])
        await fixture.end()
    }
}
