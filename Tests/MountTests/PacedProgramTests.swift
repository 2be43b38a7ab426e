import LeitzCloudServer
import TestSupport
import Testing

/// Programs that take their time between the steps of one change: it is still one change to the
/// server, which gets it soon after the last step.
@Suite(.serialized) struct PacedProgramTests {
    private static let options = ["--sync=none"]
    /// `pace` is what is tried out here: the time that slow programs take.
    private static let prelude = """
        import os, threading
        def pace(seconds=0.05): threading.Event().wait(seconds)
        def write(name, text):
            with open(name, "w") as file: file.write(text)
        def remove(name, above=None, step=0.0):
            # As rm: entry by entry, every folder on the way open.
            folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=above)
            for entry in os.listdir(folder):
                try: os.unlink(entry, dir_fd=folder)
                except IsADirectoryError: remove(entry, folder, step)
                pace(step)
            os.close(folder)
            os.rmdir(name, dir_fd=above)
        """

    private func program(_ script: String) -> String {
        "python3 - <<'END'\n\(Self.prelude)\n\(script)\nEND"
    }

    private func withServer(
        _ body: @Sendable (MountedCloud) async throws -> Void
    ) async throws {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName = .revision
        try await MountedCloud.with(behaviour, options: Self.options) {
            (mounted) async throws -> Void in
            try await body(mounted)
        }
    }

    @Test func aSaveInStepsIsOneUpload() async throws {
        let saves = [
            ("vim", "os.rename('a', 'a~'); pace(0.3); write('a', '1'); pace(0.3); os.unlink('a~')"),
            (
                "LibreOffice",
                """
                write('.~lock.a#', 'me'); pace(0.3); write('lu1.tmp', '2'); pace(0.3)
                os.rename('lu1.tmp', 'a'); os.unlink('.~lock.a#')
                """
            ),
            (
                "rsync",
                """
                write('.a.Xa1b2C', '3'); pace(0.3); os.utime('.a.Xa1b2C', (10**9, 10**9)); pace(0.3)
                os.rename('.a.Xa1b2C', 'a')
                """
            ),
            (
                "KDE",
                "write('a.AbCdEf', '4'); pace(0.3); os.rename('a.AbCdEf', 'a')"
            ),
            (
                "another editor",
                "os.rename('a', 'a.1'); pace(0.3); write('a', '6'); pace(0.3); os.unlink('a.1')"
            ),
            ("in place", "write('a', ''); write('a', '5')"),
        ]
        try await withServer { mounted in
            _ = try await mounted.calls("echo 0 > a")
            for (name, script) in saves {
                let calls = try await mounted.calls(program(script))
                #expect(calls == ["POST upload": 1], "\(name)")
            }
            #expect(try await mounted.shell("cat a; ls -A") == "5a\n")
        }
    }

    /// Slower from one file to the next than a removal of one file waits.
    @Test func aTreeThatIsRemovedSlowlyIsOneDeletion() async throws {
        try await withServer { mounted in
            let tree =
                "mkdir -p t/a/b t/c; for d in t t/a t/a/b t/c; do echo 1 > $d/1; echo 2 > $d/2; done"
            _ = try await mounted.calls(tree)
            #expect(
                try await mounted.calls(program("remove('t', step=0.2)")) == ["POST delete": 1])
            _ = try await mounted.calls(tree)
            // Nobody asks for it to be sent.
            mounted.cloud.server.resetRequestCounts()
            try await mounted.shell("rm -rf t")
            try await eventually(within: .seconds(20), "the removal on the server") {
                try await mounted.status().unsent.isEmpty
            }
            let calls = mounted.cloud.server.requestCounts().filter { $0.key.hasPrefix("POST") }
            #expect(calls["POST delete"] == 1 && calls.count == 1, "\(calls)")
        }
    }

    /// What a program changes again and again is sent meanwhile, and ever more seldom.
    @Test func aLogIsNotSentLineByLine() async throws {
        try await withServer { mounted in
            _ = try await mounted.calls("echo 0 > log")
            let calls = try await mounted.calls(
                program(
                    """
                    for line in range(20):
                        with open("log", "a") as file: file.write(f"{line}\\n")
                        pace(0.2)
                    """))
            let uploads = calls["POST upload"] ?? 0
            // Four seconds: pauses of a half, one, two.
            #expect(uploads >= 2 && uploads <= 6, "\(uploads)")
            #expect(try await mounted.shell("wc -l < log") == "21\n")
        }
    }

    /// One change is on the server without anybody's asking, long before a second is over on a
    /// machine that has nothing else to do.
    @Test func oneChangeIsSentByItself() async throws {
        try await withServer { mounted in
            // The first file finds out what the server does with a taken name.
            _ = try await mounted.calls("echo 0 > a")
            mounted.cloud.server.resetRequestCounts()
            try await mounted.shell("echo 1 > a; mkdir d")
            try await eventually(within: .seconds(20), "the changes on the server") {
                try await mounted.status().unsent.isEmpty
            }
            let calls = mounted.cloud.server.requestCounts()
            #expect(calls["POST upload"] == 1 && calls["POST create_folder"] == 1, "\(calls)")
            let bob = try await mounted.bob()
            #expect(try await bob.entries(of: mounted.server.top).keys.sorted() == ["a", "d"])
        }
    }
}
