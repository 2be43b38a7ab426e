import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

@Suite struct PersonTests {
    @Test func aPersonIsMadeAndFound() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let group = try await admin.createGroup("Sales", in: firstOrganization)
            let person = try await admin.makePerson("carol@example.com") {
                $0.firstName = "Carol"
                $0.lastName = "Muster Mann"
                $0.username = "cmuster"
                $0.spaceQuota = 5_000
                $0.mobilePhone = "+49 1"
                $0.groups = [group.id]
                $0.quotaMarks = [80: true, 90: false]
                $0.createsRoot = true
                $0.sendsWelcome = true
            }
            #expect(person.displayName == "Carol Muster Mann")
            #expect(person.lastName == "Muster Mann")
            #expect(person.username == "cmuster")
            #expect(person.spaceQuota?.value == 5_000)
            #expect(person.spaceUsage?.value == 0)
            #expect(person.siteAdmin == false)
            #expect(person.canShare == false)
            #expect(person.companyPolicy?.companyID == firstOrganization)
            #expect(person.roots?.map(\.id) == [person.rootID ?? 0])
            #expect(try await admin.person(person.id) == person)
            #expect(try await admin.person(email: "carol@example.com") == person)
            #expect(try await admin.members(ofGroup: group.id).members == [person.id])
            #expect(
                try await admin.persons(of: firstOrganization).all.map(\.email)
                    == TestCloud.Person.allCases.map(\.email) + ["carol@example.com"])
            let carol = try await cloud.client(user: "carol@example.com", password: "pw")
            #expect(try await carol.person() == person)
            await expectRefusal(.forbidden) { _ = try await carol.person(1) }
            await expectRefusal(.notFound) { _ = try await admin.person(999) }
            await expectRefusal(.notFound) { _ = try await admin.person(email: "no@body.x") }
            let mail = cloud.server.messages
            #expect(mail.map(\.recipient) == ["carol@example.com"])
        }
    }

    @Test func thousandsOfPersonsAreListed() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            try await cloud.server.addPersons((0..<3_000).map { "p\($0)@example.com" })
            var count = 0
            var last = ""
            for try await person in admin.persons(of: firstOrganization) {
                count += 1
                last = person.email
            }
            #expect(count == 3_003)
            #expect(last == "p2999@example.com")
            #expect(cloud.server.requestCounts()["GET organization"] == 31)
        }
    }

    @Test func aGeneratedPasswordReachesItsOwnerAndExpires() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            var request = PersonRequest()
            request.organization = firstOrganization
            request.email = "carol@example.com"
            await expectRefusal(.invalidRequest, "Missing required parameter: password") {
                _ = try await admin.createPerson(request)
            }
            request.password = .generated
            request.passwordLife = .sixHours
            _ = try await admin.createPerson(request)
            let message = try #require(cloud.server.messages.last)
            let password = try #require(message.body.split(separator: " ").last.map(String.init))
            _ = try await cloud.client(user: "carol@example.com", password: password)
        }
    }

    @Test func aPersonIsChanged() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let person = try await admin.makePerson("carol@example.com")
            let carol = try await cloud.client(user: "carol@example.com", password: "pw")
            var change = PersonRequest()
            change.firstName = "Carol"
            change.lastName = "New"
            change.spaceQuota = 77
            change.password = .given("other")
            let changed = try await admin.updatePerson(person.id, change)
            #expect(changed.displayName == "Carol New")
            #expect(changed.spaceQuota?.value == 77)
            await expectRefusal(.signInRequired) { _ = try await carol.person() }
            let again = try await cloud.client(user: "carol@example.com", password: "other")

            // What persons may change of themselves, and what not.
            var own = PersonRequest()
            own.firstName = "Caro"
            #expect(try await again.updatePerson(person.id, own).firstName == "Caro")
            own.spaceQuota = 1 << 40
            await expectRefusal(.forbidden) {
                _ = try await again.updatePerson(person.id, own)
            }
            var administrator = PersonRequest()
            administrator.isSiteAdministrator = true
            await expectRefusal(.forbidden) {
                _ = try await again.updatePerson(person.id, administrator)
            }
            var taken = PersonRequest()
            taken.email = "BOB@example.com"
            await expectRefusal(.nameConflict) {
                _ = try await admin.updatePerson(person.id, taken)
            }
            taken.email = "nonsense"
            await expectRefusal(.invalidRequest, "email") {
                _ = try await admin.updatePerson(person.id, taken)
            }
            var inactive = PersonRequest()
            inactive.isActive = false
            #expect(try await admin.updatePerson(person.id, inactive).active == false)
            await expectRefusal(.signInRequired) { _ = try await again.person() }
        }
    }

    /// Else the administrator of an organization could take the place of one of them all.
    @Test func aSystemAdministratorIsNotChangedByOneOfAnOrganization() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let organization = try await admin.makeOrganization("widgets").id
            let over = try await admin.makePerson("over@example.com", in: organization) {
                $0.isSystemAdministrator = true
            }
            _ = try await admin.makePerson("site@example.com", in: organization) {
                $0.isSiteAdministrator = true
            }
            let site = try await cloud.client(user: "site@example.com", password: "pw")
            var change = PersonRequest()
            change.password = .given("known")
            await expectRefusal(.forbidden) { _ = try await site.updatePerson(over.id, change) }
            change = PersonRequest()
            change.email = "site+over@example.com"
            await expectRefusal(.forbidden) { _ = try await site.updatePerson(over.id, change) }
            await expectRefusal(.forbidden) { try await site.deletePerson(over.id) }
            #expect(try await site.person(over.id).email == "over@example.com")
            // Nor goes one with an organization.
            var below = OrganizationRequest()
            below.name = "Below"
            below.email = "office@below.example.com"
            below.slug = "below"
            let inner = try await site.createOrganization(below: organization, below).id
            let second = try await admin.makePerson("second@example.com", in: inner) {
                $0.isSystemAdministrator = true
            }
            await expectRefusal(.forbidden) { try await site.disableOrganization(inner) }
            await expectRefusal(.forbidden) { try await site.deleteOrganization(inner) }
            try await admin.deletePerson(second.id)
            try await site.disableOrganization(inner)
            try await site.deleteOrganization(inner)
            change = PersonRequest()
            change.firstName = "Olga"
            let own = try await cloud.client(user: "over@example.com", password: "pw")
            #expect(try await own.updatePerson(over.id, change).firstName == "Olga")
            #expect(try await admin.updatePerson(over.id, change).firstName == "Olga")
        }
    }

    @Test func aQuotaSetByAnAdministratorBinds() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let person = try await admin.makePerson("carol@example.com") {
                $0.createsRoot = true
                $0.spaceQuota = 10
            }
            let carol = try await cloud.client(user: "carol@example.com", password: "pw")
            let root = try #require(person.rootID)
            try await carol.put("a", size: 10, in: root)
            await expectRefusal(.quotaExceeded) { try await carol.put("b", in: root) }
            var change = PersonRequest()
            change.spaceQuota = 20
            _ = try await admin.updatePerson(person.id, change)
            try await carol.put("b", in: root)
            let activity = try await admin.activity(ofPerson: person.id).all
            #expect(activity.contains { $0.data == "increased from 10.00B to 20.00B" })
        }
    }

    @Test func thereAreNoMorePersonsThanThePolicyAllows() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let organization = try await admin.makeOrganization("small") {
                $0.policy.maximumUsers = LenientInteger(1)
            }
            let person = try await admin.makePerson("one@example.com", in: organization.id)
            await expectRefusal(.invalidRequest, "user_limit_exceeded") {
                _ = try await admin.makePerson("two@example.com", in: organization.id)
            }
            try await admin.deletePerson(person.id)
            _ = try await admin.makePerson("two@example.com", in: organization.id)
        }
    }

    @Test func aDeletedPersonLeavesWhatIsNotToBeRemoved() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let team = try #require(Int64(cloud.team.rawValue))
            let person = try await admin.makePerson("carol@example.com") { $0.createsRoot = true }
            let root = try #require(person.rootID)
            try await cloud.server.subscribe(
                person: person.id, root: team, permissions: ["FILE_VIEW", "FILE_WRITE"])
            let carol = try await cloud.client(user: "carol@example.com", password: "pw")
            try await carol.put("hers", in: team)
            try await admin.put("mine", in: team)
            await expectRefusal(.forbidden) {
                let bob = try await cloud.client(.bob)
                try await bob.deletePerson(person.id)
            }
            var removal = PersonRemoval()
            removal.removesSharedFiles = true
            try await admin.deletePerson(person.id, removal)
            await expectRefusal(.signInRequired) { _ = try await carol.person() }
            await expectRefusal(.notFound) { _ = try await admin.person(person.id) }
            #expect(try await admin.entries(of: .top(of: cloud.team)).keys.sorted() == ["mine"])
            #expect(
                try await admin.root(root, ofOrganization: firstOrganization).rootType == "sync")
            let me = try await admin.person()
            await expectRefusal(.forbidden) { try await admin.deletePerson(me.id) }
            _ = try await admin.makePerson("carol@example.com")
        }
    }

    @Test func ownRootsAreMadeOnceAndGoWithTheirOwner() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let person = try await admin.makePerson("carol@example.com")
            #expect(person.rootID == nil)
            let root = try await admin.createRoot(ofPerson: person.id, webDAV: true)
            #expect(root.rootType == "sync")
            #expect(try await admin.createRoot(ofPerson: person.id).id == root.id)
            #expect(try await admin.person(person.id).rootID == root.id)
            var removal = PersonRemoval()
            removal.removesOwnFiles = true
            try await admin.deletePerson(person.id, removal)
            await expectRefusal(.rootDeleted) {
                _ = try await admin.root(root.id, ofOrganization: firstOrganization)
            }
        }
    }

    @Test func guestsSeeSharesAndBecomePersons() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let organization = try await admin.makeOrganization("guests") {
                $0.policy.maximumUsers = LenientInteger(1)
            }
            var request = GuestRequest()
            request.organization = organization.id
            request.firstName = "Gert"
            await expectRefusal(.invalidRequest, "last_name") {
                _ = try await admin.createGuest(request)
            }
            request.lastName = "Gast"
            request.email = "gert@example.com"
            request.password = .given("guest")
            let guest = try await admin.createGuest(request)
            #expect(guest.creatorID == (try await admin.person().id))
            #expect(guest.active == true)
            #expect(try await admin.guest(guest.id) == guest)
            #expect(try await admin.guest(email: "gert@example.com") == guest)
            #expect(try await admin.guests(of: organization.id).all == [guest])
            await expectRefusal(.nameConflict) { _ = try await admin.createGuest(request) }

            let team = try #require(Int64(cloud.team.rawValue))
            let file = try await admin.put("for-gert", in: team)
            var share = ShareRequest()
            share.subscribers = ["x@example.com", "Gert@example.com"]
            let made = try await admin.share(file.reference, share)
            #expect(try await admin.shares(ofGuest: guest.id).map(\.hash) == [made.hash])
            try await admin.delete(file.reference)
            #expect(try await admin.shares(ofGuest: guest.id).isEmpty)

            var change = GuestRequest()
            change.firstName = "Gerd"
            #expect(try await admin.updateGuest(guest.id, change).firstName == "Gerd")
            let bob = try await cloud.client(.bob)
            await expectRefusal(.forbidden) { _ = try await bob.guest(guest.id) }
            await expectRefusal(.notFound) { _ = try await admin.guest(999) }

            let filler = try await admin.makePerson("filler@example.com", in: organization.id)
            await expectRefusal(.invalidRequest, "user_limit_exceeded") {
                _ = try await admin.convertGuest(guest.id)
            }
            try await admin.deletePerson(filler.id)
            let person = try await admin.convertGuest(guest.id)
            #expect(person.displayName == "Gerd Gast")
            await expectRefusal(.notFound) { _ = try await admin.guest(guest.id) }
            _ = try await cloud.client(user: "gert@example.com", password: "guest")

            request.email = "gisa@example.com"
            let other = try await admin.createGuest(request)
            try await admin.deleteGuest(other.id)
            #expect(try await admin.guests(of: organization.id).all.isEmpty)
        }
    }
}
