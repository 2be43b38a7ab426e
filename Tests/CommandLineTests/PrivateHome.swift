import Foundation

/// A home folder of its own for one test, with the program run in it.
final class PrivateHome: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "ordner-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path + "/run", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    deinit {
        // A folder left behind in /tmp fails no test.
        try? FileManager.default.removeItem(atPath: path)
    }

    var environment: [String: String] {
        [
            "HOME": path, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "XDG_CONFIG_HOME": path + "/config", "XDG_STATE_HOME": path + "/state",
            "XDG_CACHE_HOME": path + "/cache", "XDG_RUNTIME_DIR": path + "/run",
        ]
    }

    /// Writes a file for the program to read and answers its path.
    func file(_ name: String, _ content: String) throws -> String {
        let file = "\(path)/\(name)"
        try content.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }

    /// Runs the program to its end.
    func run(_ arguments: String..., input: String = "") async throws -> Outcome {
        let running = try RunningProgram(arguments, home: self, input: input)
        return try await running.end()
    }

    /// Starts the program and lets it run.
    func start(_ arguments: String...) throws -> RunningProgram {
        try RunningProgram(arguments, home: self, input: "")
    }
}

/// What a finished program left.
struct Outcome: Sendable {
    var exitCode: Int32
    var output: String
    var error: String
}
