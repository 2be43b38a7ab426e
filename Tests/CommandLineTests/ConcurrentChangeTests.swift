import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// Two administrators who change one list at the same time, which can only be written whole.
@Suite struct ConcurrentChangeTests {
    @Test func aMemberWhoWasOverwrittenIsAddedAgain() async throws {
        let home = try PrivateHome()
        try await CloudFixture.with(home) { fixture in
            let cloud = fixture.cloud
            try await cloud.setAdministrator(person: fixture.person)
            #expect(try await fixture.login("work", in: home).exitCode == 0)
            try await cloud.addPersons(["a@example.com", "b@example.com"])
            try await cloud.addGroups(["Sales"])
            func add(_ user: String) throws -> RunningProgram {
                try RunningProgram(
                    ["group", "add", "work", "1", "--user", user], home: home, input: "")
            }
            // One has read the list and takes long to write it.
            var slowWrite = FaultRule(.delay(seconds: 3), method: "POST", routeKind: "group")
            slowWrite.pathContains = "/members"
            cloud.faults.add(slowWrite)
            cloud.resetRequestCounts()
            let first = try add("b@example.com")
            try await eventually(within: .seconds(30), "the slow write") {
                cloud.requestsUnderWay("POST group") == 1
            }
            // The other writes meanwhile, and looks at the list only after the slow write.
            var slowLook = FaultRule(
                .delay(seconds: 5), method: "GET", routeKind: "group", skip: 1)
            slowLook.pathContains = "/members"
            cloud.faults.add(slowLook)
            let second = try add("a@example.com")
            for program in [first, second] {
                let outcome = try await program.end()
                #expect(outcome.exitCode == 0, "\(outcome.error)")
            }
            let members = try await home.run("group", "members", "work", "1")
            #expect(members.output.contains("a@example.com"), "\(members.output)")
            #expect(members.output.contains("b@example.com"), "\(members.output)")
            // The second one has written twice.
            #expect(cloud.requestCounts()["POST group"] == 3)
        }
    }
}
