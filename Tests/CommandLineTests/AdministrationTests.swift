import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// The administrative commands against the embedded cloud.
@Suite struct AdministrationTests {
    /// A cloud, whose person is its administrator, and the account `work` on it.
    private struct Desk {
        let home: PrivateHome
        let fixture: CloudFixture

        static func with(_ body: (Desk) async throws -> Void) async throws {
            let home = try PrivateHome()
            try await CloudFixture.with(home) { fixture in
                try await fixture.cloud.setAdministrator(person: fixture.person)
                let login = try await fixture.login("work", in: home)
                try #require(login.exitCode == 0, "\(login.error)")
                try await body(Desk(home: home, fixture: fixture))
            }
        }

        /// Runs a command that must succeed; gives its output.
        @discardableResult
        func run(_ arguments: String..., input: String = "") async throws -> String {
            let outcome = try await RunningProgram(arguments, home: home, input: input).end()
            #expect(outcome.exitCode == 0, "\(arguments): \(outcome.error)")
            return outcome.output
        }

        /// Runs a command that must fail; gives what it says.
        func failure(_ arguments: String..., input: String = "") async throws -> String {
            let outcome = try await RunningProgram(arguments, home: home, input: input).end()
            #expect(outcome.exitCode == 1, "\(arguments): \(outcome.output)")
            return outcome.error
        }

        func json(_ arguments: String...) async throws -> [[String: Any]] {
            let outcome = try await RunningProgram(
                arguments + ["--json"], home: home, input: ""
            ).end()
            #expect(outcome.exitCode == 0, "\(arguments): \(outcome.error)")
            let value = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
            return value as? [[String: Any]] ?? [value as? [String: Any] ?? [:]]
        }
    }

