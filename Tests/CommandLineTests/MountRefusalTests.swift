import Foundation
import TestSupport
import Testing

/// Mounts that are refused; those that succeed are in MountTests.
@Suite struct MountRefusalTests {
    @Test func anUnknownAccountNamesTheRemedy() async throws {
        let home = try PrivateHome()
        let outcome = try await home.run("mount", "nobody", "mnt")
        #expect(outcome.exitCode == 1)
        #expect(outcome.error.contains("ordner login nobody"))
        #expect(!FileManager.default.fileExists(atPath: home.path + "/mnt"))
    }

    @Test func unknownOptionsAreNamed() async throws {
        let outcome = try await PrivateHome().run("mount", "work", "mnt", "-o", "ro,fast")
        #expect(outcome.exitCode == 1)
        #expect(outcome.error.contains("'fast'"))
    }

    @Test func theCacheMayNotBeInsideTheMountNorTheMountInTheCache() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            #expect(try await fixture.login("work", in: home).exitCode == 0)
            for arguments in [
                ["mount", "work", "mnt", "--cache-dir", "mnt/cache"],
                ["mount", "work", "cache/below", "--cache-dir", "cache"],
                ["mount", "work", home.path],
            ] {
                let outcome = try await RunningProgram(arguments, home: home, input: "").end()
                #expect(outcome.exitCode == 1, "\(arguments)")
                #expect(outcome.error.contains("within one another"), "\(outcome.error)")
            }
        }
    }

    @Test func theReasonComesFromTheDriverInTheBackground() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            #expect(try await fixture.login("work", in: home).exitCode == 0)
            let file = try home.file("not-a-folder", "x")
            let outcome = try await home.run("mount", "work", file)
            #expect(outcome.exitCode == 1)
            #expect(outcome.error.contains("not-a-folder"), "\(outcome.error)")
            let root = try await home.run("mount", "work:No such root", "mnt")
            #expect(root.exitCode == 1)
            #expect(root.error.contains("No such root"), "\(root.error)")
        }
    }

    @Test func signedOutAccountsDoNotMount() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            #expect(try await fixture.login("work", in: home).exitCode == 0)
            #expect(try await home.run("logout", "work").exitCode == 0)
            let outcome = try await home.run("mount", "work", "mnt")
            #expect(outcome.exitCode == 1)
            #expect(outcome.error.contains("ordner login work"), "\(outcome.error)")
        }
    }
}
