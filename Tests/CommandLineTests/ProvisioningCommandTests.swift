import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// The administrative commands on an account of a Nextcloud, which the embedded cloud's WebDAV face
/// is for them.
@Suite struct ProvisioningCommandTests {
    private struct Desk {
        let home: PrivateHome
        let fixture: CloudFixture

        @discardableResult
        func run(_ arguments: String..., input: String = "") async throws -> String {
            let outcome = try await RunningProgram(arguments, home: home, input: input).end()
            #expect(outcome.exitCode == 0, "\(arguments): \(outcome.error)")
            return outcome.output
        }

        func failure(_ arguments: String...) async throws -> String {
            let outcome = try await RunningProgram(arguments, home: home, input: "").end()
            #expect(outcome.exitCode == 1, "\(arguments): \(outcome.output)")
            return outcome.error
        }
    }

    private func with(_ body: (Desk) async throws -> Void) async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            try await fixture.cloud.setAdministrator(person: fixture.person)
            let login = try await fixture.login("files", in: home, ["--type", "nextcloud"])
            try #require(login.exitCode == 0, "\(login.error)")
            try await body(Desk(home: home, fixture: fixture))
        }
    }

    @Test func usersAndGroups() async throws {
        try await with { desk in
            try await desk.run("group", "create", "files", "team")
            try await desk.run(
                "user", "create", "files", "frank@example.org", "--username", "Frank",
                "--first-name", "Frank", "--last-name", "Stein", "--quota", "5G", "--group", "team",
                "--password-stdin", input: "password of frank\n")
            let shown = try await desk.run("user", "show", "files", "frank@example.org")
            #expect(shown.contains("Frank Stein"))
            #expect(shown.contains("5.0 GB"))
            #expect(shown.contains("team"))
            let list = try await desk.run("user", "list", "files", "--json")
            let users = try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]]
            #expect(users?.map { $0["id"] as? String } == ["Frank", CloudFixture.user])
            try await desk.run(
                "user", "update", "files", "Frank", "--quota", "6G", "--admin", "--email",
                "f@example.org")
            let changed = try await desk.run("user", "show", "files", "Frank", "--json")
            let user = try JSONSerialization.jsonObject(with: Data(changed.utf8)) as? [String: Any]
            #expect(user?["quota"] as? Int == 6 << 30)
            #expect(user?["email"] as? String == "f@example.org")
            #expect(user?["groups"] as? [String] == ["admin", "team"])
            let members = try await desk.run("group", "members", "files", "team")
            #expect(members.contains("Frank"))
            try await desk.run("group", "remove", "files", "team", "--user", "Frank")
            #expect(try await desk.run("group", "members", "files", "team").contains("No members"))
            try await desk.run("group", "delete", "files", "team", "--yes")
            try await desk.run("user", "delete", "files", "Frank", "--yes")
            #expect(try await desk.failure("user", "show", "files", "Frank").contains("no user"))
        }
    }

    @Test func usersOfATable() async throws {
        try await with { desk in
            let table = try desk.home.file(
                "users.csv",
                """
                email,username,first_name,password,quota
                a@example.org,a,Anna,password of anna,1G
                b@example.org,b,Bert,short,1G
                """)
            for round in 0..<2 {
                let outcome = try await RunningProgram(
                    ["user", "import", "files", table], home: desk.home, input: ""
                ).end()
                #expect(outcome.exitCode == 1)
                #expect(outcome.output.contains(round == 0 ? "created" : "exists"))
                #expect((outcome.output + outcome.error).contains("10 characters"))
            }
        }
    }

    /// As an ownCloud leaves it where the program ends between the steps: without an address.
    @Test func aUserWhoseMakingWasInterruptedIsCompleted() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            try await fixture.cloud.setAdministrator(person: fixture.person)
            let login = try await fixture.login("files", in: home, ["--type", "nextcloud"])
            try #require(login.exitCode == 0, "\(login.error)")
            try await fixture.cloud.addPersons(["frank"])
            let table = try home.file(
                "users.csv",
                "email,username,password,quota\nfrank@example.org,frank,password of frank,1G\n")
            let again = try await home.run("user", "import", "files", table)
            #expect(again.output == "line 2: exists frank@example.org\n", "\(again.error)")
            let updated = try await home.run("user", "import", "files", table, "--update")
            #expect(updated.output == "line 2: updated frank@example.org\n", "\(updated.error)")
            let shown = try await home.run("user", "show", "files", "frank@example.org")
            #expect(shown.output.contains("frank"))
            #expect(shown.output.contains("1.0 GB"))
        }
    }

    @Test func administratorsOfGroups() async throws {
        try await with { desk in
            try await desk.run("group", "create", "files", "team")
            try await desk.run(
                "user", "create", "files", "frank@example.org", "--username", "Frank",
                "--password-stdin", input: "password of frank\n")
            try await desk.run(
                "group", "admins", "add", "files", "team", "--user", "frank@example.org")
            #expect(
                try await desk.run("group", "admins", "list", "files", "team").contains("Frank"))
            #expect(
                try await desk.run("group", "admins", "list", "files", "--user", "Frank")
                    .contains("team"))
            try await desk.run("group", "admins", "remove", "files", "team", "--user", "Frank")
            #expect(
                try await desk.failure(
                    "group", "admins", "remove", "files", "team", "--user", "Frank"
                ).contains("not a subadmin"))
        }
    }

    @Test func apps() async throws {
        try await with { desk in
            #expect(
                try await desk.run("app", "list", "files", "--disabled")
                    .contains("files_texteditor"))
            try await desk.run("app", "enable", "files", "files_texteditor")
            #expect(
                try await desk.run("app", "list", "files", "--disabled").contains("No apps"))
            #expect(try await desk.run("app", "show", "files", "files").contains("File Management"))
            #expect(
                try await desk.failure("app", "disable", "files", "none").contains("not found"))
        }
    }

    @Test func whatANextcloudLacksIsSaid() async throws {
        try await with { desk in
            for command in [
                ["share", "list"], ["machine", "list"], ["guest", "list"], ["activity", "list"],
            ] {
                let said = try await desk.failure(command[0], command[1], "files")
                #expect(said.contains("this Nextcloud has no"), "\(said)")
            }
            #expect(
                try await desk.failure("user", "list", "files", "--org", "1")
                    .contains("organizations"))
            try await desk.run("group", "create", "files", "team")
            #expect(
                try await desk.failure("group", "rename", "files", "team", "other")
                    .contains("can't be renamed"))
        }
    }

    /// A LeitzCloud has no apps.
    @Test func aLeitzCloudHasNoApps() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            #expect(try await fixture.login("work", in: home).exitCode == 0)
            let outcome = try await home.run("app", "list", "work")
            #expect(outcome.exitCode == 1)
            #expect(outcome.error.contains("this LeitzCloud has no apps"), "\(outcome.error)")
        }
    }
}
