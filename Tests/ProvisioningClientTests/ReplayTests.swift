import CloudStorage
import FoundationEssentials
import HTTPTransport
import TestSupport
import Testing

@testable import ProvisioningClient

/// A call whose answer was recorded from a real server, and what becomes of it.
struct Replay: Sendable, CustomTestStringConvertible {
    typealias Call = @Sendable (ProvisioningClient) async throws(ProvisioningError) -> String

    var sample: String
    var expected: String
    var call: Call

    init(_ sample: String, _ expected: String, _ call: @escaping Call) {
        self.sample = sample
        self.expected = expected
        self.call = call
    }

    var testDescription: String { sample }

    var dialect: ProvisioningDialect { sample.contains("/ocs1") ? .owncloud : .nextcloud }

    /// One that is only to be done.
    static func done(
        _ sample: String, _ expected: String = "done",
        _ call: @escaping @Sendable (ProvisioningClient) async throws(ProvisioningError) -> Void
    ) -> Replay {
        Replay(sample, expected) { client throws(ProvisioningError) in
            try await call(client)
            return "done"
        }
    }

    /// One that lists names.
    static func names(
        _ sample: String, _ expected: String,
        _ call: @escaping @Sendable (ProvisioningClient) async throws(ProvisioningError) -> [String]
    ) -> Replay {
        Replay(sample, expected) { client throws(ProvisioningError) in
            try await call(client).joined(separator: " ")
        }
    }

    func result(_ client: ProvisioningClient) async -> String {
        do throws(ProvisioningError) {
            return try await call(client)
        } catch {
            return "\(error.kind.rawValue) \(error.code.map(String.init) ?? "-") \(error.message)"
        }
    }
}

/// Recorded answers of Nextcloud 34.0.1 and ownCloud 10.15.2.
@Suite struct ReplayTests {
    /// Runs `body` with a client of a scripted server.
    static func with(
        _ dialect: ProvisioningDialect, script: @escaping ScriptedServer.Script,
        _ body: (ProvisioningClient, ScriptedServer) async throws -> Void
    ) async throws {
        try await ScriptedServer.with(script) { server in
            var configuration = TransportConfiguration()
            configuration.retry.baseDelay = .milliseconds(1)
            let transport = try HTTPTransport(configuration)
            let client = ProvisioningClient(
                try ServerAddress(server.url), dialect: dialect, user: "admin",
                password: "secret", transport: transport)
            try await body(client, server)
            await transport.shutdown()
        }
    }

    @Test(arguments: owncloudReplays + nextcloudReplays + leviiaReplays)
    func recordedAnswers(_ replay: Replay) async throws {
        let exchange = try RecordedExchange(replay.sample)
        try await Self.with(replay.dialect) { _, _ in
            exchange.scripted
        } _: { client, server in
            #expect(await replay.result(client) == replay.expected)
            let request = try #require(server.requests.first)
            #expect(server.requests.count == 1)
            // The request is the one that the real server got.
            #expect(request.method == exchange.method)
            let path = exchange.path.replacing("?format=json", with: "")
            #expect(request.path == path)
            #expect(request.header("OCS-APIRequest") == "true")
            #expect(request.header("Authorization") == "Basic YWRtaW46c2VjcmV0")
            if replay.dialect == .owncloud, !exchange.requestBody.contains("<password>") {
                let sent = String(decoding: request.body, as: UTF8.self)
                #expect(Self.fields(sent) == Self.fields(exchange.requestBody))
            }
        }
    }

    private static func fields(_ form: String) -> Set<String> {
        // `groupid=` of nobody is as good as none.
        Set(form.split(separator: "&").map(String.init).filter { !$0.hasSuffix("=") })
    }