    @Test func usersAreMadeShownChangedAndDeleted() async throws {
        try await Desk.with { desk in
            let made = try await desk.run(
                "user", "create", "work", "carol@example.com", "--first-name", "Carol",
                "--last-name", "Muster", "--quota", "10G", "--password-stdin", input: "geheim\n")
            #expect(made.contains("carol@example.com"))
            #expect(!made.contains("geheim"))
            let table = try await desk.run("user", "list", "work")
            let lines = table.split(separator: "\n")
            #expect(lines.first?.hasPrefix("ID  EMAIL") == true)
            #expect(lines.count == 3)
            #expect(table.contains("administrator"))
            let shown = try await desk.json("user", "show", "work", "carol@example.com")
            #expect(shown.first?["display_name"] as? String == "Carol Muster")
            #expect(shown.first?["space_quota"] as? Int == 10 << 30)
            let id = try #require(shown.first?["id"] as? Int)

            try await desk.run(
                "user", "update", "work", "\(id)", "--quota", "1M", "--admin", "--phone", "123")
            let changed = try await desk.json("user", "show", "work", "\(id)")
            #expect(changed.first?["space_quota"] as? Int == 1 << 20)
            #expect(changed.first?["site_admin"] as? Bool == true)
            #expect(changed.first?["first_name"] as? String == "Carol")

            let output = try await desk.run(
                "user", "password", "work", "carol@example.com", "--generate-password")
            let password = try #require(output.split(separator: " ").last).dropLast()
            #expect(password.count == 20)
            let login = try await RunningProgram(
                [
                    "login", "hers", desk.fixture.cloud.url, "--ca",
                    desk.fixture.cloud.certificatePath, "--user", "carol@example.com",
                    "--password-stdin",
                ], home: desk.home, input: password + "\n"
            ).end()
            #expect(login.exitCode == 0, "\(login.error)")

            #expect(
                try await desk.failure("user", "delete", "work", "carol@example.com")
                    .contains("--yes"))
            try await desk.run(
                "user", "delete", "work", "carol@example.com", "--yes", "--remove-files")
            #expect(
                try await desk.failure("user", "show", "work", "carol@example.com")
                    .contains("there is no user 'carol@example.com'"))
            #expect(
                try await desk.failure(
                    "user", "create", "work", "nonsense", "--generate-password"
                ).contains("Invalid value for parameter: email"))
        }
    }

    /// The story of an organization with two users, a group and a share.
    @Test func anOrganizationIsSetUpFromTheShell() async throws {
        try await Desk.with { desk in
            let organization = try await desk.json(
                "org", "create", "work", "Widgets", "--slug", "widgets", "--email",
                "it@widgets.example", "--set", "num_users_maximum=2")
            let org = String(try #require(organization.first?["id"] as? Int))
            for user in ["carol", "dora"] {
                try await desk.run(
                    "user", "create", "work", "\(user)@example.com", "--org", org,
                    "--password-stdin", input: "pw\n")
            }
            #expect(
                try await desk.failure(
                    "user", "create", "work", "ed@example.com", "--org", org,
                    "--password-stdin", input: "pw\n"
                ).contains("user_limit_exceeded"))
            try await desk.run("group", "create", "work", "Interns", "--org", org)
            try await desk.run("group", "create", "work", "Sales", "--org", org)
            try await desk.run(
                "group", "add", "work", "Interns", "--org", org, "--user", "dora@example.com")
            try await desk.run(
                "group", "add", "work", "Sales", "--org", org, "--user", "carol@example.com",
                "--group", "Interns")
            let members = try await desk.run(
                "group", "members", "work", "Sales", "--org", org, "--deep")
            #expect(members.contains("dora@example.com"))
            try await desk.run(
                "share", "create", "work", "Plans", "--org", org, "--group", "Sales",
                "--description", "What we want")
            let subscribers = try await desk.run(
                "share", "subscribers", "work", "Plans", "--org", org, "--deep")
            #expect(subscribers.contains("Sales"))
            #expect(subscribers.contains("dora@example.com"))
            let dora = try await desk.run("user", "show", "work", "dora@example.com")
            #expect(dora.contains("Plans"))

            try await desk.run(
                "group", "remove", "work", "Sales", "--org", org, "--group", "Interns")
            #expect(
                try await !desk.run("user", "show", "work", "dora@example.com").contains("Plans"))
            try await desk.run(
                "share", "subscribe", "work", "Plans", "--org", org, "--user",
                "dora@example.com", "--role", "viewer")
            #expect(
                try await desk.run("user", "show", "work", "dora@example.com").contains("Plans"))
            try await desk.run(
                "share", "unsubscribe", "work", "Plans", "--org", org, "--user",
                "dora@example.com")
            try await desk.run("share", "update", "work", "Plans", "--org", org, "--name", "Old")
            try await desk.run("share", "delete", "work", "Old", "--org", org, "--yes")
            #expect(try await desk.run("share", "list", "work", "--org", org).contains("No team"))

            try await desk.run("org", "policy", "work", org, "--set", "user_lock_files=true")
            #expect(
                try await desk.json("org", "policy", "work", org).first?["user_lock_files"]
                    as? Bool == true)
            #expect(
                try await desk.failure("org", "policy", "work", org, "--set", "nonsense=1")
                    .contains("has no rule 'nonsense'"))
            try await desk.run("org", "disable", "work", org, "--yes")
            #expect(try await desk.run("org", "list", "work").contains("disabled"))
            try await desk.run("org", "enable", "work", org)
            #expect(try await desk.failure("org", "delete", "work", org).contains("--yes"))
            try await desk.run("org", "delete", "work", org, "--yes")
            #expect(try await desk.run("org", "list", "work") == "No organizations.\n")
        }
    }

    @Test func guestsMachinesActivityAndUsageAreShown() async throws {
        try await Desk.with { desk in
            let guest = try await desk.run(
                "guest", "create", "work", "g@example.com", "--first-name", "Gert",
                "--last-name", "Gast", "--generate-password")
            #expect(guest.contains("Gert Gast"))
            #expect(guest.contains("Password: "))
            #expect(try await desk.run("guest", "list", "work").contains("g@example.com"))
            #expect(
                try await desk.run("guest", "shares", "work", "g@example.com") == "No shares.\n")
            try await desk.fixture.cloud.fill(
                folder: -1, root: 1, person: desk.fixture.person, files: 2)
            let link = try await desk.run(
                "share", "link", "work", "Me/file-1", "--subscriber", "g@example.com",
                "--expires", "2099-12-31")
            #expect(link.contains("2099-12-31"))
            #expect(
                try await desk.run("guest", "shares", "work", "g@example.com").contains("file "))
            #expect(
                try await desk.failure("share", "link", "work", "Me/none").contains("there is no"))
            #expect(try await desk.run("org", "root", "work", "1").contains("sync"))
            try await desk.run(
                "guest", "update", "work", "g@example.com", "--first-name", "Gerd")
            #expect(
                try await desk.run("guest", "convert", "work", "g@example.com")
                    .contains("Gerd Gast"))
            #expect(
                try await desk.failure("guest", "delete", "work", "g@example.com", "--yes")
                    .contains("there is no guest"))

            let machine = String(
                try #require(try await desk.json("machine", "list", "work").first?["id"] as? Int))
            #expect(try await desk.run("machine", "show", "work", machine).contains("linux"))
            #expect(
                try await desk.failure("machine", "ls", "work", machine).contains("file server"))
            try await desk.run("machine", "server", "work", machine, "on")
            let roots = try await desk.json("org", "roots", "work")
            let root = String(try #require(roots.first?["id"] as? Int))
            try await desk.run(
                "machine", "mapping", "create", "work", machine, root, "/srv/files")
            #expect(try await desk.run("machine", "ls", "work", machine, "/srv") == "files\n")
            #expect(
                try await desk.run("machine", "status", "work", machine).contains("/srv/files"))
            let mapping = try await desk.json("machine", "mapping", "list", "work", machine)
            try await desk.run(
                "machine", "mapping", "delete", "work", machine,
                "\(mapping.first?["id"] as? Int ?? 0)", "--yes")
            let backup = try await desk.json(
                "machine", "backup", "create", "work", machine, "/srv/files")
            let number = "\(backup.first?["id"] as? Int ?? 0)"
            try await desk.run(
                "machine", "backup", "restore", "work", machine, number, "/back", "--yes")
            #expect(
                try await desk.run("machine", "backup", "show", "work", machine, number)
                    .contains("/back"))
            try await desk.run("machine", "backup", "delete", "work", machine, number, "--yes")

            try await desk.run("activity", "add", "work", "painted the office")
            let activity = try await desk.run("activity", "list", "work")
            #expect(activity.contains("painted the office"))
            #expect(activity.contains("removed backup"))
            #expect(
                try await desk.run("activity", "types", "work").contains("added organization"))
            let usage = try await desk.run("usage", "work")
            #expect(usage.contains("team shares"))
            #expect(usage.contains("Users"))
            #expect(try await desk.run("org", "auth-sources", "work").contains("No directory"))
            #expect(try await desk.run("org", "show", "work").contains("License key"))
        }
    }

    @Test func longListsAreShownInParts() async throws {
        try await Desk.with { desk in
            let names = (0..<130).map { "Group \($0)" }
            try await desk.fixture.cloud.addGroups(names)
            let first = try await RunningProgram(
                ["group", "list", "work"], home: desk.home, input: ""
            ).end()
            #expect(first.output.split(separator: "\n").count == 101)
            #expect(first.error.contains("100 of 130 groups"))
            let rest = try await desk.json("group", "list", "work", "--offset", "100")
            #expect(rest.compactMap { $0["name"] as? String } == Array(names[100...]))
            let all = try await desk.json("group", "list", "work", "--all")
            #expect(all.compactMap { $0["name"] as? String } == names)
        }
    }

    @Test func usersComeFromAFileAndAgainWithoutHarm() async throws {
        try await Desk.with { desk in
            try await desk.run("group", "create", "work", "Sales")
            let file = try desk.home.file(
                "users.csv",
                "\u{FEFF}email;first_name;last_name;quota;groups;password\r\n"
                    + "a@example.com;Ann;\"Two \"\"Names\"\"\";1G;Sales;pw\r\n"
                    + "\r\n"
                    + "b@example.com;Bob;\"Line\nbreak\";;;\r\n"
                    + "nobody;;;;;pw\r\n"
                    + "a@example.com;Ann;;;;pw\r\n"
                    + "c@example.com;;;lots;;pw\r\n")
            let dry = try await RunningProgram(
                ["user", "import", "work", file, "--dry-run", "--generate-passwords"],
                home: desk.home, input: ""
            ).end()
            #expect(dry.exitCode == 1)
            #expect(dry.output.contains("line 2: would create a@example.com"))
            #expect(
                dry.output.contains("line 6: failed nobody: no e-mail address"), "\(dry.output)")
            #expect(dry.error.contains("3 failed, 2 would create"), "\(dry.error)")
            #expect(try await desk.json("user", "list", "work").count == 1)

            let real = try await RunningProgram(
                ["user", "import", "work", file, "--generate-passwords"], home: desk.home,
                input: ""
            ).end()
            #expect(real.output.contains("line 2: created a@example.com\n"))
            #expect(real.output.contains("line 4: created b@example.com   password "))
            #expect(real.output.contains("line 7: failed a@example.com: the address is in the"))
            #expect(real.output.contains("'lots' is no size"))
            let ann = try await desk.json("user", "show", "work", "a@example.com")
            #expect(ann.first?["last_name"] as? String == "Two \"Names\"")
            #expect(ann.first?["space_quota"] as? Int == 1 << 30)
            #expect(
                try await desk.run("group", "members", "work", "Sales").contains("a@example.com"))

            let again = try await RunningProgram(
                ["user", "import", "work", file, "--generate-passwords", "--json"],
                home: desk.home, input: ""
            ).end()
            #expect(again.output.contains(#""outcome":"exists","user":"a@example.com""#))
            #expect(try await desk.json("user", "list", "work").count == 3)
            let bad = try desk.home.file("bad.csv", "email,shoe_size\na@b,4\n")
            #expect(
                try await desk.failure("user", "import", "work", bad)
                    .contains("unknown column 'shoe_size'"))
            let open = try desk.home.file("open.csv", "email\n\"a@b\n")
            #expect(
                try await desk.failure("user", "import", "work", open)
                    .contains("line 2: a quote is not closed"))
        }
    }

    @Test func whoMayNotIsTold() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            let login = try await fixture.login("work", in: home)
            try #require(login.exitCode == 0)
            for command in [["user", "list"], ["usage"], ["machine", "list"]] {
                let outcome = try await RunningProgram(
                    command + ["work"], home: home, input: ""
                ).end()
                #expect(outcome.exitCode == 1)
                #expect(outcome.error.contains("an administrator has"), "\(outcome.error)")
            }
            let missing = try await RunningProgram(
                ["user", "list", "other"], home: home, input: ""
            ).end()
            #expect(missing.error.contains("there is no account 'other'"))
        }
    }

    @Test(arguments: [
        ["user", "create", "work", "a@b", "--password-stdin", "--generate-password"],
        ["group", "add", "work", "Sales"], ["org", "create", "work", "A"],
        ["share", "subscribe", "work", "Plans"], ["user", "list", "work", "--offset", "-1"],
        ["org", "policy", "work", "--set", "novalue"], ["machine", "show", "work", "seven"],
    ])
    func wrongUsageIsRefusedBeforeAnythingIsAsked(arguments: [String]) async throws {
        let outcome = try await RunningProgram(arguments, home: PrivateHome(), input: "").end()
        #expect(outcome.exitCode == 2, "\(outcome.error)")
    }
}
