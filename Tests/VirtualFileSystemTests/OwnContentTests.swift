import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

import VirtualFileSystem

/// What was written here is not fetched from the server.
@Suite struct OwnContentTests {
    /// Servers on which a file that replaces another becomes its next revision.
    enum Server: CaseIterable {
        case addressedByNumber, addressedByPath

        var cloud: ModelCloud {
            switch self {
            case .addressedByNumber: ModelCloud(behaviour: .revision)
            case .addressedByPath: ModelCloud.addressingByPath()
            }
        }
    }

    /// A file `/a` that the server has, and the cache.
    private func fixture(_ server: Server) async throws -> Fixture {
        let fixture = try await Fixture.makeByHand(cloud: server.cloud)
        try await fixture.save("old", to: "/a")
        await fixture.work()
        #expect(fixture.serverContents() == ["old"])
        return fixture
    }

    private func expectReplaced(_ fixture: Fixture, by text: String) async throws {
        #expect(fixture.serverContents() == [text])
        #expect(try await fixture.read("/a") == text)
        #expect(fixture.cloud.count(of: .download) == 0)
        await fixture.end()
    }

    /// As git does with its index, where it takes so long that its lock file has been sent.
    @Test(arguments: Server.allCases)
    func whatReplacesAFileOnceItWasSent(_ server: Server) async throws {
        let fixture = try await fixture(server)
        try await fixture.save("new", to: "/a.lock")
        await fixture.work()
        #expect(fixture.serverContents() == ["new", "old"])
        try await fixture.rename("/a.lock", "/a")
        await fixture.work()
        try await expectReplaced(fixture, by: "new")
    }

    /// A program that has what it sent open for writing keeps it out of the cache.
    @Test(arguments: Server.allCases)
    func whatReplacesAFileWhileItIsOpen(_ server: Server) async throws {
        let fixture = try await fixture(server)
        let handle = try await fixture.create("/a.lock")
        try await fixture.write("new", handle: handle)
        try await fixture.fileSystem.flush(handle: handle).value()
        await fixture.work()
        #expect(fixture.serverContents() == ["new", "old"])
        try await fixture.rename("/a.lock", "/a")
        await fixture.work()
        #expect(fixture.serverContents() == ["new"])
        #expect(fixture.cloud.count(of: .download) == 0)
        try await fixture.write("newer", handle: handle)
        try await fixture.close(handle)
        await fixture.work()
        try await expectReplaced(fixture, by: "newer")
    }

    /// Who has it open reads on from what it was.
    @Test(arguments: Server.allCases)
    func whatReplacesAFileWhileItIsRead(_ server: Server) async throws {
        let fixture = try await fixture(server)
        try await fixture.save("new", to: "/a.lock")
        await fixture.work()
        let handle = try await fixture.open("/a.lock", [.read])
        try await fixture.rename("/a.lock", "/a")
        await fixture.work()
        #expect(try await fixture.read("/a") == "new")
        #expect(try await fixture.read(handle: handle) == "new")
        try await fixture.close(handle)
        try await expectReplaced(fixture, by: "new")
    }

    /// Where the last step of a replacement fails, it is done later.
    @Test(arguments: Server.allCases)
    func whatReplacesAFileInTwoTries(_ server: Server) async throws {
        let fixture = try await fixture(server)
        try await fixture.save("new", to: "/a.lock")
        await fixture.work()
        try await fixture.rename("/a.lock", "/a")
        fixture.cloud.fail(.delete, .before(.unreachable))
        #expect(await fixture.fileSystem.carryOutNextJob())
        #expect(fixture.serverContents() == ["new", "new"])
        await fixture.work()
        try await expectReplaced(fixture, by: "new")
    }
}
