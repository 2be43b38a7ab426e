import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

@testable import ProvisioningClient

/// OCS and LeitzCloud's own API administer the same persons and groups.
@Suite struct BothFacesTests {
    private static let organization: Int64 = 1

    private func frank() -> NewUser {
        var user = NewUser(id: "Frank")
        user.password = "franks password"
        user.email = "frank@example.org"
        user.groups = ["team"]
        user.quota = .bytes(1 << 20)
        return user
    }

    /// A group made here, subscribed to a share there: its members have the share, as long as they
    /// are members.
    @Test func aShareForAGroupOfOCSAppears() async throws {
        try await EmbeddedScene.with { scene in
            let ocs = try scene.client(.nextcloud)
            try await ocs.createGroup("team")
            try await ocs.createUser(frank())
            let admin = try await scene.leitzCloud()
            var groups: [WireGroup] = []
            for try await group in admin.groups(of: Self.organization) { groups.append(group) }
            #expect(groups.map(\.name) == ["team"])
            let team = try #require(groups.first?.id)
            var request = TeamShareRequest()
            request.name = "Plans"
            request.subscribers.groups = [
                WireSubscriber(id: team, kind: .web, role: "COLLABORATOR")
            ]
            _ = try await admin.createTeamShare(in: Self.organization, request)
            let frank = try await scene.leitzCloud(
                user: "frank@example.org", password: "franks password")
            let person = try await frank.person()
            #expect(person.username == "Frank")
            #expect(person.spaceQuota?.value == 1 << 20)
            let before = try await frank.account().roots.map(\.name)
            #expect(before.contains("Plans"))
            try await ocs.remove("Frank", from: "team")
            let after = try await frank.account().roots.map(\.name)
            #expect(!after.contains("Plans"))
            try await ocs.add("Frank", to: "team")
            try await ocs.deleteGroup("team")
            let last = try await frank.account().roots.map(\.name)
            #expect(!last.contains("Plans"))
        }
    }

    @Test func aPersonOfTheOtherFaceIsAUser() async throws {
        try await EmbeddedScene.with { scene in
            let admin = try await scene.leitzCloud()
            var request = PersonRequest()
            request.organization = Self.organization
            request.email = "carol@example.com"
            request.firstName = "Carol"
            request.password = .given("password of carol")
            request.spaceQuota = 7 << 30
            let carol = try await admin.createPerson(request)
            let ocs = try scene.client(.nextcloud)
            let user = try await ocs.user("carol@example.com")
            #expect(user.displayName == "Carol")
            #expect(user.email == "carol@example.com")
            #expect(user.quota?.limit == .bytes(7 << 30))
            try await ocs.setEnabled("carol@example.com", false)
            #expect(try await admin.person(carol.id).active == false)
            var change = PersonRequest()
            change.isActive = true
            _ = try await admin.updatePerson(carol.id, change)
            #expect(try await ocs.user("carol@example.com").isEnabled == true)
            try await ocs.deleteUser("carol@example.com")
            await #expect(throws: CloudStorageError.self) { _ = try await admin.person(carol.id) }
        }
    }

    /// A limit of the organization's policy, and the record of what was done.
    /// `admin_create_users` of the policy.
    @Test func whereAdministratorsMakeNoUsersTheyMakeNoneByOCSEither() async throws {
        try await EmbeddedScene.with { scene in
            let admin = try await scene.leitzCloud()
            var organization = OrganizationRequest()
            organization.name = "Widgets"
            organization.email = "office@widgets.example"
            organization.slug = "widgets"
            let made = try await admin.createOrganization(below: Self.organization, organization)
            var person = PersonRequest()
            person.organization = made.id
            person.email = "site@widgets.example"
            person.password = .given("secret of the site")
            person.isSiteAdministrator = true
            _ = try await admin.createPerson(person)
            let site = try scene.client(
                .nextcloud, user: "site@widgets.example", password: "secret of the site")
            var user = frank()
            user.groups = []
            try await site.createUser(user)
            _ = try await admin.updatePolicy(
                of: made.id, WirePolicy(fields: ["admin_create_users": .flag(false)]))
            user.id = "Second"
            user.email = "second@example.org"
            do throws(ProvisioningError) {
                try await site.createUser(user)
                Issue.record("a user was made")
            } catch {
                #expect(error.kind == .forbidden, "\(error)")
            }
        }
    }

    @Test func policyAndActivityHoldForOCSToo() async throws {
        try await EmbeddedScene.with { scene in
            let ocs = try scene.client(.nextcloud)
            try await ocs.createGroup("team")
            try await ocs.createUser(frank())
            try await ocs.edit("Frank", .quota(.bytes(2 << 20)))
            let admin = try await scene.leitzCloud()
            var words: [String] = []
            for try await record in admin.activity(ofOrganization: Self.organization) {
                words.append(record.actedOn ?? "")
            }
            #expect(words.filter { $0 == "Frank" }.count == 2)
            #expect(words.contains("team"))
            let policy = WirePolicy(fields: ["num_users_maximum": .integer(2)])
            _ = try await admin.updatePolicy(of: Self.organization, policy)
            var second = frank()
            second.id = "Second"
            second.email = nil
            do throws(ProvisioningError) {
                try await ocs.createUser(second)
                Issue.record("a user beyond the limit was made")
            } catch {
                #expect(error.kind == .refused)
                #expect(error.code == 103)
                #expect(error.message.contains("limit"))
            }
        }
    }
}
