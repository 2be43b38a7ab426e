import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

import VirtualFileSystem

/// Owner files that stand for somebody else's lock on a folder.
@Suite struct LockedFolderTests {
    private func fixture() async throws -> Fixture {
        let fixture = try await Fixture.make { options in
            options.synchronization = .none
            options.synchronizesInBackground = false
        }
        try await fixture.mkdir("/d")
        try await fixture.save("content", to: "/d/a.odt")
        await fixture.work()
        try await fixture.look("/")
        try await fixture.look("/d")
        return fixture
    }

    /// - Parameter looked: the folders that are listed again after each change.
    @Test(arguments: [["/"], ["/d"], ["/", "/d"], ["/d", "/"]])
    func ownerFilesComeAndGoWithTheFoldersLock(_ looked: [String]) async throws {
        let fixture = try await fixture()
        fixture.cloud.setForeignLock(true, on: "/d", holder: "Bob")
        for folder in looked { try await fixture.look(folder) }
        #expect(try await fixture.names("/d") == [".~lock.a.odt#", "a.odt"])
        #expect(try await fixture.read("/d/.~lock.a.odt#") == "Bob,,,,;")
        fixture.cloud.setForeignLock(false, on: "/d")
        for folder in looked { try await fixture.look(folder) }
        #expect(try await fixture.names("/d") == ["a.odt"])
        try await fixture.unlink("/d/a.odt")
        try await fixture.rmdir("/d")
        await fixture.end()
    }

    @Test func anOwnerFileThatNamesAnotherHolderGoesAsWell() async throws {
        let fixture = try await fixture()
        fixture.cloud.setForeignLock(true, on: "/d/a.odt")
        let refusal = await code { () async throws(FileSystemError) in
            _ = try await fixture.create("/d/.~lock.a.odt#")
        }
        #expect(refusal == .locked)
        fixture.cloud.setForeignLock(false, on: "/d/a.odt")
        fixture.cloud.setForeignLock(true, on: "/d", holder: "Bob")
        try await fixture.look("/")
        try await fixture.look("/d")
        #expect(try await fixture.read("/d/.~lock.a.odt#") == "Bob,,,,;")
        fixture.cloud.setForeignLock(false, on: "/d")
        try await fixture.look("/")
        try await fixture.look("/d")
        #expect(try await fixture.names("/d") == ["a.odt"])
        await fixture.end()
    }

    @Test func noOwnerFileHasANameThatNoFileCanHave() async throws {
        let fixture = try await fixture()
        let name = String(repeating: "x", count: 250) + ".odt"
        try await fixture.save("content", to: "/\(name)")
        await fixture.work()
        fixture.cloud.setForeignLock(true, on: "/\(name)")
        try await fixture.look("/")
        #expect(try await fixture.names("/") == ["d", name])
        await fixture.end()
    }
}
