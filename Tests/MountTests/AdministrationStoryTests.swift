import Foundation
import TestSupport
import Testing

/// What an administrator and two colleagues do, by `ordner` commands and programs on the mounts
/// alone: the server is a process of its own, too.
@Suite(.serialized) struct AdministrationStoryTests {
    @Test func anOrganizationWorksTogether() async throws {
        try await Story.with { story in
            let org = try await story.organization()
            let carol = try await story.colleague("carol", org)
            let dora = try await story.colleague("dora", org)
            try await story.administer("group", "create", "Sales", "--org", org)
            try await story.administer(
                "group", "add", "Sales", "--org", org, "--user", carol.email, "--user",
                dora.email)
            try await carol.mount()
            try await dora.mount()
            // The share appears on the mounts that are there.
            try await story.administer(
                "share", "create", "Plans", "--org", org, "--group", "Sales")
            for colleague in [carol, dora] {
                try await eventually(within: .seconds(30), "the share") {
                    try await colleague.attempt("[ -d Plans ]").exitCode == 0
                }
            }
            try await carol.shell("mkdir Plans/2030; echo 'buy a ship' > Plans/2030/first")
            try await eventually(within: .seconds(30), "what the other one wrote") {
                try await dora.attempt("cat Plans/2030/first").output == "buy a ship\n"
            }
            try await dora.shell("echo 'or two' >> Plans/2030/first")
            try await eventually(within: .seconds(30), "the answer") {
                try await carol.attempt("cat Plans/2030/first").output == "buy a ship\nor two\n"
            }
            try await quotaIsReached(story, carol, org)
            try await shareIsDeleted(story, carol, dora, org)
        }
    }

    /// A quota that an administrator sets holds for the mount that is there.
    private func quotaIsReached(_ story: Story, _ carol: Colleague, _ org: String) async throws {
        try await story.administer(
            "user", "update", carol.email, "--org", org, "--quota", "2M")
        try await eventually(within: .seconds(60), "the quota") {
            try await carol.attempt("df --output=size -B1 Plans | tail -1").output
                .contains(String(2 << 20))
        }
        try await carol.shell("head -c 3000000 /dev/zero > \"$W/big\"")
        let full = try await carol.attempt("LC_ALL=C cp \"$W/big\" Plans/big")
        #expect(full.exitCode == 1)
        #expect(full.error.contains("Disk quota exceeded"), "\(full.error)")
        try await story.administer(
            "user", "update", carol.email, "--org", org, "--quota", "10M")
        try await eventually(within: .seconds(60), "more room") {
            try await carol.attempt("cp \"$W/big\" Plans/big").exitCode == 0
        }
    }

    /// What was not sent before the share went stays where it was written, and is shown.
    private func shareIsDeleted(
        _ story: Story, _ carol: Colleague, _ dora: Colleague, _ org: String
    ) async throws {
        try await carol.shell("mkfifo \"$W/opened\" \"$W/gone\"")
        async let writing = carol.attempt(
            """
            LC_ALL=C python3 - "$W/opened" "$W/gone" <<'END'
            import os, sys, errno
            file = os.open("Plans/2030/unsent", os.O_WRONLY | os.O_CREAT)
            os.write(file, b"precious\\n")
            with open(sys.argv[1], "w"): pass
            with open(sys.argv[2]) as gone: gone.read()
            try: os.close(file); print("closed")
            except OSError as error: print(errno.errorcode[error.errno])
            END
            """)
        try await carol.atHome("cat opened")
        try await story.administer("share", "delete", "Plans", "--org", org, "--yes")
        try await eventually(within: .seconds(30), "the end of the share") {
            try await dora.attempt("ls Plans/2030").exitCode != 0
        }
        #expect(try await dora.attempt("LC_ALL=C cat Plans/2030/first").error.contains("No such"))
        try await carol.atHome("echo > gone")
        let ended = try await writing
        #expect(ended.output == "ESTALE\n", "\(ended.error)")
        try await eventually(within: .seconds(30), "the unsent file in the status") {
            try await carol.command("status", carol.point, "--json").output.contains("/unsent\"")
        }
        let status = try await carol.command("status", carol.point)
        #expect(status.output.contains("unsent"), "\(status.output)")
        #expect(try await carol.attempt("cat Plans/2030/unsent").output == "precious\n")
        #expect(try await story.administer("share", "list", "--org", org).contains("No team"))
    }
}

/// A server, its administrator and those who were mounted.
private final class Story: Sendable {
    private let home: PrivateHome
    private let url: String
    private let certificate: String

