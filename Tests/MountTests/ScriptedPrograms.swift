import Foundation
import TestSupport

extension MountedCloud {
    /// Seconds that a call which the server refuses for good may take: it is not tried again.
    private static let refusalSeconds = 10

    /// Runs Python in the team root and answers the line it printed. Where the script calls
    /// `pause()`, it waits until `meanwhile` is done.
    ///
    /// For the script, `word(CALL, ARGUMENTS…)` is how a call ended: `ok` or its errno's name, and
    /// how long it took where that was too long. `store` opens, writes and closes, `load` reads.
    func python(
        _ script: String, by interpreter: String = "python3",
        meanwhile: (() async throws -> Void)? = nil
    ) async throws -> String {
        try await atHome("rm -f ready go; mkfifo ready go")
        async let running = attempt(
            "\(interpreter) - \"$W/ready\" \"$W/go\" <<'END'\n\(Self.prelude)\n\(script)\nEND")
        if let meanwhile {
            try await atHome("cat ready")
            try await meanwhile()
            try await atHome("echo > go")
        }
        let outcome = try await running
        guard outcome.exitCode == 0 else { throw Failed(what: script, outcome: outcome) }
        return outcome.output.trimmingCharacters(in: .newlines)
    }

    private static let prelude = """
        import errno, os, sys, time
        def word(call, *arguments):
            start = time.monotonic()
            said = "ok"
            try: call(*arguments)
            except OSError as error: said = errno.errorcode[error.errno]
            seconds = time.monotonic() - start
            return said if seconds < \(refusalSeconds) else f"{said} after {seconds:.0f} seconds"
        def in_the_end(call, *arguments):
            # What a mount shows at first it may have from an earlier run, checked a moment later.
            end = time.monotonic() + 10
            while (said := word(call, *arguments)) == "ok" and time.monotonic() < end: pass
            return said
        def pause():
            with open(sys.argv[1], "w"): pass
            with open(sys.argv[2]) as go: go.read()
        def store(path, text, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
            file = os.open(path, flags)
            try: os.write(file, text)
            finally: os.close(file)
        def load(path):
            with open(path, "rb") as file: return file.read()
        """

    /// What `ordner status --json` says of this mount.
    func status() async throws -> MountStatus {
        let outcome = try await home.run("status", point, "--json")
        guard outcome.exitCode == 0 else { throw Failed(what: "status", outcome: outcome) }
        let report = try JSONDecoder().decode(
            StatusAnswer.self, from: Data(outcome.output.utf8))
        guard let mount = report.mounts.first else {
            throw Failed(what: "status", outcome: outcome)
        }
        return mount
    }
}

/// The documented fields of `ordner status --json` that tests look at.
struct MountStatus: Decodable {
    struct Unsent: Decodable {
        var path: String
        var change: String
        var error: String?
    }

    struct Conflict: Decodable {
        var copy: String
    }

    var unsent: [Unsent]
    var conflicts: [Conflict]
    var entriesInMemory: Int

    enum CodingKeys: String, CodingKey {
        case unsent, conflicts
        case entriesInMemory = "entries_in_memory"
    }

    /// The last components of the paths of files whose content is only here.
    var unsentNames: [String] {
        unsent.filter { $0.change == "content" }.map {
            String($0.path.split(separator: "/").last ?? "")
        }.sorted()
    }
}

private struct StatusAnswer: Decodable {
    var mounts: [MountStatus]
}
