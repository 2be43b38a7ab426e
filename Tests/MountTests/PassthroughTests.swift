import CloudStorage
import Foundation
import TestSupport
import Testing

/// Complete files, which the kernel reads by itself where it can: as root, since Linux 6.9. Elsewhere
/// programs see the same by the driver.
@Suite(.serialized) struct PassthroughTests {
    private static let mebibyte = 1 << 20

    /// Mounts a cloud where another client has put a file of 4 MiB, `a.bin`, which is here by then and
    /// known to be the server's.
    private static func with(
        _ kind: CloudKind, options: [String] = [],
        _ body: (MountedCloud, any CloudStorage, [UInt8]) async throws -> Void
    ) async throws {
        try await MountedCloud.with(kind, options: ["--poll", "1"] + options) {
            (mounted) async throws -> Void in
            let bob = try await mounted.bob()
            let folder = try TemporaryFolder()
            let content = (0..<(4 * mebibyte)).map {
                UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11)
            }
            _ = try await bob.upload(content, name: "a.bin", to: mounted.server.top, from: folder)
            try await eventually(within: .seconds(30), "the file") {
                try await mounted.attempt("cat a.bin > $W/copy").exitCode == 0
            }
            if MountedCloud.kernelTakesFiles {
                try await eventually(within: .seconds(30), "the kernel's reading") {
                    try await mounted.readsWithoutItsDriver
                }
            }
            try await body(mounted, bob, content)
        }
    }

    private static let prelude = """
        import hashlib, mmap
        def whole(file):
            text, place = b"", 0
            while True:
                piece = os.pread(file, 1 << 20, place)
                if not piece: return text
                text, place = text + piece, place + len(piece)
        def digest(text): return hashlib.sha256(text).hexdigest()
        """

    @Test(arguments: clouds)
    func readersSeeWhatOthersDo(_ kind: CloudKind) async throws {
        try await Self.with(kind) { mounted, _, _ in
            _ = try await mounted.python(
                """
                \(Self.prelude)
                import subprocess
                with open(os.path.join(os.path.dirname(sys.argv[1]), "copy"), "rb") as file:
                    old = file.read()
                reader = os.open("a.bin", os.O_RDONLY)
                view = mmap.mmap(reader, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
                assert whole(reader) == old
                def other(script): subprocess.run(["bash", "-euc", script], check=True)
                other("printf END >> a.bin")
                assert os.fstat(reader).st_size == len(old) + 3
                assert whole(reader) == old + b"END"
                other("printf NEW | dd of=a.bin conv=notrunc status=none")
                assert view[:3] == b"NEW" and whole(reader) == b"NEW" + old[3:] + b"END"
                other("truncate -s 8192 a.bin")
                assert whole(reader) == b"NEW" + old[3:8192]
                writer = os.open("a.bin", os.O_RDWR)
                os.pwrite(writer, b"more", 8192)
                assert os.pread(writer, 10, 8190) == old[8190:8192] + b"more"
                assert os.pread(reader, 10, 8190) == old[8190:8192] + b"more"
                assert view[:3] == b"NEW"
                os.close(writer)
                other("cp a.bin b.bin; cmp a.bin b.bin; [ $(stat -c %s a.bin) = 8196 ]")
                os.close(reader)
                assert view[:3] == b"NEW"
                other("printf EWE | dd of=a.bin conv=notrunc status=none")
                assert view[:3] == b"EWE"
                view.close()
                assert load("a.bin") == b"EWE" + old[3:8192] + b"more"
                """)
            try await mounted.sync()
            try await mounted.shell(
                "cat a.bin > $W/now; cmp b.bin a.bin && exit 1 || cmp -i 3 b.bin a.bin")
            let bob = try await mounted.bob()
            let items = try await bob.entries(of: mounted.server.top)
            #expect(items["a.bin"]?.size == 8196)
            #expect(items["b.bin"]?.size == 8196)
        }
    }

    /// What is stored to a mapping reaches the server, also after the file was closed.
    @Test(arguments: clouds)
    func storesToMappingsReachTheServer(_ kind: CloudKind) async throws {
        try await Self.with(kind) { mounted, bob, content in
            _ = try await mounted.python(
                """
                reader = os.open("a.bin", os.O_RDONLY)
                import mmap
                writer = os.open("a.bin", os.O_RDWR)
                view = mmap.mmap(writer, 0)
                view[100:105] = b"first"
                os.fsync(writer)
                assert os.pread(reader, 5, 100) == b"first"
                assert os.pread(writer, 5, 100) == b"first"
                os.close(writer)
                view[1 << 20:(1 << 20) + 6] = b"second"
                os.close(reader)
                view[3 << 20:(3 << 20) + 5] = b"third"
                view.close()
                assert load("a.bin")[100:105] == b"first"
                """)
            var expected = content
            expected.replaceSubrange(100..<105, with: Array("first".utf8))
            expected.replaceSubrange(
                Self.mebibyte..<(Self.mebibyte + 6), with: Array("second".utf8))
            let third = 3 * Self.mebibyte
            expected.replaceSubrange(third..<(third + 5), with: Array("third".utf8))
            let wanted = expected
            try await eventually(within: .seconds(60), "the stores on the server") {
                let item = try await bob.entries(of: mounted.server.top)["a.bin"]
                guard let item else { return false }
                return try await bob.bytes(of: item) == wanted
            }
            try await mounted.sync()
            #expect(try await mounted.status().unsent.isEmpty)
        }
    }

    /// A kill in the middle keeps what fsync has confirmed, of writes and of stores to mappings.
    @Test(arguments: clouds)
    func whatWasSyncedSurvivesKill(_ kind: CloudKind) async throws {
        try await Self.with(kind, options: ["--sync=none"]) { mounted, bob, content in
            let killed = try await mounted.python(
                """
                import mmap, signal
                reader = os.open("a.bin", os.O_RDONLY)
                writer = os.open("a.bin", os.O_RDWR)
                view = mmap.mmap(writer, 0)
                view[0:6] = b"mapped"
                os.pwrite(writer, b"written", 4096)
                os.fsync(writer)
                os.kill(\(mounted.processID), signal.SIGKILL)
                print("killed")
                """)
            #expect(killed == "killed")
            await mounted.killDriver()
            try await mounted.clearDeadMount()
            try await mounted.mount()
            try await mounted.sync()
            var expected = content
            expected.replaceSubrange(0..<6, with: Array("mapped".utf8))
            expected.replaceSubrange(4096..<4103, with: Array("written".utf8))
            let item = try #require(try await bob.entries(of: mounted.server.top)["a.bin"])
            #expect(try await bob.bytes(of: item) == expected)
        }
    }

    /// Who has a file open keeps its version; who opens it then sees another client's.
    @Test(arguments: clouds)
    func anotherClientsVersionIsForNewOpens(_ kind: CloudKind) async throws {
        try await Self.with(kind) { mounted, bob, content in
            let folder = try TemporaryFolder()
            let item = try #require(try await bob.entries(of: mounted.server.top)["a.bin"])
            let theirs = [UInt8](repeating: 7, count: 2 * Self.mebibyte)
            _ = try await mounted.python(
                """
                \(Self.prelude)
                reader = os.open("a.bin", os.O_RDONLY)
                view = mmap.mmap(reader, 0, mmap.MAP_SHARED, mmap.PROT_READ)
                old = whole(reader)
                pause()
                deadline = time.monotonic() + 30
                def shown():
                    # Between the other client's removal and its upload there is no such file.
                    try: return load("a.bin")
                    except FileNotFoundError: return None
                while shown() != bytes([7]) * (2 << 20): assert time.monotonic() < deadline
                assert whole(reader) == old and view[:] == old
                """
            ) {
                try await bob.delete(item.reference)
                _ = try await bob.upload(
                    theirs, name: "a.bin", to: mounted.server.top, from: folder)
            }
            #expect(content.count == 4 * Self.mebibyte)
        }
    }
}

extension MountedCloud {
    /// Whether the kernel takes files here.
    static var kernelTakesFiles: Bool {
        var name = utsname()
        guard geteuid() == 0, uname(&name) == 0 else { return false }
        let release = withUnsafeBytes(of: &name.release) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return numbers.lexicographicallyPrecedes([6, 9]) == false
    }

    /// Whether the whole of `a.bin` is read while the driver is stopped, out of no page of the mount's: those
    /// that it has go with the second reading.
    fileprivate var readsWithoutItsDriver: Bool {
        get async throws {
            let outcome = try await attempt(
                """
                cat a.bin > /dev/null; exec 3< a.bin; cd /; echo 1 > /proc/sys/vm/drop_caches; kill -STOP \(processID)
                timeout -s KILL 5 python3 -c '
                import os, sys
                sys.exit(os.pread(3, 1 << 30, 0) != open(sys.argv[1], "rb").read())
                ' $W/copy && said=0 || said=$?
                kill -CONT \(processID); exit $said
                """)
            return outcome.exitCode == 0
        }
    }
}