    private init(_ home: PrivateHome, url: String, certificate: String) {
        self.home = home
        self.url = url
        self.certificate = certificate
    }

    static func with(_ body: (Story) async throws -> Void) async throws {
        let home = try PrivateHome()
        let password = try home.file("password", "secret of the administrator\n")
        let server = try home.start(
            "server", "--data", "data", "--listen", "127.0.0.1:0", "--admin", "admin@example.com",
            "--admin-password-file", password)
        let story = Story(
            home, url: try await server.line(after: "listening on "),
            certificate: try await server.line(after: "certificate "))
        do {
            try await story.login("work", "admin@example.com", "secret of the administrator", home)
            try await body(story)
        } catch {
            await story.end(server)
            throw error
        }
        await story.end(server)
        #expect(try await server.end().exitCode == 0)
    }

    private let colleagues = Colleagues()

    private func end(_ server: RunningProgram) async {
        for colleague in colleagues.all { await colleague.unmount() }
        server.signal(SIGTERM)
    }

    private func login(
        _ name: String, _ user: String, _ password: String, _ home: PrivateHome
    ) async throws {
        let outcome = try await home.run(
            "login", name, url, "--ca", certificate, "--user", user, "--password-stdin",
            input: password + "\n")
        guard outcome.exitCode == 0 else { throw Failed(what: "login \(user)", outcome: outcome) }
    }

    /// Runs an administrative command, `ordner A B work …`, that must succeed.
    @discardableResult
    func administer(
        _ object: String, _ verb: String, _ more: String..., input: String = ""
    ) async throws -> String {
        let arguments = [object, verb, "work"] + more
        let outcome = try await RunningProgram(arguments, home: home, input: input).end()
        guard outcome.exitCode == 0 else {
            throw Failed(what: arguments.joined(separator: " "), outcome: outcome)
        }
        return outcome.output
    }

    /// Makes the organization and gives its number.
    func organization() async throws -> String {
        let answer = try await administer(
            "org", "create", "Widgets", "--slug", "widgets", "--email", "it@widgets.example",
            "--json")
        let object = try JSONSerialization.jsonObject(with: Data(answer.utf8))
        let number = (object as? [String: Any])?["id"] as? Int
        return String(try #require(number))
    }

    /// Makes a user of the organization, who signs in on a machine of their own.
    func colleague(_ name: String, _ organization: String) async throws -> Colleague {
        let email = name + "@widgets.example"
        try await administer(
            "user", "create", email, "--org", organization, "--password-stdin",
            input: "secret of \(name)\n")
        let colleague = try Colleague(email: email)
        try await login("work", email, "secret of \(name)", colleague.home)
        colleagues.add(colleague)
        return colleague
    }
}

private final class Colleagues: @unchecked Sendable {
    // Changed only by the one test that owns it, between its awaits.
    private(set) var all: [Colleague] = []

    func add(_ colleague: Colleague) { all.append(colleague) }
}

/// A person with a home and a mount.
private final class Colleague: @unchecked Sendable {
    let email: String
    let home: PrivateHome
    let point: String
    // Changed only by the one test that owns it, between its awaits.
    private var driver: RunningProgram?

    init(email: String) throws {
        self.email = email
        home = try PrivateHome()
        point = home.path + "/mount"
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
    }

    func mount() async throws {
        let program = try RunningProgram(
            ["mount", "work", point, "-f", "--sync=all", "--poll", "0.5"], home: home, input: "")
        driver = program
        _ = try await program.line(after: "work is mounted on ")
    }

    func unmount() async {
        guard let driver else { return }
        do {
            let outcome = try await command("unmount", "--now", point)
            if outcome.exitCode != 0 { driver.signal(SIGTERM) }
            _ = try await driver.end()
        } catch {
            Issue.record(error, "\(point) could not be unmounted: \(driver.error)")
        }
    }

    func command(_ arguments: String...) async throws -> Outcome {
        try await RunningProgram(arguments, home: home, input: "").end()
    }

    /// A script at the top of the mount, which may fail.
    func attempt(_ script: String) async throws -> Outcome {
        try await Shell.run("cd '\(point)'; \(script)", scratch: home.path, seconds: 60)
    }

    func shell(_ script: String) async throws {
        let outcome = try await attempt(script)
        guard outcome.exitCode == 0 else { throw Failed(what: script, outcome: outcome) }
    }

    func atHome(_ script: String) async throws {
        let outcome = try await Shell.run(
            "cd '\(home.path)'; \(script)", scratch: home.path, seconds: 60)
        guard outcome.exitCode == 0 else { throw Failed(what: script, outcome: outcome) }
    }
}
