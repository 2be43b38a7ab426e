import CloudStorage
import TestSupport
import Testing

/// Listings that the kernel keeps, as programs see them.
@Suite(.serialized) struct ListingTests {
    /// The second listing comes from the kernel; changes of this machine and of others are in the next.
    @Test(arguments: clouds)
    func aKeptListingFollowsEveryChange(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: ["--poll", "1"]) {
            (mounted) async throws -> Void in
            try await mounted.shell("for i in $(seq 300); do echo $i > file-$i; done")
            try await mounted.sync()
            try await mounted.shell(
                """
                same() { ls > $W/seen; (ls -f | sort) > $W/raw; grep -vx '[.]*' $W/raw > $W/names
                    sort $W/seen | diff - $W/names; [ $(wc -l < $W/seen) = $1 ]; }
                same 300; same 300; same 300
                echo new > added; same 301; same 301; rm file-7; same 300; same 300
                mv file-8 renamed; same 300; mkdir folder; same 301; rmdir folder; same 300
                """)
            let bob = try await mounted.bob()
            let folder = try TemporaryFolder()
            let top = mounted.server.top
            _ = try await bob.upload(Array("theirs".utf8), name: "theirs", to: top, from: folder)
            try await eventually(within: .seconds(30), "another client's file") {
                try await mounted.attempt("ls").output.contains("theirs\n")
            }
            let items = try await bob.entries(of: top)
            try await bob.delete(try #require(items["file-9"]).reference)
            try await eventually(within: .seconds(30), "another client's removal") {
                try await !mounted.attempt("ls").output.contains("file-9\n")
            }
            try await mounted.shell("[ $(ls | wc -l) = 300 ]; [ $(ls -l | grep -c ^-) = 300 ]")
        }
    }

    /// A program that keeps a folder open, as file managers do, and reads it again from its beginning
    /// (rewinddir(3)).
    @Test(arguments: [clouds[0], .webDAV(.apache)])
    func aFolderThatStaysOpenIsReadAnew(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: ["--poll", "1"]) {
            (mounted) async throws -> Void in
            try await mounted.shell("echo a > ours")
            try await mounted.sync()
            let bob = try await mounted.bob()
            let folder = try TemporaryFolder()
            let top = mounted.server.top
            _ = try await mounted.python(
                """
                folder = os.open(".", os.O_RDONLY)
                for _ in range(3): assert os.listdir(folder) == ["ours"]
                pause()
                assert sorted(os.listdir(folder)) == ["ours", "theirs"], os.listdir(folder)
                os.rename("ours", "mine")
                assert sorted(os.listdir(folder)) == ["mine", "theirs"], os.listdir(folder)
                """
            ) {
                _ = try await bob.upload(
                    Array("theirs".utf8), name: "theirs", to: top, from: folder)
                try await eventually("another client's file") {
                    try await mounted.attempt("[ -e theirs ]").exitCode == 0
                }
            }
        }
    }

    /// A program that has begun to read goes on where it was, whatever comes and goes meanwhile.
    @Test func aReaderInTheMiddleMissesNothing() async throws {
        try await MountedCloud.with { mounted in
            try await mounted.shell("for i in $(seq 1000); do : > file-$i; done; ls > /dev/null")
            _ = try await mounted.python(
                """
                import os
                names = []
                with os.scandir(".") as entries:
                    for entry in entries:
                        names.append(entry.name)
                        if len(names) == 10:
                            for number in range(100):
                                os.unlink("file-%d" % (900 + number))
                                open("later-%d" % number, "w").close()
                            os.listdir(".")
                            with os.scandir(".") as others:
                                next(others)
                kept = {"file-%d" % number for number in range(1, 900)} | {"file-1000"}
                assert len(names) == len(set(names)), "twice"
                assert kept <= set(names), sorted(kept - set(names))[:5]
                now = kept | {"later-%d" % number for number in range(100)}
                assert set(os.listdir(".")) == now
                pause()
                """
            ) {}
        }
    }
}
