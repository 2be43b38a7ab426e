import CloudStorage
import HTTPTransport
import Synchronization
import TestSupport
import Testing

@testable import ProvisioningClient

/// What is repeated, what is not, and what is sent.
@Suite struct CallRuleTests {
    private static func ok(_ data: String = "") -> ScriptedAnswer {
        .text(
            200,
            "<?xml version=\"1.0\"?><ocs><meta><status>ok</status><statuscode>200</statuscode>"
                + "<message/></meta><data>\(data)</data></ocs>")
    }

    private func error(
        _ body: () async throws(ProvisioningError) -> Void
    ) async -> ProvisioningError? {
        do throws(ProvisioningError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    /// The server may have made the account: nobody makes it again without looking.
    @Test func aLostAnswerIsNotRepeated() async throws {
        try await ReplayTests.with(.nextcloud) { _, _ in
            .hangUp
        } _: { client, server in
            let error = await error { () throws(ProvisioningError) in
                try await client.createUser(NewUser(id: "a"))
            }
            #expect(error?.kind == .unreachable)
            #expect(error?.mayHaveHappened == true)
            #expect(server.requests.count == 1)
            let deleting = await self.error { () throws(ProvisioningError) in
                try await client.deleteUser("a")
            }
            #expect(deleting?.mayHaveHappened == true)
            let editing = await self.error { () throws(ProvisioningError) in
                try await client.edit("a", .email("a@b.c"))
            }
            #expect(editing?.mayHaveHappened == true)
            #expect(server.requests.count == 3)
        }
    }

    @Test func aQuestionIsRepeated() async throws {
        try await ReplayTests.with(.nextcloud) { _, before in
            before < 2 ? .hangUp : Self.ok("<users><element>a</element></users>")
        } _: { client, server in
            let users = try await client.users()
            #expect(users == ["a"])
            #expect(server.requests.count == 3)
        }
    }

    @Test func aBusyServerIsAskedAgain() async throws {
        try await ReplayTests.with(.nextcloud) { _, before in
            before == 0 ? .text(before == 0 ? 503 : 429, "") : Self.ok()
        } _: { client, server in
            try await client.createGroup("g")
            #expect(server.requests.count == 2)
        }
        try await ReplayTests.with(.nextcloud) { _, _ in
            .text(503, "", [("Retry-After", "3600")])
        } _: { client, server in
            let error = await error { () throws(ProvisioningError) in
                try await client.createGroup("g")
            }
            #expect(error?.kind == .temporarilyUnavailable)
            #expect(error?.retryAfter == 3600)
            #expect(error?.mayHaveHappened == false)
            #expect(server.requests.count == 1)
        }
    }

    @Test func theFirstRefusedPasswordStopsAllCalls() async throws {
        try await ReplayTests.with(.owncloud) { _, _ in
            .text(401, "")
        } _: { client, server in
            for _ in 0..<3 {
                let error = await error { () throws(ProvisioningError) in
                    _ = try await client.users()
                }
                #expect(error?.kind == .signInRequired)
            }
            #expect(server.requests.count == 1)
        }
    }

    /// ownCloud answers a missing right as a wrong password.
    @Test func aRefusalAfterASuccessIsAMissingRight() async throws {
        let refusal = try RecordedExchange("owncloud/ocs1_as_subadmin_get_admin")
        try await ReplayTests.with(.owncloud) { request, _ in
            request.path.hasSuffix("/admin")
                ? refusal.scripted : Self.ok("<users><element>Frank</element></users>")
        } _: { client, _ in
            let before = try await client.users()
            #expect(before == ["Frank"])
            let error = await error { () throws(ProvisioningError) in
                _ = try await client.user("admin")
            }
            #expect(error?.kind == .forbidden)
            #expect(error?.code == 997)
            let after = try await client.users()
            #expect(after == ["Frank"])
        }
    }

    /// As Leviia's page has it.
    @Test func aUserIsMadeByOneRecord() async throws {
        try await ReplayTests.with(.nextcloud) { _, _ in
            Self.ok("<id>thomas.dupond</id>")
        } _: { client, server in
            var user = NewUser(id: "thomas.dupond")
            user.displayName = "thomas"
            user.email = "thomas.dupond@mail.com"
            user.groups = ["test"]
            user.quota = .bytes(1 << 40)
            user.language = "fr"
            try await client.createUser(user)
            let request = try #require(server.requests.first)
            #expect(request.header("Content-Type") == "application/json")
            let text = String(decoding: request.body, as: UTF8.self)
            for part in [
                "\"userid\":\"thomas.dupond\"", "\"password\":\"\"", "\"displayName\":\"thomas\"",
                "\"email\":\"thomas.dupond@mail.com\"", "\"groups\":[\"test\"]", "\"subadmin\":[]",
                "\"quota\":\"1099511627776\"", "\"language\":\"fr\"",
            ] { #expect(text.contains(part), "\(text)") }
        }
    }

    @Test func namesAreEscapedInPathsAndForms() async throws {
        try await ReplayTests.with(.owncloud) { _, _ in
            Self.ok()
        } _: { client, server in
            try await client.add("a/b ?", to: "R&D +1")
            let request = try #require(server.requests.first)
            #expect(request.path == "/ocs/v1.php/cloud/users/a%2Fb%20%3F/groups")
            #expect(String(decoding: request.body, as: UTF8.self) == "groupid=R%26D%20%2B1")
        }
    }

    @Test func theSessionIsKept() async throws {
        try await ReplayTests.with(.nextcloud) { _, before in
            guard case .answer(let status, _, let body) = Self.ok() else { return .hangUp }
            return .answer(
                status, headers: [("Set-Cookie", "s=\(before); Path=/; HttpOnly")], body: body)
        } _: { client, server in
            _ = try await client.users()
            _ = try await client.users()
            #expect(server.requests.map { $0.header("Cookie") } == [nil, "s=0"])
        }
    }

    // MARK: Pages

    @Test func allUsersComeInPages() async throws {
        try await ReplayTests.with(.nextcloud) { request, _ in
            let query = request.path.split(separator: "?").last ?? ""
            let values = Dictionary(
                uniqueKeysWithValues: query.split(separator: "&").map { pair in
                    let halves = pair.split(separator: "=")
                    return (String(halves[0]), Int(halves[1]) ?? 0)
                })
            let from = values["offset"] ?? 0
            let users = (from..<max(from, min(1_200, from + (values["limit"] ?? 0)))).map {
                "<element>user\($0)</element>"
            }
            return Self.ok("<users>\(users.joined())</users>")
        } _: { client, server in
            var count = 0
            for try await user in client.allUsers(pageSize: 100) {
                #expect(user == "user\(count)")
                count += 1
            }
            #expect(count == 1_200)
            #expect(server.requests.count == 13)
        }
    }

    /// A server that knows no pages answers all at once, or always the same.
    @Test func aServerWithoutPagesIsNotAskedForEver() async throws {
        try await ReplayTests.with(.nextcloud) { _, _ in
            Self.ok("<users><element>a</element><element>b</element></users>")
        } _: { client, server in
            var users: [String] = []
            for try await user in client.allUsers(pageSize: 1) { users.append(user) }
            #expect(users == ["a", "b"])
            #expect(server.requests.count == 1)
            await #expect(throws: ProvisioningError.self) {
                for try await _ in client.allUsers(pageSize: 2) {}
            }
            #expect(server.requests.count == 3)
        }
    }

    // MARK: Answers

    @Test(arguments: [
        "", "no", "<html><body>Login</body></html>", "{\"ocs\":[]}", "[]", "<ocs><meta>",
        "<!DOCTYPE x [<!ENTITY e \"v\">]><ocs><meta><statuscode>100</statuscode></meta></ocs>",
    ])
    func whatIsNoAnswerOfOCSIsRefused(_ body: String) async throws {
        try await ReplayTests.with(.nextcloud) { _, _ in
            .text(200, body)
        } _: { client, _ in
            let error = await error { () throws(ProvisioningError) in
                _ = try await client.users()
            }
            #expect(error?.kind == .invalidAnswer)
        }
    }

    @Test func quotasAreReadInAllTheirForms() {
        let cases: [(String, ProvisionedQuota.Limit?)] = [
            ("none", .unlimited), ("default", .standard), ("-3", .unlimited), ("-2", .standard),
            ("5 GB", .bytes(5 << 30)), ("1.5 MB", .bytes(3 << 19)), ("100", .bytes(100)),
            ("0 B", .bytes(0)), ("2TB", .bytes(2 << 40)), ("lots", nil), ("1e40", nil),
            ("99999999999 TB", nil),
        ]
        for (text, limit) in cases { #expect(ProvisionedQuota.limit(text) == limit, "\(text)") }
        // ownCloud's document: nobody has set one.
        #expect(ProvisionedQuota(.text("0"))?.limit == .standard)
    }
}
