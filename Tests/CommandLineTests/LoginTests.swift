import Foundation
import LeitzCloudServer
import TestSupport
import Testing

@Suite struct LoginTests {
    @Test func signsInAndKeepsTokensForThisUserOnly() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            let outcome = try await fixture.login("mine", in: home)
            #expect(outcome.exitCode == 0, "\(outcome.error)")
            #expect(outcome.output.contains("ordner mount mine"))

            let credentials = home.path + "/state/ordner/mine/credentials.json"
            #expect(try mode(of: credentials) == 0o600)
            #expect(try mode(of: home.path + "/state/ordner/mine") == 0o700)
            #expect(try mode(of: home.path + "/config/ordner/accounts/mine.toml") == 0o600)
            for file in try files(below: home.path + "/state") + files(below: home.path + "/config")
            {
                let text = try String(contentsOfFile: file, encoding: .utf8)
                #expect(!text.contains(CloudFixture.password), "\(file)")
            }
            let accounts = try await accounts(in: home)
            #expect(accounts.count == 1)
            #expect(accounts.first?["name"] as? String == "mine")
            #expect(accounts.first?["type"] as? String == "leitzcloud")
            #expect(accounts.first?["url"] as? String == fixture.cloud.url)
            #expect(accounts.first?["user"] as? String == CloudFixture.user)
            #expect(accounts.first?["signed_in"] as? Bool == true)
        }
    }

    /// The embedded cloud speaks both protocols.
    @Test func aServerOfTwoProtocolsIsWhatItIsAskedToBe() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            #expect(try await fixture.login("first", in: home).exitCode == 0)
            let second = try await fixture.login("second", in: home, ["--type", "nextcloud"])
            #expect(second.exitCode == 0, "\(second.error)")
            let wrong = try await fixture.login("third", in: home, ["--type", "owncloud"])
            #expect(wrong.exitCode == 1)
            #expect(wrong.error.contains("but a nextcloud server"), "\(wrong.error)")
            let types = try await accounts(in: home).map { $0["type"] as? String }
            #expect(types == ["leitzcloud", "nextcloud"])
        }
        let help = try await home.run("login", "--help")
        #expect(help.output.contains("--type nextcloud"))
    }

    @Test func keepsItsIdOverASecondLogin() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            #expect(try await fixture.login("mine", in: home).exitCode == 0)
            let first = try credentials(of: "mine", in: home)
            #expect(try await fixture.login("mine", in: home).exitCode == 0)
            let second = try credentials(of: "mine", in: home)
            #expect(first["guid"] as? String != nil)
            #expect(first["guid"] as? String == second["guid"] as? String)
            #expect(first["accessToken"] as? String != second["accessToken"] as? String)
        }
    }

    @Test func triesAWrongPasswordOnce() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            let outcome = try await fixture.login("mine", in: home, password: "wrong")
            #expect(outcome.exitCode == 1)
            #expect(outcome.error.contains("refused the sign-in"))
            #expect(fixture.tokenRequests == 1)
            #expect(try await accounts(in: home).isEmpty)
            #expect(!FileManager.default.fileExists(atPath: home.path + "/state/ordner/mine"))
        }
    }

    @Test func takesThePasswordFromACommandAndNotFromItsArguments() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            // The command sees this process's arguments while the program waits for it.
            let secret = try home.file("secret", CloudFixture.password)
            let seen = home.path + "/seen"
            let script = "tr '\\0' '\\n' < /proc/$PPID/cmdline > '\(seen)'; cat '\(secret)'"
            let outcome = try await home.run(
                "login", "mine", fixture.cloud.url, "--ca", fixture.cloud.certificatePath, "--user",
                CloudFixture.user, "--password-command", script)
            #expect(outcome.exitCode == 0, "\(outcome.error)")
            let arguments = try String(contentsOfFile: seen, encoding: .utf8)
            #expect(arguments.contains("login"))
            #expect(!arguments.contains(CloudFixture.password))
        }
    }

    @Test func aFailingPasswordCommandAsksNoServer() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            let outcome = try await home.run(
                "login", "mine", fixture.cloud.url, "--ca", fixture.cloud.certificatePath, "--user",
                CloudFixture.user, "--password-command", "exit 3")
            #expect(outcome.exitCode == 1)
            #expect(fixture.tokenRequests == 0)
        }
    }

    @Test func twoStepVerificationNeedsTheCode() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            try await fixture.cloud.setTwoStepCode(
                person: fixture.person, mode: "authenticator", code: "123456")
            let right = try await fixture.login("mine", in: home, ["--code", "123456"])
            #expect(right.exitCode == 0, "\(right.error)")
            let wrong = try await fixture.login("other", in: home, ["--code", "000000"])
            #expect(wrong.exitCode == 1)
            #expect(try await accounts(in: home).count == 1)
        }
    }

    @Test func refusesAnUntrustedCertificate() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            let outcome = try await RunningProgram(
                ["login", "mine", fixture.cloud.url, "--user", "u", "--password-stdin"],
                home: home, input: "secret\n"
            ).end()
            #expect(outcome.exitCode == 1)
            #expect(outcome.error.contains("not trusted"))
            #expect(outcome.error.contains("--ca"))
            #expect(fixture.tokenRequests == 0)
        }
    }

    @Test(arguments: [
        (["mine", "http://cloud.example.com"], "https://"),
        (["mine", "https://me:secret@cloud.example.com"], "host and a path only"),
        (["a/b", "https://cloud.example.com"], "can't name an account"),
        (["mine", "https://127.0.0.1", "--type", "dropbox"], "not supported yet"),
    ])
    func refusesWhatItCannotUse(arguments: [String], reason: String) async throws {
        let home = try PrivateHome()
        let outcome = try await RunningProgram(
            ["login"] + arguments + ["--user", "u", "--password-stdin"], home: home, input: "x\n"
        ).end()
        #expect(outcome.exitCode == 1)
        #expect(outcome.error.contains(reason), "\(outcome.error)")
    }

    @Test func aNameBelongsToOneServer() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            #expect(try await fixture.login("mine", in: home).exitCode == 0)
            let other = try await home.run("login", "mine", "https://cloud.example.com")
            #expect(other.exitCode == 1)
            #expect(other.error.contains("Choose another name"))
        }
    }

    /// The browser's part is done by curl.
    @Test func signsInWithABrowserAndKeepsAnAppPassword() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            let program = try RunningProgram(
                [
                    "login", "next", fixture.cloud.url, "--ca", fixture.cloud.certificatePath,
                    "--browser",
                ], home: home, input: "")
            let page = try await program.line(after: "  ")
            let output = home.path + "/curl.out"
            let curl = try TestProcess(
                TestProcess.Launch(
                    "/usr/bin/curl",
                    [
                        "-s", "-f", "--cacert", fixture.cloud.certificatePath,
                        "--data-urlencode", "user=" + CloudFixture.user,
                        "--data-urlencode", "password=" + CloudFixture.password, page,
                    ], environment: ["PATH": "/usr/bin:/bin"], folder: home.path,
                    outputs: (output, output)))
            #expect(await curl.waitUntilEnd() == .exit(0))
            let outcome = try await program.end()
            #expect(outcome.exitCode == 0, "\(outcome.error)")
            let accounts = try await home.run("accounts")
            #expect(
                accounts.output
                    == "next\tnextcloud\t\(fixture.cloud.url)\t\(CloudFixture.user)\n")
            #expect(try await fixture.cloud.appPasswords(person: fixture.person).count == 1)
            let kept = try String(
                contentsOfFile: home.path + "/state/ordner/next/credentials.json", encoding: .utf8)
            #expect(!kept.contains(CloudFixture.password))
        }
    }

    @Test func aServerWithoutThatHasNoSignInWithABrowser() async throws {
        let home = try PrivateHome()
        let server = try await WebDAVTestServer.start(.apache)
        let outcome = try await home.run("login", "dav", server.url, "--browser")
        await server.stop()
        #expect(outcome.exitCode == 1)
        #expect(outcome.error.contains("Leave --browser out"), "\(outcome.error)")
    }

    @Test func logoutForgetsTheTokens() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            #expect(try await fixture.login("mine", in: home).exitCode == 0)
            #expect(try await home.run("logout", "mine").exitCode == 0)
            #expect(try await accounts(in: home).first?["signed_in"] as? Bool == false)
            let again = try await home.run("logout", "mine")
            #expect(again.exitCode == 1)
        }
    }
}

// MARK: - What is on disk

private func mode(of path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int)
}

private func files(below folder: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }.filter {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder)
            && !isFolder.boolValue
    }
}

private func accounts(in home: PrivateHome) async throws -> [[String: Any]] {
    let outcome = try await home.run("accounts", "--json")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return try #require(object as? [[String: Any]])
}

private func credentials(of name: String, in home: PrivateHome) throws -> [String: Any] {
    let file = URL(fileURLWithPath: home.path + "/state/ordner/\(name)/credentials.json")
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
    return try #require(object as? [String: Any])
}
