import Foundation
import TestSupport
import Testing

@Suite struct ServerCommandTests {
    @Test func servesAndEndsInOrder() async throws {
        let home = try PrivateHome()
        let password = try home.file("password", "secret of the administrator\n")
        let server = try home.start(
            "server", "--data", "data", "--listen", "127.0.0.1:0", "--admin", "admin@example.com",
            "--admin-password-file", password)
        let url = try await server.line(after: "listening on ")
        let certificate = try await server.line(after: "certificate ")
        #expect(url.hasPrefix("https://127.0.0.1:"))
        let login = try await RunningProgram(
            [
                "login", "home", url, "--ca", certificate, "--user", "admin@example.com",
                "--password-stdin",
            ], home: home, input: "secret of the administrator\n"
        ).end()
        #expect(login.exitCode == 0, "\(login.error)")

        let second = try await home.run("server", "--data", "data", "--listen", "127.0.0.1:0")
        #expect(second.exitCode == 1)
        #expect(second.error.contains("another server uses"), "\(second.error)")

        server.signal(SIGTERM)
        #expect(try await server.end().exitCode == 0)
    }

    @Test func servesWithoutTLSOnThisMachineOnly() async throws {
        let home = try PrivateHome()
        let password = try home.file("password", "secret of the administrator\n")
        let server = try home.start(
            "server", "--data", "data", "--listen", "127.0.0.1:0", "--plain-http", "--admin",
            "admin@example.com", "--admin-password-file", password)
        let url = try await server.line(after: "listening on ")
        #expect(url.hasPrefix("http://127.0.0.1:"))
        let login = try await RunningProgram(
            ["login", "home", url, "--user", "admin@example.com", "--password-stdin"], home: home,
            input: "secret of the administrator\n"
        ).end()
        #expect(login.exitCode == 0, "\(login.error)")
        server.signal(SIGTERM)
        let end = try await server.end()
        #expect(end.exitCode == 0)
        #expect(!end.output.contains("certificate"))
        for host in ["0.0.0.0", "[::]", "192.0.2.1", "example.com"] {
            let refused = try await home.run(
                "server", "--data", "data", "--listen", "\(host):0", "--plain-http")
            #expect(refused.exitCode == 2)
            #expect(refused.error.contains("in the clear"), "\(refused.error)")
        }
    }

    @Test(arguments: [
        ["server"], ["server", "--data", "d", "--admin", "a@example.com"],
        ["server", "--data", "d", "--listen", "nowhere"],
        ["server", "--data", "d", "--upload-onto-name", "explode"],
        ["server", "--data", "d", "--max-file-size", "0"],
    ])
    func refusesIncompleteSettings(arguments: [String]) async throws {
        let outcome = try await RunningProgram(arguments, home: PrivateHome(), input: "").end()
        #expect(outcome.exitCode == 2)
    }
}
