import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

import VirtualFileSystem

@Suite struct NamingTests {
    @Test func renamesWithinAndBetweenFolders() async throws {
        let fixture = try await Fixture.make()
        try await fixture.mkdir("/d")
        try await fixture.save("x", to: "/a")
        let inode = try await fixture.attributes("/a").inode
        try await fixture.rename("/a", "/b")
        try await fixture.rename("/b", "/d/c")
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/d", "/d/c"])
        #expect(try await fixture.attributes("/d/c").inode == inode)
        #expect(try await fixture.names("/d") == ["c"])
        #expect(try await fixture.read("/d/c") == "x")
    }

    @Test(arguments: [Capabilities.UploadOntoName.conflict, .revision])
    func renameOverAnExistingFileReplacesIt(
        _ behaviour: Capabilities.UploadOntoName
    ) async throws {
        let fixture = try await Fixture.make(cloud: ModelCloud(behaviour: behaviour))
        try await fixture.mkdir("/d")
        try await fixture.save("old", to: "/d/a")
        try await fixture.save("new", to: "/b")
        let reader = try await fixture.open("/d/a", [.read])
        try await fixture.rename("/b", "/d/a")
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/d", "/d/a"])
        #expect(fixture.cloud.content(at: "/d/a") == Array("new".utf8))
        #expect(try await fixture.read("/d/a") == "new")
        #expect(try await fixture.read(handle: reader) == "old")
        try await fixture.close(reader)
    }

