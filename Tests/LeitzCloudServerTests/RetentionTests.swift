import Foundation
import LeitzCloudAPI
import LeitzCloudServer
import TestSupport
import Testing

/// The rules `purge_deleted` and `trim_revisions` of an organization's policy.
@Suite struct RetentionTests {
    private static let day: Int64 = 86_400

    /// A harness whose person is the administrator, with rules set.
    private func with(
        _ rules: [(String, String)], _ behaviour: ServerBehaviour = ServerBehaviour(),
        _ body: (CloudHarness) async throws -> Void
    ) async throws {
        try await CloudHarness.run(behaviour) { harness in
            try await harness.cloud.setAdministrator(person: harness.person)
            let answer = try await harness.post(
                "/api/2/organization/1/policy/update", rules)
            #expect(answer.status == 200, "\(answer.text)")
            try await body(harness)
        }
    }

    /// Days pass, and the server does its hourly work; gives a fresh token.
    private func pass(days: Int64, _ harness: CloudHarness) async throws -> String {
        harness.clock.advance(days * Self.day)
        try await harness.cloud.applyRetention()
        return try await CloudHarness.signIn(
            harness.client, harness.cloud.url, CloudHarness.email, CloudHarness.password)
    }

    private func contents(_ harness: CloudHarness) throws -> Int {
        let folder = harness.folder + "/content"
        return try FileManager.default.subpathsOfDirectory(atPath: folder)
            .count { $0.contains("/") }
    }

    @Test func deletedItemsVanishAfterTheirDays() async throws {
        try await with([("purge_deleted", "true"), ("purge_deleted_frequency", "10")]) { harness in
            let file = try await harness.uploaded("a")
            let folder = try await harness.makeFolder("d")
            let below = try await harness.makeFolder("e", in: folder.id)
            _ = try await harness.uploaded("b", folder: below.id)
            _ = try await harness.uploaded("kept")
            let share = try await harness.post(
                harness.files + "/\(file.id)/share", [("subscribers", "g@example.com")])
            #expect(share.status == 200, "\(share.text)")
            for path in ["/\(file.id)", "/folder/\(folder.id)"] {
                #expect(try await harness.post(harness.files + path + "/delete").status == 200)
            }
            let early = try await pass(days: 9, harness)
            let before = try await harness.listing(token: early)
            #expect(before.children?.map(\.path) == ["/d", "/a", "/kept"])
            #expect(try contents(harness) == 3)

            let late = try await pass(days: 1, harness)
            let after = try await harness.listing(token: late)
            #expect(after.children?.map(\.path) == ["/kept"])
            #expect(after.hash != before.hash)
            #expect(try contents(harness) == 1)
            for path in ["/\(file.id)", "/folder/\(folder.id)", "/folder/\(below.id)"] {
                let gone = try await harness.get(harness.files + path, token: late)
                #expect(gone.failure == "404 not_found", "\(path)")
            }
            let usage = try await harness.get(
                "/api/2/organization/1/metrics/usage", token: late
            ).decode(WireUsage.self)
            #expect(usage.total?.fileCount == 1)
            #expect(usage.total?.deletedFileCount == 0)
        }
    }

    /// A revision's number must never mean two contents, also after a restart, which goes on behind
    /// the greatest one.
    @Test func theNewestRevisionStays() async throws {
        try await with([("purge_deleted", "true"), ("purge_deleted_frequency", "1")]) { harness in
            let file = try await harness.uploaded("a")
            _ = try await harness.post(harness.files + "/\(file.id)/delete")
            let token = try await pass(days: 2, harness)
            #expect(try await harness.listing(token: token).children?.count == 1)
            let next = try await harness.upload("b", "x".utf8, token: token)
            #expect(next.status == 200, "\(next.text)")
            try await harness.cloud.applyRetention()
            let left = try await harness.listing(token: token)
            #expect(left.children?.map(\.path) == ["/b"])
        }
    }

    @Test func withoutTheRuleOrItsDaysAllIsKept() async throws {
        for rules in [
            [("purge_deleted", "false"), ("purge_deleted_frequency", "1")],
            [("purge_deleted", "true"), ("purge_deleted_frequency", "")],
        ] {
            try await with(rules) { harness in
                let file = try await harness.uploaded("a")
                _ = try await harness.uploaded("b")
                _ = try await harness.post(harness.files + "/\(file.id)/delete")
                let token = try await pass(days: 1_000, harness)
                #expect(try await harness.listing(token: token).children?.count == 2)
            }
        }
    }

    @Test func earlierRevisionsOfUnchangedFilesVanish() async throws {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName = .revision
        try await with([("trim_revisions", "true"), ("trim_revisions_x", "30")], behaviour) {
            harness in
            for content in ["one", "two", "three"] {
                _ = try await harness.uploaded("old", content)
            }
            let old = try #require(try await harness.listing().children?.first)
            let middle = try await pass(days: 29, harness)
            for content in ["1", "2"] {
                let answer = try await harness.upload("new", content.utf8, token: middle)
                #expect(answer.status == 200)
            }
            #expect(try contents(harness) == 5)
            let token = try await pass(days: 1, harness)
            // Only the old file has been left alone for thirty days.
            #expect(try contents(harness) == 3)
            let usage = try await harness.get(
                "/api/2/organization/1/metrics/usage", token: token
            ).decode(WireUsage.self)
            #expect(usage.teamShares?.revisionCount == 3)
            let download = try await harness.get(
                harness.files + "/\(old.id)/download", token: token)
            #expect(download.text == "three")
        }
    }

    /// The work is done when the server starts, and then every hour.
    @Test func theServerDoesItByItself() async throws {
        try await with([("purge_deleted", "true"), ("purge_deleted_frequency", "1")]) { harness in
            let file = try await harness.uploaded("a")
            _ = try await harness.uploaded("b")
            _ = try await harness.post(harness.files + "/\(file.id)/delete")
            await harness.cloud.stop()
            harness.clock.advance(2 * Self.day)
            let again = try await CloudHarness.start(
                harness.folder, ServerBehaviour(), harness.clock)
            do {
                try await eventually { try contents(harness) == 1 }
            } catch {
                await again.stop()
                throw error
            }
            await again.stop()
        }
    }
}
