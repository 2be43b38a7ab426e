import CloudStorage
import FileSystemTypes
import Glibc
import Synchronization
import TestSupport
import Testing

import VirtualFileSystem

/// Notes of which nodes the kernel is to drop the pages.
private final class Pages: KernelNotifier {
    private let nodes = Mutex<Set<UInt64>>([])
    private let parts = Mutex<[UInt64: Int64]>([:])

    /// Bytes of pages that were in nobody's way.
    func droppedBytes(of node: UInt64) -> Int64 { parts.withLock { $0[node] ?? 0 } }

    var dropped: Set<UInt64> { nodes.withLock { $0 } }

    func invalidateContent(ofNode node: UInt64) { nodes.withLock { _ = $0.insert(node) } }
    func dropPages(_ range: ByteRange, ofNode node: UInt64) {
        parts.withLock { $0[node, default: 0] += range.count }
    }
    func invalidateAttributes(ofNode node: UInt64) {}
    func invalidateEntry(parent: UInt64, name: String) {}
}

/// Files that the kernel reads by itself, and what becomes of them when somebody writes.
@Suite struct BackingTests {
    private static let text = "the first content of a file"

    /// A mount whose file is all here, and known to be the server's.
    private static func make(
        _ text: String = text, smallest: Int64 = 8
    ) async throws -> (Fixture, HandedFiles) {
        let fixture = try await Fixture.make(cacheIsSequential: true) {
            $0.smallestBacked = smallest
        }
        let kernel = HandedFiles()
        fixture.fileSystem.setBackingFiles(kernel)
        try await fixture.save(text, to: "/a.txt")
        return (fixture, kernel)
    }

    @Test func aCompleteFileIsReadByTheKernel() async throws {
        let (fixture, kernel) = try await Self.make()
        let first = try await fixture.openedByTheKernel("/a.txt")
        #expect(first.backing?.isOnlyMapped == false)
        #expect(try kernel.text(first.backing) == Self.text)
        let second = try await fixture.opened("/a.txt", [.read])
        #expect(second.backing == first.backing)
        try await fixture.close(first.handle)
        #expect(kernel.count == 1)
        try await fixture.close(second.handle)
        #expect(kernel.count == 0)
    }

    @Test func whatIsSmallOrNotAllHereIsReadByTheDriver() async throws {
        let (fixture, kernel) = try await Self.make(smallest: 1000)
        let small = try await fixture.opened("/a.txt", [.read])
        #expect(small.backing == nil)
        fixture.cloud.storeByOther([UInt8](repeating: 7, count: 2000), at: "/b.txt")
        try await fixture.look("/")
        let incomplete = try await fixture.opened("/b.txt", [.read])
        #expect(incomplete.backing == nil)
        _ = try await fixture.read(handle: incomplete.handle)
        // As long as one reads by the driver all do.
        let other = try await fixture.opened("/b.txt", [.read])
        #expect(other.backing == nil)
        try await fixture.close(incomplete.handle)
        try await fixture.close(other.handle)
        let complete = try await fixture.openedByTheKernel("/b.txt")
        try await fixture.close(complete.handle)
        kernel.refuse()
        let refused = try await fixture.opened("/b.txt", [.read])
        #expect(refused.backing == nil)
        #expect(try await fixture.read(handle: refused.handle, count: 10).utf8.count == 10)
    }

    /// Pages that the kernel has are not dropped before they were of use, and not while somebody waits.
    @Test func pagesAreUsedOnceMoreBeforeTheyGo() async throws {
        let (fixture, kernel) = try await Self.make()
        let pages = Pages()
        fixture.fileSystem.setNotifier(pages)
        fixture.cloud.storeByOther([UInt8](repeating: 7, count: 2000), at: "/b.txt")
        try await fixture.look("/")
        let node = try await fixture.node("/b.txt")
        let first = try await fixture.opened("/b.txt", [.read])
        #expect(first.backing == nil && !first.keepsCache)
        _ = try await fixture.read(handle: first.handle)
        try await fixture.close(first.handle)
        let second = try await fixture.opened("/b.txt", [.read])
        #expect(second.backing == nil && second.keepsCache)
        #expect(!pages.dropped.contains(node))
        try await fixture.close(second.handle)
        #expect(pages.dropped.contains(node))
        let third = try await fixture.openedByTheKernel("/b.txt")
        #expect(kernel.count == 1)
        try await fixture.close(third.handle)
    }

