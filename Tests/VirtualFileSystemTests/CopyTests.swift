import CloudStorage
import FileSystemTypes
import StateStore
import TestSupport
import Testing

import VirtualFileSystem

/// Copies within the mount, on a cloud that can make them.
@Suite struct CopyTests {
    private static let large = 2 << 20
    private static let text = String(repeating: "0123456789abcdef", count: large / 16)

    /// A file of the server that this machine has not read.
    private func fixture(_ size: Int = large) async throws -> Fixture {
        let cloud = ModelCloud.addressingByPath()
        cloud.storeByOther(Array(Self.text.utf8.prefix(size)), at: "/a")
        let fixture = try await Fixture.makeByHand(cloud: cloud)
        cloud.resetCounts()
        return fixture
    }

    /// Copies as `cp` does: all that is left, until nothing is.
    private func copy(
        _ fixture: Fixture, _ from: String, _ to: String
    ) async throws(FileSystemError) {
        let source = try await fixture.open(from, [.read])
        let target = try await fixture.create(to)
        let size = try await fixture.attributes(from).size
        var done: Int64 = 0
        while done < size {
            let count = try await fixture.fileSystem.copyFileRange(
                from: source, at: done, to: target, at: done, count: size - done
            ).value()
            guard count > 0 else { throw FileSystemError(.noData, "nothing was copied") }
            done += count
        }
        try await fixture.close(target)
        try await fixture.close(source)
    }

    private func transfers(_ cloud: ModelCloud) -> [Int] {
        [ModelCloud.Call.download, .upload, .copy].map { cloud.count(of: $0) }
    }

