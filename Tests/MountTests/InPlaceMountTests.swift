import CloudStorage
import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// Programs that open files for reading and writing, which the kernel then reads and writes by itself
/// where it can: as root, since Linux 6.9. Elsewhere they see the same by the driver.
@Suite(.serialized) struct InPlaceMountTests {
    private static let size = 1 << 20

    /// Mounts a cloud where another client has put a file of 1 MiB, `a.bin`, which is here by then.
    private static func with(
        _ kind: CloudKind, options: [String] = [],
        _ body: (MountedCloud, any CloudStorage, [UInt8]) async throws -> Void
    ) async throws {
        try await MountedCloud.with(kind, options: ["--poll", "1"] + options) {
            (mounted) async throws -> Void in
            let bob = try await mounted.bob()
            let folder = try TemporaryFolder()
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 29 &+ $0 >> 9) }
            _ = try await bob.upload(content, name: "a.bin", to: mounted.server.top, from: folder)
            try await eventually(within: .seconds(30), "the file") {
                try await mounted.attempt("cat a.bin > $W/copy").exitCode == 0
            }
            try await body(mounted, bob, content)
        }
    }

    /// Nil where there is no such file, as in the middle of a replacement.
    private static func stored(
        _ name: String, _ mounted: MountedCloud, _ bob: any CloudStorage
    ) async throws -> [UInt8]? {
        guard let item = try await bob.entries(of: mounted.server.top)[name] else { return nil }
        return try await bob.bytes(of: item)
    }

    /// The driver is stopped meanwhile; what is written is known, and sent, as soon as it goes on.
    @Test(arguments: clouds)
    func programsWorkWithoutTheDriver(_ kind: CloudKind) async throws {
        guard MountedCloud.kernelTakesFiles else { return try await Self.with(kind) { _, _, _ in } }
        try await Self.with(kind) { mounted, bob, content in
            let said = try await mounted.shell(
                """
                cat > $W/program.py <<'END'
                import os, signal, sys
                files = [os.open(name, os.O_RDWR | os.O_CREAT) for name in ("a.bin", "new.bin")]
                for file in files: os.pwrite(file, b"first", 0)
                os.kill(int(sys.argv[1]), signal.SIGSTOP)
                for place in range(0, 100_000, 100):
                    for file in files: os.pwrite(file, b"%100d" % place, place)
                assert all(os.pread(file, 100, 7000) == b"%100d" % 7000 for file in files)
                os.kill(int(sys.argv[1]), signal.SIGCONT)
                sizes = [os.fstat(file).st_size for file in files]
                assert sizes == [os.stat(name).st_size for name in ("a.bin", "new.bin")]
                for file in files: os.close(file)
                print(*sizes)
                END
                timeout -s KILL 20 python3 $W/program.py \(mounted.processID) && said=0 || said=$?
                kill -CONT \(mounted.processID)
                [ $said = 0 ]; stat -c %s a.bin new.bin; cat a.bin new.bin | sha256sum
                """)
            let written = (0..<1000).flatMap { place -> [UInt8] in
                let text = String(place * 100)
                return [UInt8](repeating: 32, count: 100 - text.utf8.count) + Array(text.utf8)
            }
            let lines = said.split(separator: "\n")
            #expect(lines.prefix(3) == ["\(Self.size) 100000", "\(Self.size)", "100000"])
            try await mounted.sync()
            let whole = written + content[100_000...]
            #expect(try await Self.stored("a.bin", mounted, bob) == whole)
            #expect(try await Self.stored("new.bin", mounted, bob) == written)
            try Data(whole + written).write(to: URL(fileURLWithPath: mounted.home.path + "/both"))
            let sum = try await mounted.shell("sha256sum < $W/both")
            #expect(lines.last.map(String.init) == sum.trimmingCharacters(in: .newlines))
        }
    }

    /// Other programs see every change at once, and what they change themselves comes to the same file.
    @Test(arguments: clouds)
    func everybodySeesTheSameFile(_ kind: CloudKind) async throws {
        try await Self.with(kind) { mounted, bob, content in
            _ = try await mounted.python(
                """
                import mmap, subprocess
                def other(script): subprocess.run(["bash", "-euc", script], check=True)
                file = os.open("a.bin", os.O_RDWR)
                os.pwrite(file, b"ONE", 0)
                other("[ $(head -c 3 a.bin) = ONE ]; printf TWO | dd of=a.bin conv=notrunc status=none")
                assert os.pread(file, 3, 0) == b"TWO"
                other("printf END >> a.bin; [ $(stat -c %s a.bin) = \(Self.size + 3) ]")
                assert os.pread(file, 10, \(Self.size)) == b"END"
                assert os.fstat(file).st_size == \(Self.size + 3)
                view = mmap.mmap(file, 4096)
                view[100:104] = b"MAPS"
                other("[ $(dd if=a.bin bs=1 skip=100 count=4 status=none) = MAPS ]")
                other("truncate -s 8192 a.bin; mv a.bin b.bin; [ $(stat -c %s b.bin) = 8192 ]")
                assert os.fstat(file).st_size == 8192
                os.utime("b.bin", (1000, 1000))
                assert os.stat("b.bin").st_mtime == 1000
                os.close(file)
                view[200:204] = b"LATE"
                view.close()
                other("[ $(dd if=b.bin bs=1 skip=200 count=4 status=none) = LATE ]")
                """)
            try await mounted.sync()
            var expected = Array(content[..<8192])
            expected.replaceSubrange(0..<3, with: Array("TWO".utf8))
            expected.replaceSubrange(100..<104, with: Array("MAPS".utf8))
            expected.replaceSubrange(200..<204, with: Array("LATE".utf8))
            let wanted = expected
            try await eventually(within: .seconds(60), "the stores on the server") {
                try await Self.stored("b.bin", mounted, bob) == wanted
            }
            #expect(try await mounted.attempt("[ -e a.bin ]").exitCode == 1)
        }
    }

    /// What is stored to a mapping comes to its place, although the descriptor appends what is written: where
    /// the kernel writes by itself, and where the driver does, since somebody only writes.
    @Test(arguments: clouds)
    func storesOfAnAppenderStayInTheirPlace(_ kind: CloudKind) async throws {
        try await Self.with(kind) { mounted, bob, content in
            _ = try await mounted.python(
                """
                import mmap
                def store(place, text):
                    file = os.open("a.bin", os.O_RDWR | os.O_APPEND)
                    view = mmap.mmap(file, 16384)
                    view[place:place + 4] = text
                    view.flush()
                    view.close()
                    os.fsync(file)
                    os.close(file)
                    assert os.stat("a.bin").st_size == \(Self.size), os.stat("a.bin").st_size
                store(5000, b"LONE")
                writer = os.open("a.bin", os.O_WRONLY)
                store(9000, b"BOTH")
                os.close(writer)
                """)
            try await mounted.sync()
            var expected = content
            expected.replaceSubrange(5000..<5004, with: Array("LONE".utf8))
            expected.replaceSubrange(9000..<9004, with: Array("BOTH".utf8))
            let wanted = expected
            try await eventually(within: .seconds(60), "the stores on the server") {
                try await Self.stored("a.bin", mounted, bob) == wanted
            }
        }
    }

    /// A database at work, which lays its own order into its writes: what is sent while it is open is
    /// a state that it was in, and the last one arrives.
    @Test(arguments: [CloudKind.leitzCloud(ServerBehaviour()), .webDAV(.apache)])
    func aDatabaseIsSentInOnePiece(_ kind: CloudKind) async throws {
        try await Self.with(kind) { mounted, bob, _ in
            let script = """
                import sqlite3
                base = sqlite3.connect("base.db", isolation_level=None)
                base.execute("create table t(id integer primary key, text)")
                def fill():
                    for _ in range(50): base.execute("insert into t(text) values(?)", ("x" * 500,))
                fill()
                pause()
                fill()
                print(base.execute("pragma integrity_check").fetchone()[0])
                base.close()
                """
            let check = "sqlite3.connect(sys.argv[1]).execute"
            func count() async throws -> String {
                guard let base = try await Self.stored("base.db", mounted, bob) else { return "" }
                try Data(base).write(to: URL(fileURLWithPath: mounted.home.path + "/base.db"))
                return try await mounted.shell(
                    """
                    python3 -c 'import sqlite3, sys
                    ask = \(check)
                    print(*ask("pragma integrity_check").fetchone(), *ask("select count(*) from t").fetchone())
                    ' $W/base.db
                    """
                ).trimmingCharacters(in: .newlines)
            }
            let said = try await mounted.python(script) {
                try await eventually(within: .seconds(60), "the open database on the server") {
                    try await count() == "ok 50"
                }
            }
            #expect(said == "ok")
            try await mounted.sync()
            #expect(try await count() == "ok 100")
        }
    }

    /// The driver is killed below a program: what was synced is kept, the program is told when it syncs
    /// or closes, and what it writes until it closes is taken up by the next run.
    @Test(arguments: clouds)
    func aKillBelowAProgramLosesNothing(_ kind: CloudKind) async throws {
        try await Self.with(kind, options: ["--sync=none"]) { mounted, bob, content in
            let script = """
                import signal
                file = os.open("a.bin", os.O_RDWR)
                os.pwrite(file, b"synced", 0)
                os.fsync(file)
                os.kill(\(mounted.processID), signal.SIGKILL)
                pause()
                said = word(os.pwrite, file, b"later", 100)
                print(said, word(os.fsync, file), word(os.close, file))
                """
            let said = try await mounted.python(script) {
                await mounted.killDriver()
                try await mounted.clearDeadMount()
                try await mounted.mount()
            }
            let words = said.split(separator: " ")
            #expect(words.suffix(2) == ["ENOTCONN", "ENOTCONN"])
            var expected = content
            expected.replaceSubrange(0..<6, with: Array("synced".utf8))
            if words.first == "ok" {
                #expect(MountedCloud.kernelTakesFiles)
                expected.replaceSubrange(100..<105, with: Array("later".utf8))
            }
            let wanted = expected
            try await eventually(within: .seconds(60), "what was written on the server") {
                // wsgidav never ends an answer whose file is replaced meanwhile.
                try await mounted.sync()
                return try await Self.stored("a.bin", mounted, bob) == wanted
            }
            #expect(try await mounted.status().unsent.isEmpty)
        }
    }
}