    /// Who reads a big file to its end leaves no pages behind, so that it can be handed out at the next open.
    @Test(arguments: [1, 2])
    func aBigFileIsTheKernelsAfterOneReading(_ readers: Int) async throws {
        let (fixture, _) = try await Self.make()
        let pages = Pages()
        fixture.fileSystem.setNotifier(pages)
        let size = DropBehind.smallestFile + 4096
        fixture.cloud.storeByOther([UInt8](repeating: 7, count: Int(size)), at: "/b.bin")
        try await fixture.look("/")
        let node = try await fixture.node("/b.bin")
        var handles: [UInt64] = []
        for _ in 0..<readers { handles.append(try await fixture.opened("/b.bin", [.read]).handle) }
        for offset in stride(from: 0, to: size, by: 1 << 20) {
            try await fixture.readAsTheKernel(handles[0], at: offset, count: 1 << 20)
        }
        for handle in handles { try await fixture.close(handle) }
        // With another reader there is somebody who may want the pages.
        #expect((pages.droppedBytes(of: node) > 20 << 20) == (readers == 1))
        #expect(pages.dropped.contains(node))
        let second = try await fixture.openedByTheKernel("/b.bin")
        try await fixture.close(second.handle)
    }

    @Test func aWriterAloneWritesByTheDriver() async throws {
        let (fixture, kernel) = try await Self.make()
        let writer = try await fixture.opened("/a.txt", [.write])
        let reader = try await fixture.opened("/a.txt", [.read])
        #expect(writer.backing == nil && reader.backing == nil)
        #expect(kernel.count == 0)
        try await fixture.close(writer.handle)
        try await fixture.close(reader.handle)
    }

