import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

@Suite struct OrganizationTests {
    @Test func anOrganizationIsMadeFoundAndChanged() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let made = try await admin.makeOrganization("widgets") {
                $0.description = "Makes widgets"
                $0.trialUntil = 1_900_000_000
                $0.policy.maxFileSize = LenientInteger(12)
            }
            #expect(made.parentID == firstOrganization)
            #expect(made.name == "Widgets")
            #expect(made.active == true)
            #expect(made.trialUntil?.seconds == 1_900_000_000)
            #expect(made.policy?.maxFileSize?.value == 12)
            #expect(made.policy?.userLockFiles == false)
            #expect(made.policy?.maximumOrganizations?.value == 10)
            #expect(made.policy?.excludedExtensions?.contains(".tmp,") == true)
            #expect(try await admin.organization(made.id) == made)
            let key = try #require(made.licenseKey)
            #expect(try await admin.organization(licenseKey: key) == made)
            #expect(try await admin.organizations(below: firstOrganization).all == [made])

            var change = OrganizationRequest()
            change.name = "Widgets & Co"
            change.privacyMode = true
            change.shareDisclaimer = "Be nice"
            let changed = try await admin.updateOrganization(made.id, change)
            #expect(changed.name == "Widgets & Co")
            #expect(changed.slug == "widgets")
            #expect(changed.privacyMode == true)
            #expect(changed.shareDisclaimer == "Be nice")
            #expect(changed.description == "Makes widgets")
        }
    }

    @Test func aDisabledOrganizationLetsNobodyIn() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let above = try await admin.makeOrganization("above")
            var request = OrganizationRequest()
            request.name = "Below"
            request.email = "b@example.com"
            request.slug = "below"
            let below = try await admin.createOrganization(below: above.id, request)
            _ = try await admin.makePerson("carol@example.com", in: below.id)
            let carol = try await cloud.client(user: "carol@example.com", password: "pw")
            _ = try await carol.person()

            try await admin.disableOrganization(above.id)
            await expectRefusal(.signInRequired) { _ = try await carol.person() }
            await #expect(throws: SignInError.self) {
                try await cloud.client(user: "carol@example.com", password: "pw")
            }
            #expect(try await admin.organization(above.id).active == false)
            try await admin.enableOrganization(above.id)
            let again = try await cloud.client(user: "carol@example.com", password: "pw")
            #expect(try await again.person().companyID == below.id)

            try await admin.deleteOrganization(above.id)
            await expectRefusal(.notFound) { _ = try await admin.organization(below.id) }
            await expectRefusal(.signInRequired) { _ = try await again.person() }
            let new = try await admin.makePerson("carol@example.com")
            #expect(new.companyID == firstOrganization)
            await expectRefusal(.forbidden) {
                try await admin.deleteOrganization(firstOrganization)
            }
        }
    }

    @Test func onlyAdministratorsOfAnOrganizationMaySeeAndChangeIt() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let one = try await admin.makeOrganization("one")
            let other = try await admin.makeOrganization("other")
            _ = try await admin.makePerson("dora@example.com", in: one.id) {
                $0.isSiteAdministrator = true
            }
            let dora = try await cloud.client(user: "dora@example.com", password: "pw")
            #expect(try await dora.organization(one.id).id == one.id)
            var request = OrganizationRequest()
            request.name = "Inner"
            request.email = "i@example.com"
            request.slug = "inner"
            let inner = try await dora.createOrganization(below: one.id, request)
            #expect(inner.parentID == one.id)
            _ = try await dora.makePerson("ed@example.com", in: inner.id)

            for forbidden in [firstOrganization, other.id] {
                await expectRefusal(.forbidden) { _ = try await dora.organization(forbidden) }
                await expectRefusal(.forbidden) { _ = try await dora.persons(of: forbidden).all }
                await expectRefusal(.forbidden) {
                    try await dora.disableOrganization(forbidden)
                }
                await expectRefusal(.forbidden) {
                    _ = try await dora.makePerson("x@example.com", in: forbidden)
                }
            }
            await expectRefusal(.forbidden) {
                _ = try await dora.makePerson("x@example.com", in: one.id) {
                    $0.isSystemAdministrator = true
                }
            }
            let bob = try await cloud.client(.bob)
            await expectRefusal(.forbidden) { _ = try await bob.organization(firstOrganization) }
            await expectRefusal(.notFound) { _ = try await admin.organization(999) }
            await expectRefusal(.notFound) {
                _ = try await admin.organization(licenseKey: "L-0000")
            }
        }
    }

    @Test func badFieldsAreNamed() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            var request = OrganizationRequest()
            request.name = "A"
            request.email = "a@example.com"
            await expectRefusal(.invalidRequest, "Missing required parameter: slug") {
                _ = try await admin.createOrganization(below: firstOrganization, request)
            }
            request.slug = "Not Good"
            await expectRefusal(.invalidRequest, "Invalid value for parameter: slug") {
                _ = try await admin.createOrganization(below: firstOrganization, request)
            }
            _ = try await admin.makeOrganization("taken")
            await expectRefusal(.nameConflict) { _ = try await admin.makeOrganization("taken") }
            let policy = WirePolicy(fields: ["max_file_size": .text("many")])
            await expectRefusal(.invalidRequest, "Invalid value for parameter: max_file_size") {
                _ = try await admin.updatePolicy(of: firstOrganization, policy)
            }
            let limit = WirePolicy(fields: ["num_orgs_maximum": .integer(1)])
            _ = try await admin.updatePolicy(of: firstOrganization, limit)
            await expectRefusal(.policy, "Organization limit") {
                _ = try await admin.makeOrganization("one-more")
            }
        }
    }

    /// What a policy forbids, the file calls of the organization's persons refuse.
    @Test func aPolicyBinds() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let organization = try await admin.makeOrganization("strict") {
                $0.policy.maxFileSize = LenientInteger(1)
                $0.policy.userCreateShares = false
            }
            let person = try await admin.makePerson("eve@example.com", in: organization.id) {
                $0.createsRoot = true
            }
            let root = try #require(person.rootID)
            let eve = try await cloud.client(user: "eve@example.com", password: "pw")
            await expectRefusal(.invalidExtension) { try await eve.put("a.tmp", in: root) }
            await expectRefusal(.tooLarge) {
                try await eve.put("large", size: 1_048_577, in: root)
            }
            let file = try await eve.put("small.txt", in: root)
            await expectRefusal(.forbidden) { try await eve.lock(file.reference, seconds: 60) }
            await expectRefusal(.forbidden) { _ = try await eve.share(file.reference) }

            var policy = WirePolicy(fields: [:])
            policy.userLockFiles = true
            policy.userCreateShares = true
            policy.secureShares = true
            policy.excludedExtensions = ".exe"
            policy.spaceQuota = LenientInteger(1_000)
            let changed = try await admin.updatePolicy(of: organization.id, policy)
            #expect(changed.policy?.excludedExtensions == ".exe")
            #expect(changed.policy?.maxFileSize?.value == 1)
            try await eve.put("a.tmp", in: root)
            try await eve.lock(file.reference, seconds: 60)
            try await eve.unlock(file.reference)
            #expect(try await eve.share(file.reference).loginRequired == true)
            await expectRefusal(.quotaExceeded) {
                try await eve.put("b.txt", size: 1_000, in: root)
            }
            #expect(try await eve.person().companyPolicy?.spaceQuota?.value == 1_000)
            // The rules of one organization are not those of another.
            let alice = try await cloud.client(.alice)
            let own = try #require(Int64(cloud.own.rawValue))
            try await alice.put("b.exe", size: 2_000, in: own)
        }
    }

    @Test func listsArePagedByAHundred() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            var names: [String] = []
            for number in 0..<203 {
                let group = try await admin.createGroup("Group \(number)", in: firstOrganization)
                names.append(group.name ?? "")
            }
            cloud.server.resetRequestCounts()
            #expect(
                try await admin.groups(of: firstOrganization).all.map { $0.name ?? "" } == names)
            #expect(cloud.server.requestCounts()["GET organization"] == 3)
            let tail = admin.groups(of: firstOrganization, from: 200)
            #expect(try await tail.all.count == 3)
            #expect(try await tail.firstPage().total == 203)
            #expect(try await admin.groups(of: firstOrganization, from: 500).all.isEmpty)
            await expectRefusal(.invalidRequest, "offset") {
                _ = try await admin.groups(of: firstOrganization, from: -1).firstPage()
            }
        }
    }

    @Test func directoryServersAreListed() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let id = try await cloud.server.addDirectoryServer(
                .init(host: "ldap.example.com", domain: "example.com", login: "reader"),
                organization: firstOrganization)
            let sources = try await admin.authSources(of: firstOrganization).all
            #expect(sources.map(\.id) == [id])
            #expect(sources.first?.host == "ldap.example.com")
            #expect(sources.first?.ssl == false)
            #expect(sources.first?.port == nil)
        }
    }

    @Test func usageAddsUp() async throws {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName = .revision
        try await TestCloud.with(behaviour) { cloud in
            let admin = try await cloud.administrator()
            let team = try #require(Int64(cloud.team.rawValue))
            let own = try #require(Int64(cloud.own.rawValue))
            let file = try await admin.put("a", size: 100, in: team)
            try await admin.put("a", size: 150, in: team)
            let gone = try await admin.put("b", size: 30, in: team)
            try await admin.delete(gone.reference)
            try await admin.put("c", size: 7, in: own)
            #expect(file.size == 100)
            let sub = try await admin.makeOrganization("sub")
            let carol = try await admin.makePerson("carol@example.com", in: sub.id) {
                $0.createsRoot = true
            }
            let client = try await cloud.client(user: "carol@example.com", password: "pw")
            try await client.put("d", size: 1_000, in: try #require(carol.rootID))
            _ = try await admin.createGroup("G", in: firstOrganization)

            let usage = try await admin.usage(ofOrganization: firstOrganization)
            let shares = try #require(usage.teamShares)
            #expect(shares.headSize == 150)
            #expect(shares.revisionSize == 100)
            #expect(shares.deletedSize == 30)
            #expect(shares.physicalSize == 280)
            #expect(shares.fileCount == 2)
            #expect(shares.deletedFileCount == 1)
            #expect(shares.revisionCount == 3)
            #expect(usage.users?.headSize == 1_007)
            #expect(usage.users?.rootCount == 2)
            #expect(usage.backups?.rootCount == 0)
            #expect(usage.total?.physicalSize == 1_287)
            #expect(usage.total?.rootCount == 3)
            #expect(usage.counts?.accounts == 4)
            #expect(usage.counts?.adminAccounts == 1)
            #expect(usage.counts?.groups == 1)
            #expect(usage.counts?.organizations == 1)
            #expect(usage.counts?.machines == 2)
            #expect(
                try await admin.usage(ofOrganization: sub.id).total?.physicalSize == 1_000)
        }
    }
}
