import FoundationEssentials
import LeitzCloudAPI
import Testing

/// Every example object of the document is decoded, and encoded again as it was.
@Suite struct AdministrationSampleTests {
    private func json(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    /// The object of a sample, after a check that it is encoded as it came.
    private func object<Object: WireObject>(_ type: Object.Type, _ text: String) throws -> Object {
        let object = try JSONDecoder().decode(type, from: Data(text.utf8))
        let again = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(object))
        #expect(try again == json(text))
        return object
    }

    @Test func organization() throws {
        let organization = try object(WireOrganization.self, DocumentSamples.organization)
        #expect(organization.id == 2)
        #expect(organization.type == "organization")
        #expect(organization.parentID == 1)
        #expect(organization.slug == "example-organization")
        #expect(organization.created?.seconds == 1_381_211_140)
        #expect(organization.active == true)
        #expect(organization.planID == nil)
        #expect(organization.throttleExceptionWeekdays == nil)
    }

    @Test func policy() throws {
        let policy = try object(WirePolicy.self, DocumentSamples.policy)
        #expect(policy.companyID == 2)
        #expect(policy.spaceQuota?.value == 1_073_741_824)
        #expect(policy.maximumOrganizations?.value == 10)
        #expect(policy.changePasswordFrequency == nil)
        #expect(policy.deactivateTokenFrequency?.value == nil)
        #expect(policy.userLockFiles == true)
        #expect(policy.excludedExtensions?.hasPrefix(".$$,.$db") == true)
    }

    @Test func usage() throws {
        let space = try object(WireSpaceUsage.self, DocumentSamples.spaceUsage)
        let parts = [space.headSize, space.revisionSize, space.deletedSize].compactMap { $0 }
        #expect(space.physicalSize == parts.reduce(0, +))
        #expect(space.rootCount == 21)
        let counts = try object(WireUsageCounts.self, DocumentSamples.usageCounts)
        #expect(counts.adminAccounts == 5)
        let usage = try object(
            WireUsage.self,
            """
            {"type": "organization_usage", "counts": \(DocumentSamples.usageCounts),
             "backup_space_usage": \(DocumentSamples.spaceUsage),
             "team_share_space_usage": \(DocumentSamples.spaceUsage),
             "total_space_usage": \(DocumentSamples.spaceUsage),
             "user_space_usage": \(DocumentSamples.spaceUsage)}
            """)
        #expect(usage.counts == counts)
        #expect(usage.total == space)
    }

    @Test func accounts() throws {
        let person = try object(WirePerson.self, DocumentSamples.person)
        #expect(person.email == "user@example.com")
        #expect(person.spaceUsage?.value == 100)
        let guest = try object(WireGuest.self, DocumentSamples.guest)
        #expect(guest.creatorID == 1)
        #expect(guest.created?.seconds == 1_420_074_123)
        let group = try object(WireGroup.self, DocumentSamples.group)
        #expect(group.name == "Example Group")
        let members = try object(WireMembers.self, DocumentSamples.members)
        #expect(members.members == [2, 3])
        #expect(members.membersFromGroup == [1])
        let source = try object(WireAuthSource.self, DocumentSamples.authSource)
        #expect(source.domain == "example.com")
        #expect(source.protocol == nil)
    }

    @Test func machines() throws {
        let machine = try object(WireMachine.self, DocumentSamples.machine)
        #expect(machine.name == "Google Nexus 6")
        #expect(machine.kind == "mobile")
        #expect(machine.manualCollisions == true)
        let mapping = try object(WireMapping.self, DocumentSamples.mapping)
        #expect(mapping.path == #"C:\Example1"#)
        #expect(mapping.isShare == true)
        let backup = try object(WireBackup.self, DocumentSamples.backup)
        #expect(backup.path == #"C:\Example"#)
        let status = try JSONDecoder().decode(
            WireResult<WireMachineStatus>.self, from: Data(DocumentSamples.machineStatus.utf8)
        ).results
        #expect(status.synced == true)
        #expect(status.subscriptions?.first?.subscriptionID == 1_234)
        #expect(status.transfers == [])
    }

    @Test func activity() throws {
        let activity = try object(WireActivity.self, DocumentSamples.activity)
        #expect(activity.actedOnType == "site")
        #expect(activity.data == "increased from 4.00G to 100.00G")
        #expect(activity.actorCompanyID == nil)
        let type = try object(WireActivityType.self, DocumentSamples.activityType)
        #expect(type.activity == "added organization")
        #expect(type.isOfMachine == false)
    }

    @Test func files() throws {
        let root = try object(WireRoot.self, DocumentSamples.root)
        #expect(root.rootType == "sync")
        let share = try object(WireShare.self, DocumentSamples.fileShare)
        #expect(share.creatorID == 2)
        #expect(share.expires == nil)
        for (text, type) in [
            (DocumentSamples.file, WireItem.Kind.file), (DocumentSamples.folder, .folder),
        ] {
            let item = try JSONDecoder().decode(WireItem.self, from: Data(text.utf8))
            #expect(item.type == type)
            let again = try JSONDecoder().decode(
                WireItem.self, from: JSONEncoder().encode(item))
            #expect(again == item)
        }
    }

    @Test func subscribers() throws {
        let subscribers = try object(WireSubscribers.self, DocumentSamples.subscribers)
        #expect(subscribers.external["two@example.com"] == "accepted")
        #expect(
            subscribers.groups?.last
                == WireSubscriber(id: 1, kind: .machines, role: "COLLABORATOR"))
        #expect(subscribers.fromGroup?.count == 3)
        let machine = try JSONDecoder().decode(
            WireSubscriber.self, from: Data(#"[4, 17, "SOMETHING_NEW"]"#.utf8))
        #expect(machine.kind == .machine(17))
        #expect(machine.role == "SOMETHING_NEW")
        #expect(try json(#"[4, 17, "SOMETHING_NEW"]"#) == machine.json)
    }

    /// Fields and words that no document names come out as they went in.
    @Test func unknownFieldsAndWordsSurvive() throws {
        var machine = try object(
            WireMachine.self,
            """
            {"id": "7", "machine_type": "fridge", "newer": {"a": [1, 2.5, null, true]},
             "created": "2015-01-01 01:02:03"}
            """)
        #expect(machine.id == 7)
        #expect(machine.kind == "fridge")
        #expect(machine.created?.seconds == 1_420_074_123)
        machine.nickname = "Kitchen"
        machine.systemVersion = nil
        let again = try JSONDecoder().decode(
            [String: JSONValue].self, from: JSONEncoder().encode(machine))
        #expect(
            again["newer"]
                == .object(["a": .list([.integer(1), .number(2.5), .null, .flag(true)])])
        )
        #expect(again["nickname"] == .text("Kitchen"))
        #expect(again["os_version"] == .null)
    }

    @Test(arguments: ["{}", #"{"id": null}"#, #"{"id": "x"}"#, "[]", "7"])
    func anObjectWithoutItsNumberIsRefused(text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(WireGroup.self, from: Data(text.utf8))
        }
    }

    @Test func addressesAreEscaped() {
        #expect(
            AdministrationRoute.person(email: "a b/ü@x.de") == "/api/2/person/a%20b%2F%C3%BC@x.de")
        #expect(AdministrationRoute.organization(3, "share/4") == "/api/2/organization/3/share/4")
    }
}
