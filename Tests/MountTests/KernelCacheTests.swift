import CloudStorage
import TestSupport
import Testing

/// What the kernel answers by itself, counted by the requests that the driver reads.
@Suite(.serialized) struct KernelCacheTests {
    private static let prelude = """
        def requests(body):
            def count(): return int(open("/proc/PID/io").read().split("syscr: ")[1].split()[0])
            before = count(); body(); return count() - before
        """

    /// Programs look again and again for files that are not there: `.git`, `data.db-wal`, a library's
    /// next folder. What another client, or another program, makes meanwhile is there for them.
    @Test(arguments: [clouds[0], .webDAV(.apache)])
    func aMissingNameIsAskedForOnce(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: ["--poll", "1"]) {
            (mounted) async throws -> Void in
            try await mounted.shell("echo a > there; ls > /dev/null")
            _ = try await mounted.python(
                """
                \(Self.prelude.replacing("PID", with: "\(mounted.processID)"))
                def look():
                    for _ in range(2000): assert not os.path.exists("missing")
                asked = requests(look)
                assert asked < 1000, asked
                open("missing", "w").close()
                assert os.path.exists("missing")
                os.unlink("missing")
                assert not os.path.exists("missing")
                os.rename("there", "missing")
                assert os.path.exists("missing") and not os.path.exists("there")
                """)
            let bob = try await mounted.bob()
            let folder = try TemporaryFolder()
            _ = try await bob.upload(
                Array("theirs".utf8), name: "theirs", to: mounted.server.top, from: folder)
            try await eventually("another client's file, that was asked for without end") {
                try await mounted.attempt("[ -e theirs ]").exitCode == 0
            }
        }
    }

    /// A program that reads and writes a file in turn reads it from memory.
    @Test func aWriteLeavesTheOtherPagesOfItsFile() async throws {
        try await MountedCloud.with { mounted in
            _ = try await mounted.python(
                """
                \(Self.prelude.replacing("PID", with: "\(mounted.processID)"))
                size = 8 << 20
                content = bytearray(os.urandom(size))
                file = os.open("data", os.O_RDWR | os.O_CREAT)
                os.write(file, content)
                assert os.pread(file, size, 0) == content
                def use():
                    for place in range(10):
                        content[place] = 65
                        os.pwrite(file, b"A", place)
                        os.fstat(file)
                        assert os.pread(file, size, 0) == content
                asked = requests(use)
                assert asked < 100, asked
                other = os.open("data", os.O_RDONLY)
                assert os.pread(other, size, 0) == content
                os.truncate("data", size // 2)
                assert os.pread(file, size, 0) == content[:size // 2]
                os.ftruncate(file, size)
                assert os.pread(other, size, 0) == content[:size // 2] + bytes(size // 2)
                os.close(file); os.close(other)
                """)
        }
    }
}