    @Test func theDescriptionsOfRealUsersAreRead() async throws {
        let nextcloud = try ProvisionedUser(
            id: "x", OCSAnswer(answer("nextcloud/ocs2_user_get.xml")).data)
        let json = try ProvisionedUser(
            id: "x", OCSAnswer(answer("nextcloud/ocs2_user_get_json.json")).data)
        #expect(nextcloud == json)
        #expect(json.id == "thomas.dupond")
        #expect(json.email == "thomas.dupond@example.com")
        #expect(json.displayName == "thomas")
        #expect(json.isEnabled == true)
        #expect(json.language == "fr")
        #expect(json.groups == [])
        #expect(json.lastLogin == nil)
        #expect(json.quota?.limit == .bytes(1 << 40))
        #expect(json.quota?.used == 0)
        let alice = try ProvisionedUser(
            id: "x", OCSAnswer(answer("nextcloud/ocs2_user_get_quota_json.json")).data)
        #expect(alice.email == nil)
        #expect(alice.lastLogin == 1_795_305_865)
        #expect(alice.quota?.used == 20_972_594)
        #expect(alice.quota?.free == 31_456_206)
        let frank = try ProvisionedUser(
            id: "Frank", OCSAnswer(answer("nextcloud/ocs1_user_get.xml")).data)
        #expect(frank.quota?.limit == .unlimited)
        #expect(frank.quota?.free == nil)
        let old = try ProvisionedUser(
            id: "Frank", OCSAnswer(answer("owncloud/ocs1_user_get.xml")).data)
        #expect(old.id == "Frank")
        #expect(old.isEnabled == true)
        #expect(old.quota?.limit == .standard)
        #expect(old.groups == nil)
        let oldAlice = try ProvisionedUser(
            id: "alice", OCSAnswer(answer("owncloud/ocs2_user_get_quota_json.json")).data)
        #expect(oldAlice.isEnabled == true)
        #expect(oldAlice.quota?.used == 62_914_604)
        #expect(oldAlice.lastLogin == 1_795_305_890)
    }

    private func answer(_ name: String) throws -> HTTPAnswer {
        HTTPAnswer(
            status: 200, headers: [], body: Data(try RecordedExchange.bytes("Samples/" + name)))
    }
}

private let owncloudReplays: [Replay] = [
    .done("owncloud/ocs1_user_add_dup", "userExists 102 User already exists") {
        client throws(ProvisioningError) in
        var user = NewUser(id: "Frank")
        user.password = "frankspassword"
        try await client.createUser(user)
    },
    .names("owncloud/ocs1_users_list", "Frank admin") { client throws(ProvisioningError) in
        try await client.users()
    },
    .names("owncloud/ocs1_users_search", "Frank") { client throws(ProvisioningError) in
        try await client.users(search: "Frank", limit: 1)
    },
    Replay("owncloud/ocs1_user_get", "Frank true") { client throws(ProvisioningError) in
        let user = try await client.user("Frank")
        return "\(user.displayName ?? "") \(user.isEnabled ?? false)"
    },
    .done(
        "owncloud/ocs1_user_get_unknown",
        "noSuchUser 998 The requested user could not be found"
    ) { client throws(ProvisioningError) in _ = try await client.user("Nobody") },
    .done("owncloud/ocs1_user_edit_email") { client throws(ProvisioningError) in
        try await client.edit("Frank", .email("franksnewemail@example.org"))
    },
    .done("owncloud/ocs1_user_edit_email_bad", "invalidInput 102 ") {
        client throws(ProvisioningError) in
        try await client.edit("Frank", .email("notmail"))
    },
    .done("owncloud/ocs1_user_del_unknown", "refused 101 ") { client throws(ProvisioningError) in
        try await client.deleteUser("sub1")
    },
    .done("owncloud/ocs1_user_del") { client throws(ProvisioningError) in
        try await client.deleteUser("sub1")
    },
    .names("owncloud/ocs1_user_groups", "newgroup") { client throws(ProvisioningError) in
        try await client.groups(of: "Frank")
    },
    .done("owncloud/ocs1_user_group_add_badgroup", "noSuchGroup 102 ") {
        client throws(ProvisioningError) in try await client.add("Frank", to: "zzz")
    },
    .done("owncloud/ocs1_user_group_add_baduser", "noSuchUser 103 ") {
        client throws(ProvisioningError) in try await client.add("Nobody", to: "newgroup")
    },
    .done("owncloud/ocs1_user_group_add_nogroup", "groupNeeded 101 ") {
        client throws(ProvisioningError) in try await client.add("Frank", to: "")
    },
    .done("owncloud/ocs1_user_group_del") { client throws(ProvisioningError) in
        try await client.remove("Frank", from: "newgroup")
    },
    .done("owncloud/ocs1_subadmin_add") { client throws(ProvisioningError) in
        try await client.makeSubadministrator("Frank", of: "newgroup")
    },
    .done(
        "owncloud/ocs1_subadmin_add_admin",
        "refused 103 Cannot create subadmins for admin group"
    ) { client throws(ProvisioningError) in
        try await client.makeSubadministrator("Frank", of: "admin")
    },
    .done("owncloud/ocs1_subadmin_add_baduser", "noSuchUser 101 User does not exist") {
        client throws(ProvisioningError) in
        try await client.makeSubadministrator("Nobody", of: "newgroup")
    },
    .done("owncloud/ocs1_subadmin_add_badgroup", "noSuchGroup 102 Group:zzz does not exist") {
        client throws(ProvisioningError) in
        try await client.makeSubadministrator("Frank", of: "zzz")
    },
    .done("owncloud/ocs1_subadmin_del") { client throws(ProvisioningError) in
        try await client.removeSubadministrator("Frank", of: "newgroup")
    },
    .done(
        "owncloud/ocs1_subadmin_del_again",
        "notSubadministrator 102 User is not a subadmin of this group"
    ) { client throws(ProvisioningError) in
        try await client.removeSubadministrator("Frank", of: "newgroup")
    },
    .names("owncloud/ocs1_subadmins_of_user", "newgroup") { client throws(ProvisioningError) in
        try await client.administeredGroups(of: "Frank")
    },
    .names("owncloud/ocs1_subadmins_of_group", "Frank") { client throws(ProvisioningError) in
        try await client.subadministrators(of: "newgroup")
    },
    .names("owncloud/ocs1_groups_list", "admin") { client throws(ProvisioningError) in
        try await client.groups()
    },
    .names("owncloud/ocs1_groups_search", "newgroup") { client throws(ProvisioningError) in
        try await client.groups(search: "new")
    },
    .done("owncloud/ocs1_group_add") { client throws(ProvisioningError) in
        try await client.createGroup("newgroup")
    },
    .done("owncloud/ocs1_group_add_dup", "groupExists 102 ") { client throws(ProvisioningError) in
        try await client.createGroup("newgroup")
    },
    .done("owncloud/ocs1_group_add_empty", "invalidInput 101 Invalid group name") {
        client throws(ProvisioningError) in try await client.createGroup("")
    },
    .names("owncloud/ocs1_group_members", "Frank") { client throws(ProvisioningError) in
        try await client.members(of: "newgroup")
    },
    .done(
        "owncloud/ocs1_group_members_unknown",
        "noSuchGroup 998 The requested group could not be found"
    ) { client throws(ProvisioningError) in _ = try await client.members(of: "zzz") },
    .done("owncloud/ocs1_group_del_unknown", "noSuchGroup 101 ") {
        client throws(ProvisioningError) in try await client.deleteGroup("newgroup")
    },
    .done("owncloud/ocs1_group_del_admin", "refused 102 ") { client throws(ProvisioningError) in
        try await client.deleteGroup("admin")
    },
    .done("owncloud/ocs1_app_disable") { client throws(ProvisioningError) in
        try await client.setEnabled(app: "survey_client", false)
    },
    .done("owncloud/ocs1_app_info_unknown", "noSuchApp 998 The request app was not found") {
        client throws(ProvisioningError) in _ = try await client.app("zzz")
    },
    .done("owncloud/ocs1_badauth", "signInRequired 997 Unauthorised") {
        client throws(ProvisioningError) in _ = try await client.users()
    },
    .done("owncloud/ocs1_user_edit_quota_bad", "invalidInput 103 Invalid quota value plenty") {
        client throws(ProvisioningError) in
        _ = try await client.data(of: editCall("Frank", "quota", "plenty"))
    },
]

