import Foundation

/// A home folder of its own for one test, with the program run in it.
package final class PrivateHome: Sendable {
    private let folder: TemporaryFolder

    package var path: String { folder.path }

    /// Makes the folder below the system's temporary folder.
    package init() throws {
        folder = try TemporaryFolder()
        let path = folder.path
        try FileManager.default.createDirectory(
            atPath: path + "/run", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    /// The variables the program runs with.
    package var environment: [String: String] {
        [
            "HOME": path, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "XDG_CONFIG_HOME": path + "/config", "XDG_STATE_HOME": path + "/state",
            "XDG_CACHE_HOME": path + "/cache", "XDG_RUNTIME_DIR": path + "/run",
        ]
    }

    /// Writes a file for the program to read and answers its path.
    package func file(_ name: String, _ content: String) throws -> String {
        let file = "\(path)/\(name)"
        try content.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }

    /// Runs the program to its end.
    package func run(_ arguments: String..., input: String = "") async throws -> Outcome {
        let running = try RunningProgram(arguments, home: self, input: input)
        return try await running.end()
    }

    /// Starts the program and lets it run.
    package func start(_ arguments: String...) throws -> RunningProgram {
        try RunningProgram(arguments, home: self, input: "")
    }
}

/// What a finished program left.
package struct Outcome: Sendable {
    package var exitCode: Int32
    package var output: String
    package var error: String

    package init(exitCode: Int32, output: String, error: String) {
        self.exitCode = exitCode
        self.output = output
        self.error = error
    }
}
