import CloudStorage
import FoundationEssentials
import HTTPTransport
import LeitzCloudServer
import TestSupport
import Testing

@testable import ProvisioningClient

/// Every example of the two documents, run against the embedded cloud, has the documented answer.
@Suite struct DocumentTests {
    /// What the pages take for granted.
    private func prepare(_ title: String, _ client: ProvisioningClient) async throws {
        switch title {
        case "Benutzer / erhalten eines Benutzers":
            try await client.edit("Frank", .email("frank@example.org"))
        case "Benutzer / Gruppen des Bentuzers":
            try await makeUser("Frank", client)
            try await client.createGroup("group1")
            try await client.add("Frank", to: "admin")
            try await client.add("Frank", to: "group1")
        case "Benutzer / Benutzer zur Gruppe hinzufügen": try await client.createGroup("newgroup")
        case "Benutzer / erstellen eines Subadmin": try await client.createGroup("group")
        case "Benutzer / entfernen eines Subadmin":
            try await client.createGroup("oldgroup")
            try await client.makeSubadministrator("Frank", of: "oldgroup")
        case "Benutzer / alle Subadmingrupen des Benutzers":
            try await client.removeSubadministrator("Frank", of: "group")
            try await client.createGroup("testgroup")
            try await client.makeSubadministrator("Frank", of: "testgroup")
        case "Gruppen / Gruppe hinzufügen": try await client.deleteGroup("newgroup")
        case "Gruppen / aller Subadmins dieser Gruppe":
            try await makeUser("Tom", client)
            try await client.createGroup("mygroup")
            try await client.makeSubadministrator("Tom", of: "mygroup")
        default: break
        }
    }

    private func makeUser(_ id: String, _ client: ProvisioningClient) async throws {
        var user = NewUser(id: id)
        user.password = "password of \(id)"
        try await client.createUser(user)
    }

    @Test func owncloudsExamples() async throws {
        try await EmbeddedScene.with { scene in
            let client = try scene.client(.owncloud)
            let examples = try DocumentExample.owncloud()
            #expect(examples.count == 20)
            for example in examples {
                try await prepare(example.title, client)
                let answer = try await scene.send(example)
                #expect(answer.status == 200, "\(example.title)")
                let documented = try OCSXMLReader.read(Data(example.answer.utf8))
                let given = try OCSXMLReader.read(answer.body)
                let title = example.title
                #expect(
                    given["meta"]?["statuscode"] == documented["meta"]?["statuscode"], "\(title)")
                #expect(given["meta"]?["status"] == documented["meta"]?["status"], "\(title)")
                let differences = Self.differences(
                    documented["data"] ?? .empty, given["data"] ?? .empty, title)
                #expect(differences == [], "\(title): \(given)")
            }
        }
    }

    /// Where an answer lacks what is documented: members may be more, lists are the same.
    private static func differences(
        _ documented: OCSNode, _ given: OCSNode, _ title: String
    ) -> [String] {
        switch documented {
        case .object(let members):
            return members.flatMap { member -> [String] in
                guard let value = given[member.name] else { return ["no \(member.name)"] }
                // The page shows the account of somebody who has an address.
                if title == "Benutzer / hinzufügen", member.name == "email" { return [] }
                return differences(member.value, value, title)
            }
        case .list(let nodes):
            // The page's administrator is none of the administrators.
            let texts = given.texts ?? []
            let isSame =
                title == "Gruppen / diese Gruppe"
                ? nodes.allSatisfy { texts.contains($0.text ?? "") }
                : nodes == texts.map { .text($0) }
            return isSame ? [] : ["\(texts) for \(nodes)"]
        case .text, .empty:
            // An empty `data` is that of calls that answer nothing.
            return documented == given ? [] : ["\(given) for \(documented)"]
        }
    }

    @Test func leviiasExamples() async throws {
        try await EmbeddedScene.with { scene in
            let client = try scene.client(.nextcloud)
            let examples = try DocumentExample.leviia()
            #expect(examples.map(\.method) == ["POST", "PUT", "GET", "DELETE"])
            func run(_ index: Int) async throws -> OCSNode {
                let answer = try await scene.send(examples[index])
                #expect(answer.status == 200, "\(examples[index].title)")
                let envelope = try OCSAnswer(answer)
                #expect(envelope.code == 200, "\(envelope.message)")
                return envelope.data
            }
            // Without its group the account is not made.
            let early = try await scene.send(examples[0])
            #expect(early.status == 400)
            #expect(try OCSAnswer(early).code == 104)
            try await client.createGroup("test")
            #expect(try await run(0)["id"]?.text == "thomas.dupond")
            let made = try await client.user("thomas.dupond")
            #expect(made.displayName == "thomas")
            #expect(made.email == "thomas.dupond@mail.com")
            #expect(made.groups == ["test"])
            #expect(made.quota?.limit == .bytes(1 << 40))
            #expect(made.language == "fr")
            // An empty password: the person is told one by e-mail, and it is right.
            let message = try #require(scene.cloud.messages.last)
            #expect(message.recipient == "thomas.dupond@mail.com")
            let password = try #require(message.body.split(separator: " ").last)
            #expect(
                try await scene.signInStatus(user: "thomas.dupond", password: String(password))
                    == 207)
            _ = try await run(1)
            let shown = ProvisionedUser(id: "", try await run(2))
            #expect(shown.id == "thomas.dupond")
            #expect(shown.displayName == "Thomas D.")
            #expect(shown.quota?.limit == .bytes(2 << 40))
            #expect(shown.language == "en")
            #expect(scene.cloud.messages.count == 2)
            _ = try await run(3)
            #expect(try await client.users() == [EmbeddedScene.administrator])
        }
    }
}