private let nextcloudReplays: [Replay] = [
    .done("nextcloud/ocs1_user_add_dup", "userExists 102 User already exists") {
        client throws(ProvisioningError) in
        var user = NewUser(id: "Frank")
        user.password = "frankspassword"
        try await client.createUser(user)
    },
    .names("nextcloud/ocs1_users_list", "admin Frank thomas.dupond u6") {
        client throws(ProvisioningError) in try await client.users()
    },
    .done("nextcloud/ocs1_user_get_unknown", "noSuchUser 404 User does not exist") {
        client throws(ProvisioningError) in _ = try await client.user("Nobody")
    },
    .done("nextcloud/ocs1_user_del_self", "refused 101 ") { client throws(ProvisioningError) in
        try await client.deleteUser("admin")
    },
    .done("nextcloud/ocs1_user_del_unknown", "noSuchUser 998 ") {
        client throws(ProvisioningError) in try await client.deleteUser("sub1")
    },
    .done("nextcloud/ocs1_subadmin_add_badgroup", "noSuchGroup 102 Group does not exist") {
        client throws(ProvisioningError) in
        try await client.makeSubadministrator("Frank", of: "zzz")
    },
    .done("nextcloud/ocs1_group_add_dup", "groupExists 102 group exists") {
        client throws(ProvisioningError) in try await client.createGroup("newgroup")
    },
    .done(
        "nextcloud/ocs1_group_members_unknown",
        "noSuchGroup 404 The requested group could not be found"
    ) { client throws(ProvisioningError) in _ = try await client.members(of: "zzz") },
    .done("nextcloud/ocs1_user_group_add_badgroup", "noSuchGroup 102 ") {
        client throws(ProvisioningError) in try await client.add("Frank", to: "zzz")
    },
    .names(
        "nextcloud/ocs1_apps_disabled",
        "admin_audit twofactor_nextcloud_notification encryption user_ldap files_external "
            + "suspicious_login"
    ) { client throws(ProvisioningError) in try await client.apps(.disabled) },
    .done("nextcloud/ocs1_app_enable") { client throws(ProvisioningError) in
        try await client.setEnabled(app: "survey_client", true)
    },
    .done("nextcloud/ocs1_badauth", "signInRequired 997 Unauthorised") {
        client throws(ProvisioningError) in _ = try await client.users()
    },
    .done("nextcloud/ocs1_noheader", "invalidInput - the server answered HTTP 412") {
        client throws(ProvisioningError) in _ = try await client.users()
    },
    .done(
        "nextcloud/ocs1_unknown_route",
        "unsupported 998 Invalid query, please check the syntax. API specifications are here: "
            + "http://www.freedesktop.org/wiki/Specifications/open-collaboration-services."
    ) { client throws(ProvisioningError) in
        _ = try await client.data(of: ProvisioningCall("nothing", .get, "nothing"))
    },
]

