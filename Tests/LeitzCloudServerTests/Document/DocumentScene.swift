import LeitzCloudAPI
import LeitzCloudServer
import NIOCore
import NIOHTTP1
import Testing

/// What a documented request is sent with.
struct DocumentedCall {
    /// For the names in angle brackets.
    var values: [String: String] = [:]
    var fields: [(String, String)] = []
    /// The name of a file to upload, with its content.
    var file: (name: String, content: String)?
    /// What the answer must have because it was asked for.
    var expected: [String: JSONValue] = [:]
    /// See `DocumentedShape`.
    var nullable: Set<String> = []
    /// The caller; nil for the administrator.
    var token: String?
}

/// A cloud with what the document's examples take for granted: its administrator is Anna, who asks;
/// the objects of the administrative chapters are in an organization below hers.
struct DocumentScene {
    let harness: CloudHarness
    /// Numbers and names by what they are called here.
    private(set) var known: [String: String] = [:]
    /// The objects that requests have answered, by the line of the request.
    private(set) var answers: [String: [String: JSONValue]] = [:]

    static let userPassword = "secret of the user"

    init(_ harness: CloudHarness) async throws {
        self.harness = harness
        try await harness.cloud.setAdministrator(person: harness.person)
        _ = try await harness.cloud.ensureOwnRoot(person: harness.person)
        known["person"] = String(harness.person)
        known["team"] = String(harness.root)
        try await makeFiles()
        try await makeOrganization()
        try await makeMachine()
        try await makeShare()
    }

    subscript(_ name: String) -> String { known[name] ?? "nothing called \(name)" }

    func number(_ name: String) -> JSONValue { Int64(self[name]).map { .integer($0) } ?? .null }

    /// The number of what an earlier request has made.
    func made(by line: String) -> String { text("id", of: line) }

    func text(_ field: String, of line: String) -> String {
        answers[line]?[field]?.formText ?? "nothing of \(line)"
    }

    mutating func note(_ answer: [String: JSONValue], of line: String) { answers[line] = answer }

    // MARK: - What there is

    /// Posts a form that must be taken; keeps the new object's number under a name.
    @discardableResult
    private mutating func make(
        _ name: String?, _ path: String, _ fields: [(String, String)] = []
    ) async throws -> [String: JSONValue] {
        let answer = try await harness.post("/api/2/" + path, fields)
        try #require(answer.status == 200, "\(path): \(answer.text)")
        let object = try answer.decode([String: JSONValue].self)
        if let name { known[name] = object["id"]?.formText }
        return object
    }

    private mutating func makeFiles() async throws {
        for name in ["a.txt", "taken.txt", "locked.txt"] {
            known[name] = String(try await harness.uploaded(name, "content").id)
        }
        for name in ["folder", "goal", "taken"] {
            known[name] = String(try await harness.makeFolder(name).id)
        }
        let goal = Int64(self["goal"])
        _ = try await harness.uploaded("taken.txt", folder: goal)
        _ = try await harness.makeFolder("taken", in: goal)
        _ = try await harness.uploaded("child.txt", folder: Int64(self["folder"]))
        _ = try await harness.makeFolder("inner", in: Int64(self["folder"]))
    }

    private mutating func makeOrganization() async throws {
        let made = try await make(
            "organization", "organization/1/organizations/create",
            [("name", "Base"), ("email", "base@example.com"), ("slug", "base")])
        known["license"] = made["license_key"]?.formText
        let path = "organization/\(self["organization"])"
        try await make(
            "child", path + "/organizations/create",
            [("name", "Child"), ("email", "child@example.com"), ("slug", "child")])
        // As in the example of an activity.
        for quota in [4 << 30, 100 << 30] as [Int64] {
            try await make(nil, path + "/policy/update", [("space_quota", String(quota))])
        }
        for (name, email, company) in [
            ("user", "user@example.com", self["organization"]),
            ("other", "other@example.com", self["organization"]),
            ("one", "one@example.com", "1"), ("two", "two@example.com", "1"),
        ] {
            try await make(
                name, "person/create",
                [
                    ("company_id", company), ("email", email), ("first_name", "First"),
                    ("last_name", "Last"), ("password", Self.userPassword),
                    ("create_root", name == "other" ? "false" : "true"),
                ])
        }
        for (name, member, inner) in [
            ("deep", "other", nil), ("middle", "other", "deep"), ("group", "user", "middle"),
        ] as [(String, String, String?)] {
            try await make(
                name, "group/create",
                [
                    ("name", name), ("company_id", self["organization"]),
                    ("members", "[\(self[member])]"),
                    ("member_groups", inner.map { "[\(self[$0])]" } ?? "[]"),
                ])
        }
        try await make(
            "guest", "guest/create",
            [
                ("company_id", self["organization"]), ("email", "guest@example.com"),
                ("first_name", "First"), ("last_name", "Last"), ("password", "x"),
            ])
        try await make(
            nil, "files/\(harness.root)/\(self["taken.txt"])/share",
            [("subscribers", "guest@example.com")])
    }

    private mutating func makeMachine() async throws {
        let signedIn = try await harness.oauth([
            ("grant_type", "password"), ("client_id", "anchor"),
            ("username", "user@example.com"), ("password", Self.userPassword),
            ("dns_name", "Google Nexus 6"), ("os_type", "win"), ("os_version", "5.1.0"),
        ])
        let token = try signedIn.decode(WireToken.self)
        known["token"] = token.accessToken
        known["guid"] = token.guid
        let organization = "/api/2/organization/\(self["organization"])"
        let machines = try await harness.get(organization + "/machines")
            .decode(WirePage<WireMachine>.self)
        let machine = try #require(machines.results.first).id
        known["machine"] = String(machine)
        let own = try await harness.get("/api/2/organization/1/machines")
            .decode(WirePage<WireMachine>.self)
        known["other machine"] = own.results.first.map { String($0.id) }
        let number = try #require(Int64(self["organization"]))
        var server = EmbeddedCloud.DirectoryServer(
            host: "localhost", domain: "example.com", login: "example")
        server.port = 636
        _ = try await harness.cloud.addDirectoryServer(server, organization: number)
        let root = try await harness.get("/api/2/person/\(self["user"])").decode(WirePerson.self)
        known["own root"] = root.rootID.map { String($0) }
        let activity = try await harness.get(organization + "/activity")
            .decode(WirePage<WireActivity>.self)
        known["activity"] = activity.results.first { $0.kindID == 8 }
            .map { String($0.id) }
    }

    private mutating func makeShare() async throws {
        let path = "organization/\(self["organization"])/shares/create"
        try await make(
            "share", path,
            [
                ("name", "Example Share"),
                ("subscribers", #"[[\#(self["user"]), "web", "COLLABORATOR"]]"#),
                ("group_subscribers", #"[[\#(self["group"]), "web", "COLLABORATOR"]]"#),
                ("external_subscribers", #"["one@example.com", "two@example.com"]"#),
            ])
        let share = try #require(Int64(self["share"]))
        try await harness.cloud.answerInvitation(
            email: "two@example.com", root: share, accepts: true)
        let machine = "machine/\(self["machine"])"
        try await make(nil, machine + "/server/enable")
        try await make(
            "mapping", machine + "/mappings/create",
            [("root_id", self["share"]), ("path", #"C:\Example"#)])
        try await make("backup", machine + "/backups/create", [("path", #"C:\Kept"#)])
        try await harness.cloud.reportFolders(
            machine: try #require(Int64(self["machine"])), [#"C:\Example1"#, #"C:\Example2"#])
    }
}
