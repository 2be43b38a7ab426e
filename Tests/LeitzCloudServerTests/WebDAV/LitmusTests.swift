import Foundation
import LeitzCloudServer
import Logging
import TestSupport
import Testing

/// Runs Debian's `litmus` against the WebDAV face. It must be there: in PATH, or where
/// `ORDNER_LITMUS` points.
@Suite struct LitmusTests {
    private struct Missing: Error, CustomStringConvertible {
        let description = "litmus is missing: run scripts/setup, or set ORDNER_LITMUS"
    }

    /// What one of its programs has to say.
    private struct Run {
        var end: TestProcess.End
        var output: String
    }

    /// The folder above `bin`, `libexec` and `share`.
    private static func prefix() throws -> URL {
        let environment = ProcessInfo.processInfo.environment
        var places = [environment["ORDNER_LITMUS"]].compactMap(\.self)
        for folder in (environment["PATH"] ?? "").split(separator: ":") {
            places.append(folder + "/litmus")
        }
        guard let place = places.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw Missing()
        }
        return URL(fileURLWithPath: place).deletingLastPathComponent().deletingLastPathComponent()
    }

    @Test(arguments: ["basic", "copymove", "props", "locks", "http"])
    func everyCheckPasses(suite: String) async throws {
        let prefix = try Self.prefix()
        let folder = try TemporaryFolder()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var configuration = EmbeddedCloudConfiguration(
            dataFolder: folder.file("data"), logger: logger)
        configuration.isPlain = true
        let cloud = try await EmbeddedCloud.start(configuration)
        do {
            _ = try await cloud.ensurePerson(
                email: CloudHarness.email, password: CloudHarness.password, displayName: "Anna",
                quota: 1 << 40)
            let run = try await run(suite, cloud.url, prefix, folder)
            #expect(run.end == .exit(0), "\(run.output)")
            #expect(run.output.contains(" 0 failed. 100.0%"), "\(run.output)")
            #expect(!run.output.contains("SKIPPED"), "\(run.output)")
            #expect(!run.output.contains("WARNING"), "\(run.output)")
        } catch {
            await cloud.stop()
            throw error
        }
        await cloud.stop()
    }

    private func run(_ suite: String, _ url: String, _ prefix: URL, _ folder: TemporaryFolder)
        async throws -> Run
    {
        let output = folder.file("output")
        let libraries = prefix.appendingPathComponent("lib/x86_64-linux-gnu").path
        let process = try TestProcess(
            TestProcess.Launch(
                prefix.appendingPathComponent("libexec/litmus/\(suite)").path,
                [
                    "--htdocs", prefix.appendingPathComponent("share/litmus/htdocs").path,
                    url + CloudHarness.davHome + "/", CloudHarness.email, CloudHarness.password,
                ],
                environment: ["LD_LIBRARY_PATH": libraries, "PATH": "/usr/bin:/bin"],
                folder: folder.path, outputs: (output, output)))
        // It is told to end when it takes far longer than it ever should.
        let deadline = Task {
            try await Task.sleep(for: .seconds(240))
            process.killGroup()
        }
        let end = await process.waitUntilEnd()
        deadline.cancel()
        return Run(end: end, output: try String(contentsOfFile: output, encoding: .utf8))
    }
}