private let leviiaReplays: [Replay] = [
    .done("nextcloud/ocs2_user_create_json") { client throws(ProvisioningError) in
        var user = NewUser(id: "thomas.dupond")
        user.displayName = "thomas"
        user.email = "thomas.dupond@example.com"
        user.quota = .bytes(1 << 40)
        user.language = "fr"
        try await client.createUser(user)
    },
    .done("nextcloud/ocs2_user_create_dup", "userExists 102 User already exists") {
        client throws(ProvisioningError) in
        try await client.createUser(NewUser(id: "thomas.dupond"))
    },
    .done("nextcloud/ocs2_user_create_nogroup", "noSuchGroup 104 Group test does not exist") {
        client throws(ProvisioningError) in try await client.createUser(NewUser(id: "u2"))
    },
    .done(
        "nextcloud/ocs2_user_create_nopw_noemail",
        "passwordOrEmailNeeded 108 An email address is required, to send a password link to the "
            + "user."
    ) { client throws(ProvisioningError) in try await client.createUser(NewUser(id: "u3")) },
    .done(
        "nextcloud/ocs2_user_create_weakpw",
        "passwordRefused 107 Password needs to be at least 10 characters long."
    ) { client throws(ProvisioningError) in try await client.createUser(NewUser(id: "u5")) },
    .done("nextcloud/ocs2_user_create_badquota", "invalidInput 101 Invalid quota value: lots") {
        client throws(ProvisioningError) in try await client.createUser(NewUser(id: "u6"))
    },
    Replay("nextcloud/ocs2_user_get", "thomas") { client throws(ProvisioningError) in
        try await client.user("thomas.dupond").displayName ?? ""
    },
    .done("nextcloud/ocs2_user_get_unknown", "noSuchUser 404 User does not exist") {
        client throws(ProvisioningError) in _ = try await client.user("nobody")
    },
    .done("nextcloud/ocs2_badauth", "signInRequired 997 Unauthorised") {
        client throws(ProvisioningError) in _ = try await client.user("thomas.dupond")
    },
    .done(
        "nextcloud/ocs2_user_as_user_list",
        "forbidden 403 Logged in account must be at least a sub admin"
    ) { client throws(ProvisioningError) in _ = try await client.users() },
    .done("nextcloud/ocs2_user_put_keyvalue") { client throws(ProvisioningError) in
        try await client.edit("thomas.dupond", .quota(.bytes(2 << 30)))
    },
    .done("nextcloud/ocs2_user_put_badkey", "invalidInput 113 ") {
        client throws(ProvisioningError) in
        _ = try await client.edit("thomas.dupond", .language("fr"))
    },
    .done("nextcloud/ocs2_user_put_dict", "invalidInput - the server answered HTTP 400") {
        client throws(ProvisioningError) in
        _ = try await client.edit("thomas.dupond", .language("fr"))
    },
    .done("nextcloud/ocs2_user_disable") { client throws(ProvisioningError) in
        try await client.setEnabled("u4", false)
    },
    .done("nextcloud/ocs2_user_delete") { client throws(ProvisioningError) in
        try await client.deleteUser("u4")
    },
    .done("nextcloud/ocs2_user_delete_again", "noSuchUser 998 ") {
        client throws(ProvisioningError) in try await client.deleteUser("u4")
    },
]

/// An edit with a value that the typed call can't say.
private func editCall(_ id: String, _ key: String, _ value: String) -> ProvisioningCall {
    var call = ProvisioningCall("user-edit", .put, "users", id)
    call.codes = ProvisioningCall.editUserCodes(.owncloud)
    call.body = .form([("key", key), ("value", value)])
    return call
}