    /// Every kind of change is at once in what readers see.
    @Test func readersSeeWhatIsWritten() async throws {
        let (fixture, kernel) = try await Self.make()
        let reader = try await fixture.openedByTheKernel("/a.txt")
        let writer = try await fixture.opened("/a.txt", [.read, .write])
        #expect(
            writer.backing
                == .init(number: try #require(reader.backing?.number), isOnlyMapped: true))
        try await fixture.write("THE", at: 0, handle: writer.handle)
        #expect(try kernel.text(reader.backing) == "THE first content of a file")
        #expect(try await fixture.read(handle: writer.handle) == "THE first content of a file")
        let appender = try await fixture.opened("/a.txt", [.write, .append])
        try await fixture.write("!", handle: appender.handle)
        #expect(try kernel.text(reader.backing) == "THE first content of a file!")
        _ = try await fixture.fileSystem.fallocate(
            handle: writer.handle, mode: .zeroRange(keepSize: false), range: ByteRange(26, 30)
        ).value()
        #expect(try kernel.text(reader.backing) == "THE first content of a fil\0\0\0\0")
        var changes = AttributeChanges()
        changes.size = 3
        _ = try await fixture.fileSystem.setattr(
            node: try await fixture.node("/a.txt"), changes: changes, handle: nil,
            caller: fixture.caller
        ).value()
        #expect(try kernel.text(reader.backing) == "THE")
        try await fixture.close(appender.handle)
        try await fixture.close(writer.handle)
        try await eventually { fixture.cloud.content(at: "/a.txt") == Array("THE".utf8) }
        // It goes on for who opens it before the reader closes, and ends then.
        let late = try await fixture.opened("/a.txt", [.read])
        #expect(late.backing == reader.backing)
        #expect(try kernel.text(late.backing) == "THE")
        try await fixture.save("another, longer than the first was", to: "/a.txt")
        #expect(try kernel.text(late.backing) == "another, longer than the first was")
        try await fixture.close(late.handle)
        try await fixture.close(reader.handle)
        #expect(kernel.count == 0)
        #expect(try await fixture.read("/a.txt") == "another, longer than the first was")
    }

    /// What was stored to a mapping is sent when the file is closed.
    @Test func storesToMappingsAreSent() async throws {
        let (fixture, kernel) = try await Self.make()
        let reader = try await fixture.openedByTheKernel("/a.txt")
        let writer = try await fixture.opened("/a.txt", [.read, .write])
        try await fixture.write("THE", at: 0, handle: writer.handle)
        let mapping = try kernel.file(writer.backing, O_RDWR)
        #expect(pwrite(mapping, "FIRST", 5, 4) == 5)
        #expect(try await fixture.read(handle: writer.handle) == "THE FIRST content of a file")
        Glibc.close(mapping)
        try await fixture.close(writer.handle)
        try await eventually {
            fixture.cloud.content(at: "/a.txt") == Array("THE FIRST content of a file".utf8)
        }
        #expect(try kernel.text(reader.backing) == "THE FIRST content of a file")
        try await fixture.close(reader.handle)
        #expect(try await fixture.read("/a.txt") == "THE FIRST content of a file")
    }

    /// A store is found where nothing was written, read or looked at before it.
    @Test func theFirstStoreIsFound() async throws {
        let (fixture, kernel) = try await Self.make()
        let reader = try await fixture.openedByTheKernel("/a.txt")
        let beginning = ContinuousClock.now
        // The clock of the disk's times has gone on.
        try await eventually { ContinuousClock.now - beginning > .milliseconds(80) }
        fixture.cloud.resetCounts()
        let writer = try await fixture.opened("/a.txt", [.read, .write])
        try await fixture.fileSystem.flush(handle: writer.handle).value()
        #expect(fixture.cloud.count(of: .upload) == 0)
        let mapping = try kernel.file(writer.backing, O_RDWR)
        #expect(pwrite(mapping, "FIRST", 5, 4) == 5)
        Glibc.close(mapping)
        try await fixture.close(writer.handle)
        try await eventually {
            fixture.cloud.content(at: "/a.txt") == Array("the FIRST content of a file".utf8)
        }
        try await fixture.close(reader.handle)
    }

    /// What could not be taken over once is not taken for seen.
    @Test func aFailureToSaveStoresIsNotTheirEnd() async throws {
        let (fixture, kernel) = try await Self.make()
        let reader = try await fixture.openedByTheKernel("/a.txt")
        let writer = try await fixture.opened("/a.txt", [.read, .write])
        let mapping = try kernel.file(writer.backing, O_RDWR)
        // So short that the rest can't be copied from it.
        #expect(ftruncate(mapping, 3) == 0)
        try Self.setTime(mapping)
        let failure = await code { () async throws(FileSystemError) in
            try await fixture.fileSystem.flush(handle: writer.handle).value()
        }
        #expect(failure == .inputOutput)
        #expect(
            pwrite(mapping, Self.text.uppercased(), Self.text.utf8.count, 0) == Self.text.utf8.count
        )
        try Self.setTime(mapping)
        try await fixture.close(writer.handle)
        Glibc.close(mapping)
        try await eventually {
            fixture.cloud.content(at: "/a.txt") == Array(Self.text.uppercased().utf8)
        }
        try await fixture.close(reader.handle)
    }

    /// Gives a file always the same old time of modification.
    private static func setTime(_ file: Int32) throws {
        let time = timespec(tv_sec: 1_000_000_000, tv_nsec: 0)
        try #require(futimens(file, [time, time]) == 0)
    }

