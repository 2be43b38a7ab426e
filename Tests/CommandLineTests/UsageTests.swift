import Foundation
import TestSupport
import Testing

@Suite struct UsageTests {
    @Test func helpNamesEveryCommandAndEndsWithZero() async throws {
        let outcome = try await PrivateHome().run("--help")
        #expect(outcome.exitCode == 0)
        for command in [
            "login", "accounts", "logout", "mount", "unmount", "status", "sync", "warm", "cache",
            "conflicts", "server", "demo", "user", "group", "org", "share", "guest", "machine",
            "activity",
            "app", "usage",
        ] {
            #expect(outcome.output.contains("\n  \(command) "), "\(command)")
        }
        #expect(outcome.error == "")
    }

    @Test(arguments: [
        "login", "accounts", "logout", "mount", "unmount", "status", "sync", "warm", "cache",
        "conflicts", "server", "demo", "user", "group", "org", "share", "guest", "machine",
        "activity", "app", "usage",
    ])
    func everyCommandHasHelp(command: String) async throws {
        let outcome = try await PrivateHome().run(command, "--help")
        #expect(outcome.exitCode == 0)
        #expect(outcome.output.contains("USAGE: ordner \(command)"))
    }

    @Test(arguments: [
        ["nonsense"], ["mount"], ["unmount"], ["status", "--nonsense"], ["login", "name-only"],
        ["mount", "a", "b", "--lock=sometimes"], ["mount", "a", "b", "--cache-size", "much"],
        ["mount", "a", "b", "--poll", "0"], ["mount", "a", "b", "--sync=sometimes"],
        ["login", "a", "b", "--password-stdin", "--password-command", "x"],
        ["warm"], ["warm", "--json"], ["cache", "a", "b"], ["cache", "a", "--limit", "0"],
        ["cache", "--limit", "1G"], ["cache", "trim", "--to", "little"],
        ["mount", "a", "b", "--cache-size", "0"],
    ])
    func wrongUsageEndsWithTwo(arguments: [String]) async throws {
        let home = try PrivateHome()
        let outcome = try await RunningProgram(arguments, home: home, input: "").end()
        #expect(outcome.exitCode == 2, "\(arguments)")
        #expect(outcome.error.contains("Error: "))
        #expect(outcome.output == "")
    }

    @Test func accountsOfANewHomeAreNone() async throws {
        let home = try PrivateHome()
        let plain = try await home.run("accounts")
        #expect(plain.exitCode == 0)
        #expect(plain.output.contains("ordner login"))
        let json = try await home.run("accounts", "--json")
        #expect(try JSONDecoder().decode([String].self, from: Data(json.output.utf8)) == [])
    }

    @Test func statusWithoutMountsSaysSo() async throws {
        let home = try PrivateHome()
        let json = try await home.run("status", "--json")
        #expect(json.exitCode == 0)
        let one = try await home.run("status", home.path)
        #expect(one.exitCode == 1)
        #expect(one.error.contains("no Ordner mount is on \(home.path)"))
    }

    @Test func warmOutsideAMountSaysSo() async throws {
        let home = try PrivateHome()
        let outcome = try await home.run("warm", "here")
        #expect(outcome.exitCode == 1)
        #expect(outcome.error.contains("here is in no Ordner mount"))
    }

    @Test func cacheOfNothingSaysSo() async throws {
        let home = try PrivateHome()
        let none = try await home.run("cache")
        #expect(none.exitCode == 0)
        #expect(none.output.contains("ordner login"))
        let json = try await home.run("cache", "--json")
        #expect(try JSONDecoder().decode([String].self, from: Data(json.output.utf8)) == [])
        let nothing = try await home.run("cache", "trim")
        #expect(nothing.exitCode == 0)
        for arguments in [
            ["cache", "work"], ["cache", "trim", "work"], ["cache", "work", "--limit", "1G"],
        ] {
            let unknown = try await RunningProgram(arguments, home: home, input: "").end()
            #expect(unknown.exitCode == 1)
            #expect(unknown.error.contains("no account is named 'work'"))
        }
    }

    @Test func unmountOfNothingNamesTheFolder() async throws {
        let home = try PrivateHome()
        for option in [[], ["--now"]] {
            let outcome = try await RunningProgram(
                ["unmount", "nowhere"] + option, home: home, input: ""
            ).end()
            #expect(outcome.exitCode == 1)
            #expect(outcome.error.contains("no Ordner mount is on \(home.path)/nowhere"))
            #expect(outcome.error.contains("ordner status"))
        }
    }
}