    @Test(arguments: 0..<6, 0..<2)
    func renameOverAnExistingFileSurvivesEveryFailure(step: Int, faultKind: Int) async throws {
        let cloud = ModelCloud()
        let fixture = try await Fixture.make(cloud: cloud)
        try await fixture.save("old", to: "/a.txt")
        try await fixture.save("new", to: "/b.txt")
        let call: ModelCloud.Call = step < 4 ? .relocate : .delete
        cloud.fail(
            call, skip: step < 4 ? step : step - 4,
            faultKind == 0 ? .before(.temporarilyUnavailable) : .answerLost)
        let failure = await code { () async throws(FileSystemError) in
            try await fixture.rename("/b.txt", "/a.txt")
        }
        cloud.removeFaults()
        let second = try await fixture.restart()
        try await second.fileSystem.finishUndertakings()
        let names = cloud.snapshot().keys.sorted()
        #expect(names == ["/a.txt"] || (failure != nil && names == ["/a.txt", "/b.txt"]))
        if names.count == 1 { #expect(cloud.content(at: "/a.txt") == Array("new".utf8)) }
    }

    @Test func exchangeSwapsTwoNames() async throws {
        let fixture = try await Fixture.make()
        try await fixture.mkdir("/d")
        try await fixture.save("1", to: "/a")
        try await fixture.save("2", to: "/d/b")
        try await fixture.rename("/a", "/d/b", .exchange)
        #expect(fixture.cloud.content(at: "/a") == Array("2".utf8))
        #expect(fixture.cloud.content(at: "/d/b") == Array("1".utf8))
        #expect(try await fixture.read("/a") == "2")
        #expect(try await fixture.read("/d/b") == "1")
        #expect(try await fixture.names("/") == ["a", "d"])
    }

    @Test func errorsOfRename() async throws {
        let fixture = try await Fixture.make()
        try await fixture.mkdir("/d")
        try await fixture.mkdir("/e")
        try await fixture.save("1", to: "/e/x")
        try await fixture.save("1", to: "/a")
        let cases: [(String, String, RenameMode, FileSystemError.Code)] = [
            ("/a", "/d", .replace, .isFolder), ("/d", "/a", .replace, .notFolder),
            ("/d", "/e", .replace, .notEmpty), ("/d", "/d/x", .replace, .invalidArgument),
            ("/a", "/e/x", .noReplace, .exists), ("/a", "/none", .exchange, .notFound),
            ("/none", "/b", .replace, .notFound),
        ]
        for (from, to, mode, expected) in cases {
            let found = await code { () async throws(FileSystemError) in
                try await fixture.rename(from, to, mode)
            }
            #expect(found == expected, "\(from) to \(to)")
        }
        try await fixture.mkdir("/empty")
        try await fixture.rename("/e", "/empty")
        #expect(fixture.cloud.content(at: "/empty/x") == Array("1".utf8))
    }

    @Test func removal() async throws {
        let fixture = try await Fixture.make()
        try await fixture.mkdir("/d")
        try await fixture.save("1", to: "/d/a")
        let full = await code { () async throws(FileSystemError) in try await fixture.rmdir("/d") }
        #expect(full == .notEmpty)
        let reader = try await fixture.open("/d/a", [.read])
        try await fixture.unlink("/d/a")
        #expect(try await fixture.read(handle: reader) == "1")
        try await fixture.close(reader)
        try await fixture.rmdir("/d")
        #expect(fixture.cloud.snapshot().isEmpty)
    }

    @Test func anOpenRemoteFileStaysReadableAfterUnlink() async throws {
        let cloud = ModelCloud()
        cloud.storeByOther(Array("remote".utf8), at: "/a.txt")
        let fixture = try await Fixture.make(cloud: cloud)
        let reader = try await fixture.open("/a.txt", [.read])
        try await fixture.unlink("/a.txt")
        #expect(try await fixture.names("/") == [])
        // Its content is nowhere else yet (DESIGN section 4, rule 8).
        #expect(cloud.content(at: "/a.txt") != nil)
        #expect(try await fixture.read(handle: reader) == "remote")
        try await fixture.close(reader)
        try await eventually { cloud.snapshot().isEmpty }
    }

    @Test func aRevisionNobodyHereHasSeenIsNotDeleted() async throws {
        let fixture = try await Fixture.make()
        try await fixture.save("1", to: "/a")
        fixture.cloud.storeByOther(Array("2".utf8), at: "/a")
        let refused = await code { () async throws(FileSystemError) in
            try await fixture.unlink("/a")
        }
        #expect(refused == .stale)
        #expect(fixture.cloud.content(at: "/a") == Array("2".utf8))
    }

    @Test func aFolderThatSomebodyFilledIsNotRemoved() async throws {
        let fixture = try await Fixture.make()
        try await fixture.mkdir("/d")
        fixture.cloud.storeByOther(Array("2".utf8), at: "/d/new")
        let refused = await code { () async throws(FileSystemError) in
            try await fixture.rmdir("/d")
        }
        #expect(refused == .notEmpty)
    }

    @Test func localOnlyNamesNeverReachTheServer() async throws {
        let fixture = try await Fixture.make()
        try await fixture.save("swap", to: "/.a.txt.swp")
        #expect(fixture.cloud.snapshot().isEmpty)
        #expect(try await fixture.read("/.a.txt.swp") == "swap")
        let second = try await fixture.restart()
        #expect(try await second.read("/.a.txt.swp") == "swap")
        try await second.rename("/.a.txt.swp", "/real.txt")
        #expect(fixture.cloud.content(at: "/real.txt") == Array("swap".utf8))
        try await second.save("lock", to: "/~$real.txt")
        try await second.unlink("/~$real.txt")
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/real.txt"])
    }

    @Test func symbolicLinksAreKept() async throws {
        let fixture = try await Fixture.make()
        let parent = try await fixture.node("/")
        _ = try await fixture.fileSystem.symlink(
            parent: parent, name: "link", target: "../target", caller: fixture.caller
        ).value()
        #expect(fixture.cloud.content(at: "/link.rclonelink") == Array("../target".utf8))
        let second = try await Fixture.make(cloud: fixture.cloud)
        let node = try await second.node("/link")
        #expect(try await second.fileSystem.readlink(node: node).value() == "../target")
        try await second.rename("/link", "/other")
        try await second.unlink("/other")
        #expect(fixture.cloud.snapshot().isEmpty)
    }

    @Test func namesThatDifferInNormalizationAreTwo() async throws {
        let fixture = try await Fixture.make()
        try await fixture.save("composed", to: "/\u{E9}")
        try await fixture.save("decomposed", to: "/e\u{301}")
        #expect(try await fixture.names("/").count == 2)
        #expect(try await fixture.read("/\u{E9}") == "composed")
        #expect(try await fixture.read("/e\u{301}") == "decomposed")
    }
}