    /// A mapping may outlive the file it was made by, and its readers.
    @Test func aFileStaysOpenForWritingWhileItIsMapped() async throws {
        let (fixture, kernel) = try await Self.make()
        let reader = try await fixture.openedByTheKernel("/a.txt")
        let writer = try await fixture.opened("/a.txt", [.read, .write])
        let mapping = try kernel.file(writer.backing, O_RDWR)
        try await fixture.close(writer.handle)
        try await fixture.close(reader.handle)
        #expect(kernel.count == 1)
        #expect(fixture.cloud.ownLockCount == 1)
        #expect(pwrite(mapping, "LATE!", 5, 4) == 5)
        Glibc.close(mapping)
        try await eventually { kernel.count == 0 && fixture.cloud.ownLockCount == 0 }
        try await eventually {
            fixture.cloud.content(at: "/a.txt") == Array("the LATE! content of a file".utf8)
        }
        #expect(try await fixture.read("/a.txt") == "the LATE! content of a file")
    }

    /// Who maps it for reading goes on seeing what others write.
    @Test func aMappedFileIsFollowedAfterItsClose() async throws {
        let (fixture, kernel) = try await Self.make()
        let reader = try await fixture.openedByTheKernel("/a.txt")
        let mapping = try kernel.file(reader.backing, O_RDONLY)
        try await fixture.close(reader.handle)
        try await fixture.save("something else, by now", to: "/a.txt")
        var bytes = [UInt8](repeating: 0, count: 9)
        #expect(pread(mapping, &bytes, 9, 0) == 9)
        #expect(String(decoding: bytes, as: UTF8.self) == "something")
        Glibc.close(mapping)
        try await eventually { kernel.count == 0 }
        #expect(try await fixture.read("/a.txt") == "something else, by now")
    }

    /// The end of the mount keeps what a mapping has been given until then.
    @Test func theEndKeepsWhatIsMapped() async throws {
        let (fixture, kernel) = try await Self.make()
        _ = try await fixture.openedByTheKernel("/a.txt")
        let writer = try await fixture.opened("/a.txt", [.read, .write])
        let mapping = try kernel.file(writer.backing, O_RDWR)
        try await fixture.close(writer.handle)
        #expect(pwrite(mapping, "KEPT!", 5, 4) == 5)
        await fixture.fileSystem.shutdown()
        Glibc.close(mapping)
        let again = try await fixture.restart()
        #expect(try await again.read("/a.txt") == "the KEPT! content of a file")
    }

    /// Opening a file for writing costs the cache nothing as long as nobody writes.
    @Test func aLookByAWriterKeepsTheCache() async throws {
        let (fixture, kernel) = try await Self.make()
        let reader = try await fixture.openedByTheKernel("/a.txt")
        let writer = try await fixture.opened("/a.txt", [.write])
        try await fixture.close(writer.handle)
        try await fixture.close(reader.handle)
        fixture.cloud.resetCounts()
        #expect(try await fixture.read("/a.txt") == Self.text)
        #expect(fixture.cloud.count(of: .download) == 0)
        #expect(kernel.count == 0)
    }
}

extension Fixture {
    /// Reads as FUSE threads do: what is not here is waited for.
    fileprivate func readAsTheKernel(
        _ handle: UInt64, at offset: Int64, count: Int
    ) async throws(FileSystemError) {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        defer { bytes.deallocate() }
        if case .later = fileSystem.readNow(handle: handle, offset: offset, into: bytes) {
            _ = try await fileSystem.read(handle: handle, offset: offset, count: count).get()
        }
    }

    /// Opens a file that the kernel is to read, and that nobody has open. Other tests' new child processes
    /// have a copy of every descriptor for an instant, by which the file is not the cache's alone.
    fileprivate func openedByTheKernel(_ path: String) async throws -> OpenedFile {
        for _ in 0..<1000 {
            let file = try await opened(path, [.read])
            if file.backing != nil { return file }
            try await close(file.handle)
        }
        throw FileSystemError(.inputOutput, "the kernel never reads \(path)")
    }
}
