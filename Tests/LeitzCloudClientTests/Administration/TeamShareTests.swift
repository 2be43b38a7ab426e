import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

@Suite struct TeamShareTests {
    private static func collaborator(_ id: Int64, _ kind: WireSubscriber.Kind = .web)
        -> WireSubscriber
    {
        WireSubscriber(id: id, kind: kind, role: "COLLABORATOR")
    }

    @Test func aShareIsARootOfItsSubscribers() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let bob = try await cloud.client(.bob)
            let bobsID = try await bob.person().id
            let share = try await admin.makeShare("Plans") {
                $0.description = "What we want"
                $0.autoLock = true
                $0.subscribers.persons = [Self.collaborator(bobsID)]
            }
            #expect(share.rootType == "share")
            #expect(share.autoLock == true)
            #expect(try await bob.rootNames().contains("Plans"))
            try await bob.put("plan.txt", in: share.id)
            #expect(try await admin.teamShare(share.id, of: firstOrganization).spaceUsed == 1)
            #expect(
                try await admin.teamShares(of: firstOrganization).all.map(\.name)
                    == ["Team", "Plans"])
            #expect(try await admin.roots(ofOrganization: firstOrganization).all.count == 3)

            var change = TeamShareRequest()
            change.name = "Old plans"
            let changed = try await admin.updateTeamShare(
                share.id, of: firstOrganization, change)
            #expect(changed.name == "Old plans")
            #expect(changed.description == "What we want")
            #expect(try await bob.rootNames().contains("Old plans"))

            var viewers = SubscribersRequest()
            viewers.persons = [WireSubscriber(id: bobsID, kind: .web, role: "VIEWER")]
            try await admin.updateSubscribers(
                ofTeamShare: share.id, in: firstOrganization, viewers)
            await expectRefusal(.forbidden) { try await bob.put("more.txt", in: share.id) }
            viewers.persons = []
            try await admin.updateSubscribers(
                ofTeamShare: share.id, in: firstOrganization, viewers, removesFiles: true)
            #expect(try await !bob.rootNames().contains("Old plans"))
            await expectRefusal(.forbidden) { try await bob.put("more.txt", in: share.id) }
        }
    }

    @Test func aDeletedShareIsGoneForItsSubscribers() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let bob = try await cloud.client(.bob)
            let bobsID = try await bob.person().id
            let share = try await admin.makeShare("Plans") {
                $0.subscribers.persons = [Self.collaborator(bobsID)]
            }
            try await bob.put("plan.txt", size: 40, in: share.id)
            #expect(try await bob.person().spaceUsage?.value == 40)
            try await admin.deleteTeamShare(share.id, of: firstOrganization)
            await expectRefusal(.rootDeleted) { try await bob.put("more.txt", in: share.id) }
            #expect(try await !bob.rootNames().contains("Plans"))
            #expect(try await bob.person().spaceUsage?.value == 0)
            await expectRefusal(.rootDeleted) {
                _ = try await admin.teamShare(share.id, of: firstOrganization)
            }
        }
    }

    /// A share for a group is a root of everybody in it, whatever group they are in by.
    @Test func groupsInGroupsSubscribe() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let bob = try await cloud.client(.bob)
            let bobsID = try await bob.person().id
            var members = MembersRequest()
            members.persons = [bobsID]
            let inner = try await admin.createGroup("Inner", in: firstOrganization, members)
            members = MembersRequest()
            members.groups = [inner.id]
            let middle = try await admin.createGroup("Middle", in: firstOrganization, members)
            members.groups = [middle.id]
            let outer = try await admin.createGroup("Outer", in: firstOrganization, members)
            #expect(
                try await admin.groups(of: firstOrganization).all == [inner, middle, outer])
            let share = try await admin.makeShare("Plans") {
                $0.subscribers.groups = [
                    Self.collaborator(outer.id), Self.collaborator(outer.id, .machines),
                ]
            }
            #expect(try await bob.rootNames().contains("Plans"))
            let deep = try await admin.members(ofGroup: outer.id, includesGroups: true)
            #expect(deep.members == [])
            #expect(deep.memberGroups == [middle.id])
            #expect(deep.memberGroupsFromGroup == [inner.id])
            #expect(deep.membersFromGroup == [bobsID])
            #expect(try await admin.members(ofGroup: outer.id).membersFromGroup == nil)
            let subscribers = try await admin.subscribers(
                ofTeamShare: share.id, in: firstOrganization, includesGroups: true)
            #expect(subscribers.groups?.count == 2)
            #expect(subscribers.fromGroup?.contains(Self.collaborator(bobsID)) == true)
            #expect(subscribers.fromGroup?.contains(Self.collaborator(bobsID, .future)) == true)

            // A group can't come to be in itself.
            members.groups = [outer.id]
            await expectRefusal(.invalidRequest, "member_groups") {
                try await admin.updateMembers(ofGroup: inner.id, members)
            }
            members.groups = [999]
            await expectRefusal(.invalidRequest, "member_groups") {
                try await admin.updateMembers(ofGroup: inner.id, members)
            }

            members.groups = []
            try await admin.updateMembers(ofGroup: middle.id, members)
            #expect(try await !bob.rootNames().contains("Plans"))
            members.groups = [inner.id]
            try await admin.updateMembers(ofGroup: middle.id, members)
            #expect(try await bob.rootNames().contains("Plans"))
            #expect(try await admin.renameGroup(outer.id, to: "Out").name == "Out")
            await expectRefusal(.nameConflict) {
                _ = try await admin.renameGroup(outer.id, to: "Inner")
            }
            try await admin.deleteGroup(inner.id, removesFiles: true)
            #expect(try await !bob.rootNames().contains("Plans"))
            await expectRefusal(.notFound) { _ = try await admin.group(inner.id) }
            await expectRefusal(.forbidden) { _ = try await bob.group(outer.id) }
        }
    }

    @Test func accountsOfOtherOrganizationsAreInvited() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let other = try await admin.makeOrganization("other")
            _ = try await admin.makePerson("carol@example.com", in: other.id)
            let carol = try await cloud.client(user: "carol@example.com", password: "pw")
            await expectRefusal(.invalidRequest, "external_subscribers") {
                _ = try await admin.makeShare("No") {
                    $0.subscribers.external = ["bob@example.com"]
                }
            }
            let share = try await admin.makeShare("Plans") {
                $0.subscribers.external = ["carol@example.com"]
            }
            #expect(
                try await admin.subscribers(ofTeamShare: share.id, in: firstOrganization).external
                    == ["carol@example.com": "invited"])
            #expect(try await !carol.rootNames().contains("Plans"))
            try await cloud.server.answerInvitation(
                email: "carol@example.com", root: share.id, accepts: true)
            #expect(try await carol.rootNames().contains("Plans"))
            #expect(
                try await admin.subscribers(ofTeamShare: share.id, in: firstOrganization).external
                    == ["carol@example.com": "accepted"])
        }
    }

    @Test func shapesOfSubscribersAreChecked() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let me = try await admin.person().id
            let bad: [[WireSubscriber]] = [
                [Self.collaborator(999)], [Self.collaborator(me, .machines)],
                [Self.collaborator(me, .machine(999))],
                [WireSubscriber(id: me, kind: .web, role: "EMPEROR")],
            ]
            for subscribers in bad {
                await expectRefusal(.invalidRequest, "Invalid value for parameter: subscribers") {
                    _ = try await admin.makeShare("No") { $0.subscribers.persons = subscribers }
                }
            }
            #expect(try await admin.teamShares(of: firstOrganization).all.map(\.name) == ["Team"])
            await expectRefusal(.invalidRequest, "Missing required parameter: name") {
                _ = try await admin.createTeamShare(in: firstOrganization, TeamShareRequest())
            }
            await expectRefusal(.notFound) {
                let own = try #require(Int64(cloud.own.rawValue))
                _ = try await admin.teamShare(own, of: firstOrganization)
            }
        }
    }

    /// `all` stands for every way to be subscribed, machines included.
    @Test func allMeansEveryMachineOfTodayAndTomorrow() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let me = try await admin.person().id
            let share = try await admin.makeShare("Plans") {
                $0.subscribers.persons = [Self.collaborator(me, .all)]
            }
            let before = try await admin.subscribers(
                ofTeamShare: share.id, in: firstOrganization)
            let machines = try await admin.machines(of: firstOrganization).all.map(\.id)
            #expect(machines.count == 1)
            #expect(
                before.subscribers?.map(\.kind)
                    == [.web, .webDAV, .future] + machines.map { .machine($0) })
            _ = try await cloud.client(.alice)
            let after = try await admin.subscribers(
                ofTeamShare: share.id, in: firstOrganization)
            #expect(after.subscribers?.count == 5)
            let machine = try #require(
                after.subscribers?.compactMap { subscriber -> Int64? in
                    if case .machine(let id) = subscriber.kind { id } else { nil }
                }.last)
            let status = try await admin.status(ofMachine: machine)
            #expect(status.subscriptions?.map(\.folder) == ["Plans"])
            #expect(status.synced == true)
        }
    }

    @Test func aShareMovesToAnotherOrganization() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let other = try await admin.makeOrganization("other")
            let share = try await admin.makeShare("Plans")
            var change = TeamShareRequest()
            change.organization = other.id
            #expect(
                try await admin.updateTeamShare(share.id, of: firstOrganization, change).companyID
                    == other.id)
            #expect(try await admin.teamShares(of: other.id).all.map(\.id) == [share.id])
            await expectRefusal(.notFound) {
                _ = try await admin.teamShare(share.id, of: firstOrganization)
            }
        }
    }

    @Test func personsMayBeGivenTheRightToMakeShares() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let person = try await admin.makePerson("carol@example.com") {
                $0.makesTeamShares = true
            }
            #expect(person.canShare == true)
            let carol = try await cloud.client(user: "carol@example.com", password: "pw")
            let share = try await carol.makeShare("Hers") {
                $0.subscribers.persons = [Self.collaborator(person.id)]
            }
            #expect(try await carol.rootNames().contains("Hers"))
            let bob = try await cloud.client(.bob)
            await expectRefusal(.forbidden) { _ = try await bob.makeShare("His") }
            await expectRefusal(.forbidden) {
                try await carol.deleteTeamShare(share.id, of: firstOrganization)
            }
        }
    }
}
