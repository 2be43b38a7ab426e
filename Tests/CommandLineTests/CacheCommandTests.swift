import Foundation
import TestSupport
import Testing

/// `ordner cache` without a mount.
@Suite struct CacheCommandTests {
    private struct Answer: Decodable {
        var account: String
        var bytes: Int64
        var problem: String?
    }

    private func answers(_ home: PrivateHome, _ arguments: String...) async throws -> [Answer] {
        let outcome = try await RunningProgram(arguments, home: home, input: "").end()
        #expect(outcome.exitCode == 0, "\(outcome.error)")
        return try JSONDecoder().decode([Answer].self, from: Data(outcome.output.utf8))
    }

    @Test func anAccountThatWasNeverMountedHasNone() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { cloud in
            #expect(try await cloud.login("home", in: home).exitCode == 0)
            for arguments in [["cache", "--json"], ["cache", "home", "--json"]] {
                let outcome = try await RunningProgram(arguments, home: home, input: "").end()
                let list = try JSONDecoder().decode([Answer].self, from: Data(outcome.output.utf8))
                #expect(list.map(\.account) == ["home"])
                #expect(list.map(\.bytes) == [0])
                #expect(list.first?.problem == nil)
            }
            let trimmed = try await home.run("cache", "trim", "home")
            #expect(trimmed.exitCode == 0)
            #expect(trimmed.output.contains("home: 0 files, 0 bytes freed"))
            let manager = FileManager.default
            #expect(!manager.fileExists(atPath: home.path + "/state/ordner/home/state"))
            #expect(!manager.fileExists(atPath: home.path + "/cache"))
        }
    }

    @Test func whoHasTheCacheInUseIsTold() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { cloud in
            for name in ["home", "other"] {
                #expect(try await cloud.login(name, in: home).exitCode == 0)
            }
            let state = home.path + "/state/ordner/home/state"
            for folder in [state, home.path + "/cache/ordner/home"] {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true)
            }
            let lock = open(state + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
            #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
            let holder = "in use by process \(getpid())"
            let list = try await answers(home, "cache", "--json")
            #expect(list.map(\.account) == ["home", "other"])
            #expect(list.first?.problem?.contains(holder) == true, "\(list)")
            #expect(list.last?.problem == nil)
            #expect(try await home.run("cache").output.contains(holder))
            for arguments in [["cache", "home"], ["cache", "trim", "home"], ["cache", "trim"]] {
                let refused = try await RunningProgram(arguments, home: home, input: "").end()
                #expect(refused.exitCode == 1)
                #expect(refused.error.contains(holder), "\(refused.error)")
            }
            close(lock)
            #expect(try await answers(home, "cache", "home", "--json").first?.problem == nil)
        }
    }
}