    private func content(_ cloud: ModelCloud, _ path: String) -> String? {
        cloud.content(at: path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func whatIsNotHereIsCopiedByTheServerAlone() async throws {
        let fixture = try await fixture()
        try await copy(fixture, "/a", "/b")
        #expect(transfers(fixture.cloud) == [0, 0, 1])
        #expect(content(fixture.cloud, "/b") == Self.text)
        await fixture.work()
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a", "/b"])
        #expect(transfers(fixture.cloud) == [0, 0, 1])
        let second = try await fixture.restartByHand()
        let handle = try await second.open("/b", [.read])
        #expect(try await second.read(handle: handle, count: Self.large) == Self.text)
        try await second.close(handle)
    }

    @Test func theCopyCanBeWrittenAtOnce() async throws {
        let fixture = try await fixture()
        let source = try await fixture.open("/a", [.read])
        let target = try await fixture.create("/b")
        let size = Int64(Self.large)
        let count = try await fixture.fileSystem.copyFileRange(
            from: source, at: 0, to: target, at: 0, count: size
        ).value()
        #expect(count == size)
        try await fixture.write("XY", at: 1, handle: target)
        try await fixture.close(target)
        try await fixture.close(source)
        await fixture.work()
        #expect(content(fixture.cloud, "/b") == "0XY" + Self.text.dropFirst(3))
        #expect(content(fixture.cloud, "/a") == Self.text)
    }

    @Test func whatIsHereIsCopiedHereAndNotUploaded() async throws {
        let fixture = try await fixture()
        #expect(try await fixture.read("/a").utf8.count == 1 << 20)
        let handle = try await fixture.open("/a", [.read])
        _ = try await fixture.read(handle: handle, count: Self.large)
        try await fixture.close(handle)
        fixture.cloud.resetCounts()
        try await copy(fixture, "/a", "/b")
        #expect(transfers(fixture.cloud) == [0, 0, 0])
        await fixture.work()
        #expect(transfers(fixture.cloud) == [0, 0, 1])
        #expect(content(fixture.cloud, "/b") == Self.text)
        // The source is another one by now: the content here is sent.
        try await copy(fixture, "/a", "/c")
        fixture.cloud.storeByOther(Array("other".utf8), at: "/a")
        await fixture.work()
        #expect(content(fixture.cloud, "/c") == Self.text)
        #expect(fixture.cloud.count(of: .upload) == 1)
    }

    @Test func aCopyThatWasChangedIsUploaded() async throws {
        let fixture = try await fixture()
        let handle = try await fixture.open("/a", [.read])
        _ = try await fixture.read(handle: handle, count: Self.large)
        try await fixture.close(handle)
        try await copy(fixture, "/a", "/b")
        let target = try await fixture.open("/b", [.write])
        try await fixture.write("XY", at: 1, handle: target)
        try await fixture.close(target)
        await fixture.work()
        #expect(content(fixture.cloud, "/b") == "0XY" + Self.text.dropFirst(3))
        #expect(fixture.cloud.count(of: .copy) == 0)
    }

    @Test(arguments: [64 << 10 - 1, 1000])
    func smallFilesAreSent(_ size: Int) async throws {
        let fixture = try await fixture(size)
        try await copy(fixture, "/a", "/b")
        await fixture.work()
        #expect(transfers(fixture.cloud) == [1, 1, 0])
        #expect(fixture.cloud.content(at: "/b")?.count == size)
    }

    @Test func oddCopiesAreReadAndWritten() async throws {
        let fixture = try await fixture()
        let size = Int64(Self.large)
        let source = try await fixture.open("/a", [.read])
        // A part, a target that has something, an appending one.
        let part = try await fixture.create("/part")
        _ = try await fixture.fileSystem.copyFileRange(
            from: source, at: 0, to: part, at: 0, count: 100_000
        ).value()
        let full = try await fixture.create("/full")
        try await fixture.write("x", at: size, handle: full)
        var done: Int64 = 0
        while done < size {
            done += try await fixture.fileSystem.copyFileRange(
                from: source, at: done, to: full, at: done, count: size - done
            ).value()
        }
        for handle in [part, full, source] { try await fixture.close(handle) }
        #expect(fixture.cloud.count(of: .copy) == 0)
        // A source with unsent content.
        let writer = try await fixture.open("/a", [.write])
        try await fixture.write("XY", at: 0, handle: writer)
        try await copy(fixture, "/a", "/dirty")
        try await fixture.close(writer)
        await fixture.work()
        #expect(fixture.cloud.count(of: .copy) == 0)
        #expect(content(fixture.cloud, "/part") == String(Self.text.prefix(100_000)))
        #expect(content(fixture.cloud, "/full") == Self.text + "x")
        #expect(content(fixture.cloud, "/dirty") == "XY" + Self.text.dropFirst(2))
    }

    @Test func aRefusedCopyIsReadAndWritten() async throws {
        let fixture = try await fixture()
        fixture.cloud.fail(.copy, .before(.forbidden))
        try await copy(fixture, "/a", "/b")
        await fixture.work()
        #expect(fixture.cloud.count(of: .upload) == 1)
        #expect(content(fixture.cloud, "/b") == Self.text)
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a", "/b"])
    }

    @Test func aSourceOfAnotherRevisionIsNeverMixed() async throws {
        let fixture = try await fixture()
        let source = try await fixture.open("/a", [.read])
        let other = String(Self.text.reversed())
        fixture.cloud.storeByOther(Array(other.utf8), at: "/a")
        let target = try await fixture.create("/b")
        let failure = await code { () throws(FileSystemError) in
            _ = try await fixture.fileSystem.copyFileRange(
                from: source, at: 0, to: target, at: 0, count: Int64(Self.large)
            ).value()
        }
        // The version that was opened can't be had any more.
        #expect(failure == .stale)
        try await fixture.close(target)
        try await fixture.close(source)
        try await fixture.look("/")
        try await copy(fixture, "/a", "/c")
        await fixture.work()
        #expect(content(fixture.cloud, "/b") == "")
        #expect(content(fixture.cloud, "/c") == other)
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a", "/b", "/c"])
    }

    @Test func aCopyWhoseAnswerWasLostIsFound() async throws {
        let fixture = try await fixture()
        fixture.cloud.fail(.copy, .answerLost)
        try await copy(fixture, "/a", "/b")
        await fixture.work()
        #expect(transfers(fixture.cloud) == [0, 0, 1])
        #expect(content(fixture.cloud, "/b") == Self.text)
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/a", "/b"])
    }

    @Test func aNewFolderIsMadeFirst() async throws {
        let cloud = ModelCloud.addressingByPath()
        cloud.storeByOther(Array(Self.text.utf8), at: "/a")
        let fixture = try await Fixture.make(cloud: cloud) { $0.synchronization = .none }
        try await fixture.mkdir("/d")
        try await fixture.mkdir("/d/e")
        try await copy(fixture, "/a", "/d/e/b")
        #expect(transfers(cloud) == [0, 0, 1])
        #expect(content(cloud, "/d/e/b") == Self.text)
        await fixture.fileSystem.shutdown()
    }

    /// Killed before the copy had its name: what is left of it goes, at the next start.
    @Test func aCrashLeavesNoPart() async throws {
        let fixture = try await fixture()
        for _ in 0..<8 { fixture.cloud.fail(.relocate, .before(.unreachable)) }
        for _ in 0..<8 { fixture.cloud.fail(.delete, .before(.unreachable)) }
        fixture.cloud.fail(.download, .before(.unreachable))
        let source = try await fixture.open("/a", [.read])
        let target = try await fixture.create("/b")
        let failure = await code { () throws(FileSystemError) in
            _ = try await fixture.fileSystem.copyFileRange(
                from: source, at: 0, to: target, at: 0, count: Int64(Self.large)
            ).value()
        }
        #expect(failure != nil)
        #expect(fixture.cloud.snapshot().count == 2)
        await fixture.store.close()
        fixture.cloud.removeFaults()
        let second = try await Fixture.make(cloud: fixture.cloud, folder: fixture.folder) {
            $0.synchronization = .none
        }
        #expect(try await second.names("/") == ["a"])
        try await eventually("the rest of the copy is gone") {
            fixture.cloud.snapshot().keys.sorted() == ["/a"]
        }
        await second.fileSystem.shutdown()
    }
}
