import Foundation
import LeitzCloudAPI
import LeitzCloudServer
import Testing

@Suite struct DAVLockTests {
    private let file = CloudHarness.davTeam + "/locked.txt"

    static func info(_ scope: String = "exclusive") -> String {
        "<d:lockinfo xmlns:d=\"DAV:\"><d:lockscope><d:\(scope)/></d:lockscope><d:locktype>"
            + "<d:write/></d:locktype><d:owner>client</d:owner></d:lockinfo>"
    }

    private func lock(
        _ cloud: CloudHarness, _ path: String, _ scope: String = "exclusive",
        authorization: String? = nil
    ) async throws -> Answer {
        try await cloud.dav(
            "LOCK", path, text: Self.info(scope), [("Depth", "0"), ("Timeout", "Second-300")],
            authorization: authorization)
    }

    private func token(_ answer: Answer) throws -> String {
        try #require(answer.header("Lock-Token"))
    }

    @Test func aLockNeedsItsToken() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(file, "1")
            let before = try await cloud.etag(CloudHarness.davHome)
            let locked = try await lock(cloud, file)
            #expect(locked.status == 200)
            #expect(locked.text.contains("<d:timeout>Second-300</d:timeout>"))
            let token = try token(locked)
            #expect(try await cloud.etag(CloudHarness.davHome) != before)
            #expect(try await lock(cloud, file).status == 423)
            let refused = try await cloud.dav("PUT", file, text: "2")
            #expect(refused.status == 423)
            #expect(
                refused.text.contains("<s:exception>Sabre\\DAV\\Exception\\Locked</s:exception>"))
            #expect(
                try await cloud.dav("PUT", file, text: "2", [("If", "(\(token))")]).status == 204)
            #expect(try await cloud.property("nc:lock", file) == "1")
            #expect(try await cloud.property("nc:lock-owner", file) == CloudHarness.email)
            #expect(try await cloud.property("nc:lock-owner-displayname", file) == "client")
            let refreshed = try await cloud.dav(
                "LOCK", file, [], [("If", "(\(token))"), ("Timeout", "Second-60")])
            #expect(refreshed.text.contains("Second-60"))
            #expect(
                try await cloud.dav("UNLOCK", file, [], [("Lock-Token", "<x:0>")]).status == 409)
            #expect(try await cloud.dav("UNLOCK", file, [], [("Lock-Token", token)]).status == 204)
            #expect(try await cloud.dav("PUT", file, text: "3").status == 204)
        }
    }

    @Test func aLockEndsWithItsTime() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(file, "1")
            #expect(try await lock(cloud, file).status == 200)
            cloud.clock.advance(301)
            #expect(try await cloud.dav("PUT", file, text: "2").status == 204)
            #expect(try await cloud.property("d:lockdiscovery", file) == "")
        }
    }

    @Test func locksHoldOnBothFaces() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(file, "1")
            let bob = try await cloud.davPerson("bob@example.com", fullAccess)
            let theirs = "/remote.php/dav/files/bob%40example.com/Team/locked.txt"
            let token = try token(try await lock(cloud, file))
            let bobsToken = try await CloudHarness.signIn(
                cloud.client, cloud.cloud.url, "bob@example.com", "pw-bob@example.com")
            let id = try #require(try await cloud.listing().children?.first?.id)
            let refused = try await cloud.post(
                cloud.files + "/\(id)/rename", [("name", "x")], token: bobsToken)
            #expect(refused.failure == "409 resource_locked")
            #expect(try await cloud.dav("DELETE", theirs, authorization: bob).status == 423)
            #expect(try await cloud.dav("UNLOCK", file, [], [("Lock-Token", token)]).status == 204)
            // And the other way round: a person's lock keeps the others out.
            #expect(
                try await cloud.post(cloud.files + "/\(id)/lock", token: bobsToken).status == 200)
            #expect(try await cloud.dav("PUT", file, text: "2").status == 423)
            #expect(try await cloud.property("nc:lock-owner-type", file) == "0")
            #expect(try await cloud.dav("PUT", theirs, text: "2", authorization: bob).status == 204)
        }
    }

    @Test func aPersonLocksWithoutAToken() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(file, "1")
            let user = [("X-User-Lock", "1")]
            #expect(try await cloud.dav("UNLOCK", file, [], user).status == 412)
            #expect(try await cloud.dav("LOCK", file, [], user).status == 200)
            let bob = try await cloud.davPerson("bob@example.com", fullAccess)
            let theirs = "/remote.php/dav/files/bob%40example.com/Team/locked.txt"
            let refused = try await cloud.dav("LOCK", theirs, [], user, authorization: bob)
            #expect(refused.status == 423)
            #expect(refused.text.contains("<nc:lock-owner>\(CloudHarness.email)</nc:lock-owner>"))
            #expect(try await cloud.dav("PUT", file, text: "own").status == 204)
            #expect(try await cloud.dav("UNLOCK", file, [], user).status == 200)
        }
    }

    @Test func aFolderLocksWhatIsInIt() async throws {
        try await CloudHarness.run { cloud async throws in
            let folder = CloudHarness.davHome + "/dir"
            try await cloud.davFolder(folder)
            try await cloud.davPut(folder + "/a", "1")
            let locked = try await cloud.dav(
                "LOCK", folder, text: Self.info(), [("Depth", "infinity")])
            let token = try token(locked)
            #expect(try await cloud.dav("PUT", folder + "/a", text: "2").status == 423)
            #expect(try await cloud.dav("PUT", folder + "/new", text: "2").status == 423)
            let header = ("If", "<\(cloud.cloud.url)\(folder)/> (\(token))")
            #expect(try await cloud.dav("PUT", folder + "/new", text: "2", [header]).status == 201)
            #expect(try await cloud.dav("DELETE", folder).status == 423)
            // A lock stays behind when its item moves.
            let moved = try await cloud.dav(
                "MOVE", folder, [], [header, ("Destination", CloudHarness.davHome + "/moved")])
            #expect(moved.status == 201)
            #expect(
                try await cloud.dav("PUT", CloudHarness.davHome + "/moved/a", text: "3").status
                    == 204)
        }
    }

    @Test func sharedLocksStandTogether() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(file, "1")
            let first = try token(try await lock(cloud, file, "shared"))
            #expect(try await lock(cloud, file, "shared").status == 200)
            #expect(try await lock(cloud, file).status == 423)
            #expect(try await cloud.dav("PUT", file, text: "2").status == 423)
            #expect(
                try await cloud.dav("PUT", file, text: "2", [("If", "(\(first))")]).status == 204)
        }
    }

    @Test func aFreeNameGetsAnEmptyFile() async throws {
        try await CloudHarness.run { cloud async throws in
            let answer = try await lock(cloud, file)
            #expect(answer.status == 201)
            #expect(answer.header("OC-FileId") != nil)
            #expect(try await cloud.dav("GET", file).status == 200)
            #expect(try await cloud.property("d:getcontentlength", file) == "0")
        }
    }
}
