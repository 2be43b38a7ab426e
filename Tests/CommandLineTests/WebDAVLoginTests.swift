import Foundation
import TestSupport
import Testing

/// Signing in to a WebDAV server.
@Suite struct WebDAVLoginTests {
    private static func with(
        _ kind: WebDAVTestServer.Kind = .apache,
        _ body: (WebDAVTestServer, PrivateHome) async throws -> Void
    ) async throws {
        let home = try PrivateHome()
        let server = try await WebDAVTestServer.start(kind)
        do {
            try await body(server, home)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func login(
        _ server: WebDAVTestServer, _ home: PrivateHome, password: String,
        _ more: [String] = []
    ) async throws -> Outcome {
        try await RunningProgram(
            ["login", "dav", server.url, "--user", "alice", "--password-stdin"] + more, home: home,
            input: password + "\n"
        ).end()
    }

    @Test func findsOutTheTypeAndKeepsThePasswordForThisUserOnly() async throws {
        try await Self.with { server, home in
            let outcome = try await login(server, home, password: WebDAVTestServer.password)
            #expect(outcome.exitCode == 0, "\(outcome.error)")
            let file = home.path + "/state/ordner/dav/credentials.json"
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let settings = try String(
                contentsOfFile: home.path + "/config/ordner/accounts/dav.toml", encoding: .utf8)
            #expect(!settings.contains(WebDAVTestServer.password))
            let accounts = try await home.run("accounts")
            #expect(accounts.output == "dav\twebdav\t\(server.url)\talice\n")
            #expect(try await home.run("logout", "dav").exitCode == 0)
            #expect(!FileManager.default.fileExists(atPath: file))
            #expect(try await home.run("accounts").output.contains("signed out"))
            let mount = try await home.run("mount", "dav", home.path + "/mount")
            #expect(mount.exitCode == 1)
            #expect(mount.error.contains("signed out"))
        }
    }

    /// rclone answers OPTIONS whoever asks.
    @Test(arguments: [WebDAVTestServer.Kind.apache, .rclone])
    func aWrongPasswordIsToldAtOnce(_ kind: WebDAVTestServer.Kind) async throws {
        try await Self.with(kind) { server, home in
            let outcome = try await login(server, home, password: "wrong")
            #expect(outcome.exitCode == 1)
            #expect(outcome.error.contains("refused the sign-in"), "\(outcome.error)")
            #expect(try await home.run("accounts").output.contains("No account"))
        }
    }

    @Test func aTypeThatTheServerIsNotIsRefused() async throws {
        try await Self.with { server, home in
            let outcome = try await login(
                server, home, password: WebDAVTestServer.password, ["--type", "nextcloud"])
            #expect(outcome.exitCode == 1)
            #expect(outcome.error.contains("no nextcloud server"), "\(outcome.error)")
            let plain = try await login(
                server, home, password: WebDAVTestServer.password, ["--type", "webdav"])
            #expect(plain.exitCode == 0, "\(plain.error)")
        }
    }
}
