import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// A thousand users from a file with an interruption, and ten thousand in a list.
@Suite struct ManyUsersTests {
    /// MiB that the program may have resident, whatever the number of users.
    private static let memoryLimit = 150
    private static let users = 1_000
    private static let killedAt = 400

    private static func email(_ number: Int) -> String { "user\(number)@example.com" }

    /// Runs a command to its end; gives what it said and the most memory that it had.
    private func run(_ arguments: [String], in home: PrivateHome) async throws
        -> (outcome: Outcome, memory: Int)
    {
        let program = try RunningProgram(arguments, home: home, input: "")
        var memory = 0
        try await eventually(within: .seconds(180), "the end of \(arguments)") {
            memory = max(memory, program.peakMemory)
            return program.hasEnded
        }
        return (try await program.end(), memory)
    }

    private struct User: Decodable {
        var id: Int
        var email: String
        var first_name: String
    }

    private func listed(in home: PrivateHome) async throws -> [User] {
        let listing = try await run(["user", "list", "work", "--all", "--json"], in: home)
        #expect(listing.memory < Self.memoryLimit)
        return try JSONDecoder().decode([User].self, from: Data(listing.outcome.output.utf8))
    }

    @Test func aThousandUsersComeFromAFileThroughAnInterruption() async throws {
        let home = try PrivateHome()
        // Hashes of passwords as they are kept in earnest take a server minutes for so many.
        try await CloudFixture.with(home, passwordCost: 4) { fixture in
            try await fixture.cloud.setAdministrator(person: fixture.person)
            let login = try await fixture.login("work", in: home)
            try #require(login.exitCode == 0, "\(login.error)")
            let lines = (1...Self.users).map { "\(Self.email($0)),First \($0),10G,pw\($0)" }
            let file = try home.file(
                "users.csv",
                "email,first_name,quota,password\n" + lines.joined(separator: "\n") + "\n")
            let arguments = ["user", "import", "work", file]

            let first = try RunningProgram(arguments, home: home, input: "")
            var memory = 0
            try await eventually(within: .seconds(180), "\(Self.killedAt) users") {
                memory = max(memory, first.peakMemory)
                return fixture.cloud.requestCounts()["POST person"] ?? 0 >= Self.killedAt
            }
            first.signal(SIGKILL)
            await #expect(throws: RunningProgram.Overdue.self) { try await first.end() }
            #expect((1..<Self.memoryLimit).contains(memory), "\(memory) MiB")
            let there = Set(try await listed(in: home).map(\.email))
            #expect((Self.killedAt..<Self.users).contains(there.count), "\(there.count)")
            // The report of what was done before may lack the call that was under way.
            let reported = first.output.split(separator: "\n").count
            #expect((there.count - 2...there.count - 1).contains(reported), "\(reported)")

            let second = try await run(arguments, in: home)
            #expect(second.outcome.exitCode == 0, "\(second.outcome.error)")
            #expect((1..<Self.memoryLimit).contains(second.memory), "\(second.memory) MiB")
            let report = second.outcome.output.split(separator: "\n").map(String.init)
            let expected = (1...Self.users).map { number in
                let email = Self.email(number)
                return
                    "line \(number + 1): \(there.contains(email) ? "exists" : "created") \(email)"
            }
            #expect(report == expected)
            let known = there.count - 1
            #expect(
                second.outcome.error.contains("\(Self.users - known) created, \(known) exists"))

            let users = try await listed(in: home).filter { $0.email != CloudFixture.user }
            #expect(users.count == Self.users)
            #expect(Set(users.map(\.email)) == Set((1...Self.users).map(Self.email)))
            #expect(
                users.allSatisfy { "user\($0.first_name.dropFirst(6))@example.com" == $0.email })
        }
    }

    @Test func tenThousandUsersAreListed() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            try await fixture.cloud.setAdministrator(person: fixture.person)
            let login = try await fixture.login("work", in: home)
            try #require(login.exitCode == 0, "\(login.error)")
            let emails = (1..<10_000).map(Self.email)
            try await fixture.cloud.addPersons(emails)
            let table = try await run(["user", "list", "work", "--all"], in: home)
            #expect((1..<Self.memoryLimit).contains(table.memory), "\(table.memory) MiB")
            let rows = table.outcome.output.split(separator: "\n").dropFirst()
            let shown = rows.compactMap { row in
                row.split(separator: " ", omittingEmptySubsequences: true).dropFirst().first
            }
            #expect(shown.map(String.init) == [CloudFixture.user] + emails)
        }
    }
}
