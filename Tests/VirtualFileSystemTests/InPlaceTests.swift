import CloudStorage
import FileSystemTypes
import Glibc
import TestSupport
import Testing

import VirtualFileSystem

/// Files that the kernel reads and writes by itself, for programs that open them for both.
@Suite struct InPlaceTests {
    private static let text = "the first content of a file"

    /// A mount whose file is on the server, and in the cache; the test carries out its jobs.
    private static func make(
        _ cloud: ModelCloud = ModelCloud()
    ) async throws -> (Fixture, HandedFiles) {
        let fixture = try await Fixture.makeByHand(cloud: cloud)
        let kernel = HandedFiles()
        fixture.fileSystem.setBackingFiles(kernel)
        try await fixture.save(text, to: "/a.txt")
        await fixture.work()
        #expect(fixture.cloud.content(at: "/a.txt") == Array(text.utf8))
        fixture.cloud.resetCounts()
        return (fixture, kernel)
    }

    private static func server(_ fixture: Fixture) -> String? {
        fixture.cloud.content(at: "/a.txt").map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func whatTheKernelWritesIsSeenAndSent() async throws {
        let (fixture, kernel) = try await Self.make()
        let before = try await fixture.attributes("/a.txt").modified
        let file = try await fixture.openedInPlace("/a.txt")
        #expect(file.backing?.isOnlyMapped == false)
        #expect(try kernel.text(file.backing) == Self.text)
        try kernel.write("THE", file.backing)
        try kernel.write(", and more", at: Self.text.utf8.count, file.backing)
        let now = "THE first content of a file, and more"
        let attributes = try await fixture.attributes("/a.txt")
        #expect(attributes.size == Int64(now.utf8.count))
        #expect(attributes.modified > before)
        #expect(try await fixture.read(handle: file.handle) == now)
        // Who opens it meanwhile has the same file.
        let reader = try await fixture.opened("/a.txt", [.read])
        #expect(reader.backing == file.backing)
        try await fixture.close(reader.handle)
        await fixture.work()
        #expect(Self.server(fixture) == Self.text)
        try await fixture.close(file.handle)
        #expect(kernel.count == 0)
        #expect(try await fixture.attributes("/a.txt").modified == attributes.modified)
        await fixture.work()
        #expect(Self.server(fixture) == now)
        fixture.cloud.resetCounts()
        #expect(try await fixture.read("/a.txt") == now)
        #expect(fixture.cloud.count(of: .download) == 0)
    }

    @Test func aNewFileIsTheKernelsToo() async throws {
        let (fixture, kernel) = try await Self.make()
        let root = try await fixture.node("/")
        let made = try await fixture.fileSystem.create(
            parent: root, name: "new", mode: 0o600, options: [.read, .write],
            caller: fixture.caller
        ).value()
        try #require(made.file.backing?.isOnlyMapped == false)
        try kernel.write("new", made.file.backing)
        try await fixture.close(made.file.handle)
        await fixture.work()
        #expect(fixture.cloud.content(at: "/new") == Array("new".utf8))
    }

    @Test func whoOnlyLooksChangesNothing() async throws {
        let (fixture, kernel) = try await Self.make()
        let before = try await fixture.attributes("/a.txt")
        let file = try await fixture.openedInPlace("/a.txt")
        #expect(try kernel.text(file.backing) == Self.text)
        try await fixture.fileSystem.fsync(handle: file.handle, dataOnly: false).value()
        try await fixture.close(file.handle)
        #expect(try await fixture.attributes("/a.txt") == before)
        await fixture.work()
        #expect(fixture.cloud.count(of: .upload) == 0)
        #expect(try await fixture.read("/a.txt") == Self.text)
        #expect(fixture.cloud.count(of: .download) == 0)
    }

    @Test func aTimeThatAProgramSetsStays() async throws {
        let (fixture, kernel) = try await Self.make(.addressingByPath(setsTimes: true))
        let file = try await fixture.openedInPlace("/a.txt")
        try kernel.write("THE", file.backing)
        var changes = AttributeChanges()
        changes.modified = .time(FileTime(seconds: 1_000_000_000))
        _ = try await fixture.fileSystem.setattr(
            node: try await fixture.node("/a.txt"), changes: changes, handle: nil,
            caller: fixture.caller
        ).value()
        try await fixture.close(file.handle)
        #expect(try await fixture.attributes("/a.txt").modified.seconds == 1_000_000_000)
        await fixture.work()
        #expect(fixture.cloud.modified(at: "/a.txt") == 1_000_000_000)
        #expect(try await fixture.attributes("/a.txt").modified.seconds == 1_000_000_000)
    }

    /// What fsync has confirmed is sent while the file is open; what is written since is not.
    @Test func aCopyIsSentWhileTheFileIsOpen() async throws {
        let (fixture, kernel) = try await Self.make()
        let file = try await fixture.openedInPlace("/a.txt")
        try kernel.write("ONE", file.backing)
        try await fixture.fileSystem.fsync(handle: file.handle, dataOnly: false).value()
        await fixture.work()
        #expect(Self.server(fixture) == "ONE first content of a file")
        try kernel.write("TWO", file.backing)
        try await fixture.fileSystem.fsync(handle: file.handle, dataOnly: false).value()
        try kernel.write("SIX", file.backing)
        await fixture.work()
        #expect(Self.server(fixture) == "ONE first content of a file")
        try await fixture.close(file.handle)
        await fixture.work()
        #expect(Self.server(fixture) == "SIX first content of a file")
        #expect(fixture.cloud.count(of: .upload) == 2)
    }

    /// A store to a mapping that was under way while the copy was made may leave no trace but itself.
    @Test func whatLeftNoTraceIsSentAfterTheClose() async throws {
        let (fixture, kernel) = try await Self.make()
        let file = try await fixture.openedInPlace("/a.txt")
        try kernel.write("ONE", file.backing)
        try await fixture.fileSystem.fsync(handle: file.handle, dataOnly: false).value()
        await fixture.work()
        #expect(Self.server(fixture) == "ONE first content of a file")
        let program = try kernel.file(file.backing, O_RDWR)
        let (seconds, nanoseconds) = modificationTime(of: program)
        let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))
        #expect(pwrite(program, "TWO", 3, 0) == 3)
        try #require(futimens(program, [time, time]) == 0)
        Glibc.close(program)
        try await fixture.close(file.handle)
        await fixture.work()
        #expect(Self.server(fixture) == "TWO first content of a file")
        #expect(fixture.cloud.count(of: .upload) == 2)
        #expect(try await fixture.read("/a.txt") == "TWO first content of a file")
    }

    /// The content that a close has confirmed stays whole until the next one, whatever comes in between.
    @Test func confirmedContentSurvivesAKill() async throws {
        let (fixture, kernel) = try await Self.make()
        try await fixture.save("confirmed", to: "/a.txt")
        let file = try await fixture.openedInPlace("/a.txt")
        try kernel.write("destroyed", file.backing)
        let again = try await fixture.restartByHand()
        #expect(try await again.read("/a.txt") == "confirmed")
        await again.work()
        #expect(Self.server(again) == "confirmed")
        await again.fileSystem.shutdown()
    }

    @Test func whatFsyncConfirmedSurvivesAKill() async throws {
        let (fixture, kernel) = try await Self.make()
        let file = try await fixture.openedInPlace("/a.txt", .truncate)
        #expect(try kernel.text(file.backing) == "")
        try kernel.write("synced", file.backing)
        try await fixture.fileSystem.fsync(handle: file.handle, dataOnly: false).value()
        let again = try await fixture.restartByHand()
        await again.work()
        #expect(Self.server(again) == "synced")
        await again.fileSystem.shutdown()
    }

    /// A program that has the file open when the driver is killed goes on writing, and is told at its close
    /// at the earliest: the next run takes that up as long as it lasts.
    @Test func aProgramThatOutlivesTheDriverIsFollowed() async throws {
        let (fixture, kernel) = try await Self.make()
        let file = try await fixture.openedInPlace("/a.txt")
        let program = try kernel.file(file.backing, O_RDWR)
        #expect(pwrite(program, "ONE", 3, 0) == 3)
        try await fixture.fileSystem.fsync(handle: file.handle, dataOnly: false).value()
        #expect(pwrite(program, "TWO, longer than what fsync has confirmed", 41, 0) == 41)
        let again = try await fixture.restartByHand(opened: true)
        #expect(try await again.read("/a.txt") == "TWO, longer than what fsync has confirmed")
        #expect(pwrite(program, "SIX", 3, 0) == 3)
        Glibc.close(program)
        try await eventually {
            await again.work()
            return Self.server(again) == "SIX, longer than what fsync has confirmed"
        }
        await again.fileSystem.shutdown()
    }

    /// A mapping, or another process' copy of the descriptor, may outlive the close.
    @Test func aFileStaysOpenWhileItIsMapped() async throws {
        let (fixture, kernel) = try await Self.make()
        let file = try await fixture.openedInPlace("/a.txt")
        let mapping = try kernel.file(file.backing, O_RDWR)
        try await fixture.close(file.handle)
        #expect(kernel.count == 1)
        #expect(pwrite(mapping, "LATE!", 5, 4) == 5)
        Glibc.close(mapping)
        try await eventually { kernel.count == 0 }
        await fixture.work()
        #expect(Self.server(fixture) == "the LATE! content of a file")
        #expect(try await fixture.read("/a.txt") == "the LATE! content of a file")
    }

    /// Who has closed last has only read, but another program still stores to what it has mapped.
    @Test func whatIsStoredAfterAReadersCloseIsSent() async throws {
        let (fixture, kernel) = try await Self.make()
        let writer = try await fixture.openedInPlace("/a.txt")
        let reader = try await fixture.opened("/a.txt", [.read])
        let mapping = try kernel.file(writer.backing, O_RDWR)
        try await fixture.close(writer.handle)
        try await fixture.close(reader.handle)
        #expect(kernel.count == 1)
        #expect(pwrite(mapping, "LATE!", 5, 4) == 5)
        try await eventually {
            await fixture.work()
            return Self.server(fixture) == "the LATE! content of a file"
        }
        Glibc.close(mapping)
        try await eventually { kernel.count == 0 }
        await fixture.fileSystem.shutdown()
    }

    /// Who asks for all to be sent need not wait until the mapping is looked at next.
    @Test func aSyncSendsWhatIsMapped() async throws {
        let (fixture, kernel) = try await Self.make()
        let file = try await fixture.openedInPlace("/a.txt")
        let mapping = try kernel.file(file.backing, O_RDWR)
        try await fixture.close(file.handle)
        for round in 10..<20 {
            #expect(pwrite(mapping, "no. \(round)", 6, 0) == 6)
            await fixture.fileSystem.sendNow(below: [])
            await fixture.work()
            #expect(Self.server(fixture)?.hasPrefix("no. \(round)") == true)
        }
        Glibc.close(mapping)
        try await eventually { kernel.count == 0 }
        await fixture.fileSystem.shutdown()
    }

    /// A look at the attributes leaves the local file as it is: to set its time would wait for a write that
    /// is under way, and all other programs with it.
    @Test func aLookDoesNotTouchTheFile() async throws {
        let (fixture, kernel) = try await Self.make()
        let file = try await fixture.openedInPlace("/a.txt")
        try kernel.write("ONE", file.backing)
        let written = try kernel.modified(file.backing)
        #expect(try await fixture.attributes("/a.txt").modified == written)
        #expect(try kernel.modified(file.backing) == written)
        try kernel.write("TWO", file.backing)
        try await fixture.fileSystem.fsync(handle: file.handle, dataOnly: false).value()
        #expect(try kernel.modified(file.backing) < written)
        await fixture.work()
        #expect(Self.server(fixture) == "TWO first content of a file")
        try await fixture.close(file.handle)
    }

    /// A reader that stays keeps the file, of which the server gets a copy.
    @Test func aReaderMayStayLonger() async throws {
        let (fixture, kernel) = try await Self.make()
        let writer = try await fixture.openedInPlace("/a.txt")
        let reader = try await fixture.opened("/a.txt", [.read])
        try kernel.write("ONE", writer.backing)
        try await fixture.close(writer.handle)
        await fixture.work()
        #expect(Self.server(fixture) == "ONE first content of a file")
        let next = try await fixture.opened("/a.txt", [.read, .write])
        #expect(next.backing == reader.backing)
        try kernel.write("TWO", next.backing)
        #expect(try kernel.text(reader.backing) == "TWO first content of a file")
        try await fixture.close(next.handle)
        try await fixture.close(reader.handle)
        #expect(kernel.count == 0)
        await fixture.work()
        #expect(Self.server(fixture) == "TWO first content of a file")
    }

    /// The kernel can't refuse what the server will not take: the program learns of it when it closes.
    @Test func whatIsTooLargeIsRefusedAtItsClose() async throws {
        let (fixture, kernel) = try await Self.make()
        fixture.cloud.set(quota: nil, policy: StoragePolicy(maximumFileSize: 30))
        await fixture.fileSystem.refreshAccount()
        let file = try await fixture.openedInPlace("/a.txt")
        try kernel.write("0123456789", at: 25, file.backing)
        let refusals = [
            await code { () async throws(FileSystemError) in
                try await fixture.fileSystem.fsync(handle: file.handle, dataOnly: false).value()
            },
            await code { () async throws(FileSystemError) in
                try await fixture.fileSystem.flush(handle: file.handle).value()
            },
        ]
        #expect(refusals == [.tooLarge, .tooLarge])
        #expect(try await fixture.read(handle: file.handle).hasSuffix("0123456789"))
        var changes = AttributeChanges()
        changes.size = 3
        _ = try await fixture.fileSystem.setattr(
            node: try await fixture.node("/a.txt"), changes: changes, handle: file.handle,
            caller: fixture.caller
        ).value()
        #expect(try kernel.text(file.backing) == "the")
        try await fixture.close(file.handle)
        await fixture.work()
        #expect(Self.server(fixture) == "the")
    }

    /// What is written, and unseen so far, counts as unsent: another client's removal does not take it away.
    @Test func anotherClientsRemovalKeepsWhatIsWritten() async throws {
        let (fixture, kernel) = try await Self.make()
        let file = try await fixture.openedInPlace("/a.txt")
        try kernel.write("ONE", file.backing)
        fixture.cloud.deleteByOther(at: "/a.txt")
        try await fixture.look("/")
        try await fixture.close(file.handle)
        await fixture.work()
        #expect(Self.server(fixture) == "ONE first content of a file")
    }

    /// Calls that come to the driver make their change in the same file.
    @Test func theDriversChangesAreInTheSameFile() async throws {
        let (fixture, kernel) = try await Self.make()
        let file = try await fixture.openedInPlace("/a.txt")
        try kernel.write("ONE", file.backing)
        let appender = try await fixture.opened("/a.txt", [.write, .append])
        #expect(appender.backing == file.backing)
        _ = try await fixture.fileSystem.fallocate(
            handle: file.handle, mode: .zeroRange(keepSize: false), range: ByteRange(25, 30)
        ).value()
        #expect(try kernel.text(file.backing) == "ONE first content of a fi\0\0\0\0\0")
        let source = try await fixture.create("/b.txt")
        try await fixture.write("copied", handle: source)
        let count = try await fixture.fileSystem.copyFileRange(
            from: source, at: 0, to: file.handle, at: 0, count: 6
        ).value()
        #expect(count == 6)
        try await fixture.close(source)
        try await fixture.close(appender.handle)
        try await fixture.close(file.handle)
        await fixture.work()
        #expect(Self.server(fixture) == "copiedrst content of a fi\0\0\0\0\0")
    }

    /// The time of the local file tells one content from the next, for uploads that go on after a failure.
    @Test func eachOpeningHasItsOwnTime() async throws {
        let (fixture, kernel) = try await Self.make()
        var times: Set<Int64> = []
        for _ in 0..<5 {
            let file = try await fixture.openedInPlace("/a.txt")
            times.insert(try kernel.modified(file.backing).nanosecondsSince1970)
            try await fixture.close(file.handle)
        }
        #expect(times.count == 5)
    }

    /// The kernel may write back what was stored to a mapping by a handle that appends.
    @Test func pagesAreWrittenWhereTheyBelong() async throws {
        let (fixture, _) = try await Self.make()
        let appender = try await fixture.opened("/a.txt", [.write, .append])
        let outcome = Array("THE".utf8).withUnsafeBytes {
            fixture.fileSystem.write(
                handle: appender.handle, offset: 0, bytes: $0, isPage: true)
        }
        #expect(try await outcome.value() == 3)
        try await fixture.write("!", handle: appender.handle)
        try await fixture.close(appender.handle)
        await fixture.work()
        #expect(Self.server(fixture) == "THE first content of a file!")
    }

    /// Where the kernel takes no files the driver writes, as for programs that only write.
    @Test func theDriverWritesWhereTheKernelCant() async throws {
        let (fixture, kernel) = try await Self.make()
        let stream = try await fixture.opened("/a.txt", [.write])
        #expect(stream.backing == nil)
        // The kernel wants all to go one way.
        let both = try await fixture.opened("/a.txt", [.read, .write])
        #expect(both.backing == nil)
        try await fixture.close(stream.handle)
        try await fixture.close(both.handle)
        kernel.refuse()
        let refused = try await fixture.opened("/a.txt", [.read, .write])
        #expect(refused.backing == nil)
        try await fixture.write("ONE", handle: refused.handle)
        try await fixture.close(refused.handle)
        await fixture.work()
        #expect(Self.server(fixture) == "ONE first content of a file")
    }
}
