import CloudStorage
import FileSystemTypes
import StateStore
import TestSupport
import Testing

import VirtualFileSystem

/// Locks by hand that are asked for wrongly, or that can't be taken up by the next run.
@Suite struct LockByHandTests {
    private static let path = ["Files", "a.odt"]

    private func fixture(
        _ cloud: ModelCloud = ModelCloud(), _ folder: TemporaryFolder? = nil
    ) async throws -> Fixture {
        try await Fixture.make(cloud: cloud, folder: folder) { options in
            options.synchronization = .none
            options.synchronizesInBackground = false
        }
    }

    /// A cloud and a state folder of a run that has crashed while it held a file's lock by hand; the
    /// time of that lock is over.
    private func crashed() async throws -> (ModelCloud, TemporaryFolder) {
        let cloud = ModelCloud()
        cloud.storeByOther([1], at: "/a.odt")
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud, folder)
        try await first.fileSystem.lock(path: Self.path, seconds: nil)
        await first.end()
        cloud.endOwnLocks()
        return (cloud, folder)
    }

    private func locksByHand(_ fixture: Fixture) -> Int {
        fixture.fileSystem.knownLocks().count { $0.purpose == .command }
    }

    @Test(arguments: ["9223372036854775807", "315360001", "0", "-1", "x"])
    func aLockLastsTenYearsAtMost(_ seconds: String) async throws {
        let cloud = ModelCloud()
        cloud.storeByOther([1], at: "/a.odt")
        let fixture = try await fixture(cloud)
        let node = try await fixture.node("/a.odt")
        let byAttribute = await code { () async throws(FileSystemError) in
            try await fixture.fileSystem.setxattr(
                node: node, name: "user.ordner.lock", value: Array(seconds.utf8),
                replacement: .either
            ).value()
        }
        #expect(byAttribute == .invalidArgument)
        if let number = Int(seconds) {
            let byCommand = await code { () async throws(FileSystemError) in
                try await fixture.fileSystem.lock(path: Self.path, seconds: number)
            }
            #expect(byCommand == .invalidArgument)
        }
        #expect(cloud.ownLockCount == 0)
        await fixture.end()
    }

    @Test(arguments: [false, true])
    func aLockThatCantBeHadAnyMoreIsNotHeld(isGone: Bool) async throws {
        let (cloud, folder) = try await crashed()
        if isGone {
            cloud.deleteByOther(at: "/a.odt")
        } else {
            cloud.setForeignLock(true, on: "/a.odt")
        }
        let second = try await fixture(cloud, folder)
        try await eventually("nobody takes it for one of ours") { locksByHand(second) == 0 }
        if !isGone {
            cloud.setForeignLock(false, on: "/a.odt")
            try await second.fileSystem.lock(path: Self.path, seconds: nil)
            #expect(cloud.ownLockCount == 1)
        }
        await second.end()
    }

    /// One whose lock could not be taken up yet.
    private func waiting() async throws -> (ModelCloud, Fixture) {
        let (cloud, folder) = try await crashed()
        let count = cloud.count(of: .lock)
        for _ in 0..<2 { cloud.fail(.lock, .before(.temporarilyUnavailable)) }
        let second = try await fixture(cloud, folder)
        try await eventually("it was tried") { cloud.count(of: .lock) > count }
        // Ends when the attempts under way have ended.
        await second.fileSystem.endLocksByHand()
        cloud.removeFaults()
        #expect(cloud.ownLockCount == 0)
        return (cloud, second)
    }

    @Test func aLockIsTakenUpAsSoonAsTheServerAnswersAgain() async throws {
        let (cloud, second) = try await waiting()
        #expect(second.fileSystem.knownLocks().allSatisfy { $0.problem != nil })
        await second.fileSystem.endLocksByHand()
        #expect(cloud.ownLockCount == 1)
        #expect(second.fileSystem.knownLocks().map(\.problem) == [nil])
        try await second.fileSystem.unlock(path: Self.path)
        #expect(cloud.ownLockCount == 0)
        await second.end()
    }

    @Test func aNewLockReplacesOneThatWasNotTakenUp() async throws {
        let (cloud, second) = try await waiting()
        try await second.fileSystem.lock(path: Self.path, seconds: nil)
        #expect(cloud.ownLockCount == 1)
        try await second.fileSystem.unlock(path: Self.path)
        #expect(cloud.ownLockCount == 0)
        await second.end()
    }

    @Test func whatWasNotTakenUpIsNotTakenFromAProgram() async throws {
        let (cloud, second) = try await waiting()
        let handle = try await second.open("/a.odt", [.read, .write])
        #expect(cloud.ownLockCount == 1)
        try await second.fileSystem.unlock(path: Self.path)
        #expect(cloud.ownLockCount == 1)
        #expect(locksByHand(second) == 0)
        try await second.close(handle)
        try await eventually("the program's is given back") { cloud.ownLockCount == 0 }
        await second.end()
    }

    @Test func theLockOfSomebodyElseCantBeGivenBack() async throws {
        let cloud = ModelCloud()
        cloud.storeByOther([1], at: "/a.odt")
        let fixture = try await fixture(cloud)
        try await fixture.look("/")
        cloud.setForeignLock(true, on: "/a.odt", holder: "Bob")
        let refusal = await code { () async throws(FileSystemError) in
            try await fixture.fileSystem.unlock(path: Self.path)
        }
        #expect(refusal == .locked)
        #expect(fixture.fileSystem.knownLocks().map(\.purpose) == [.others])
        await fixture.end()
    }

    /// The path of a lock that is on record is that of the time when it was taken.
    @Test func theLockOfAFileThatWasRenamedLeavesTheRecord() async throws {
        let cloud = ModelCloud()
        cloud.storeByOther([1], at: "/a.odt")
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud, folder)
        try await first.fileSystem.lock(path: Self.path, seconds: nil)
        cloud.renameByOther(from: "/a.odt", to: "b.odt")
        try await first.look("/")
        try await first.fileSystem.lock(path: ["Files", "b.odt"], seconds: nil)
        await first.end()
        cloud.endOwnLocks()
        let second = try await fixture(cloud, folder)
        try await eventually("it is taken up again") {
            cloud.ownLockCount == 1 && second.fileSystem.knownLocks().map(\.problem) == [nil]
        }
        try await second.fileSystem.unlock(path: ["Files", "b.odt"])
        #expect(cloud.ownLockCount == 0)
        #expect(try await second.store.value(forKey: "leases") == "[]")
        await second.end()
    }
}
