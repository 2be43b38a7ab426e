import Foundation
import LeitzCloudServer
import Testing

@Suite struct LoginFlowTests {
    private struct Begun: Decodable {
        struct Poll: Decodable {
            var token: String
            var endpoint: String
        }
        var poll: Poll
        var login: String
    }

    private struct Granted: Decodable {
        var server: String
        var loginName: String
        var appPassword: String
    }

    private let ocs = [("OCS-APIRequest", "true")]

    private func path(_ url: String, _ cloud: CloudHarness) throws -> String {
        try #require(url.hasPrefix(cloud.cloud.url + "/"))
        return String(url.dropFirst(cloud.cloud.url.count))
    }

    private func begin(_ cloud: CloudHarness) async throws -> Begun {
        let answer = try await cloud.dav(
            "POST", "/index.php/login/v2", [], [("User-Agent", "ordner <test>")], authorization: "")
        return try answer.decode(Begun.self)
    }

    private func form(_ user: String, _ password: String, _ code: String = "") -> String {
        CloudHarness.encode([("user", user), ("password", password), ("code", code)])
    }

    @Test func aPersonGrantsAnAppPasswordOnce() async throws {
        try await CloudHarness.run { cloud async throws in
            let begun = try await begin(cloud)
            let poll = try path(begun.poll.endpoint, cloud)
            let token = "token=" + begun.poll.token
            #expect(try await cloud.dav("POST", poll, text: token, authorization: "").status == 404)
            let login = try path(begun.login, cloud)
            let page = try await cloud.dav("GET", login, authorization: "")
            #expect(page.text.contains("ordner &lt;test&gt;"))
            let wrong = try await cloud.dav(
                "POST", login, text: form(CloudHarness.email, "wrong"), authorization: "")
            #expect(wrong.status == 401)
            #expect(try await cloud.dav("POST", poll, text: token, authorization: "").status == 404)
            let right = try await cloud.dav(
                "POST", login, text: form(CloudHarness.email, CloudHarness.password),
                authorization: "")
            #expect(right.status == 200)
            let answer = try await cloud.dav("POST", poll, text: token, authorization: "")
            let granted = try answer.decode(Granted.self)
            #expect(granted.loginName == CloudHarness.email)
            #expect(granted.server == cloud.cloud.url)
            #expect(try await cloud.dav("POST", poll, text: token, authorization: "").status == 404)

            let basic = CloudHarness.basic(granted.loginName, granted.appPassword)
            let home = CloudHarness.davHome + "/"
            #expect(try await cloud.dav("OPTIONS", home, authorization: basic).status == 200)
            let all = try await cloud.cloud.appPasswords(person: cloud.person)
            #expect(all.map(\.name) == ["ordner <test>"])
            try await cloud.cloud.revokeAppPassword(
                try #require(all.first?.id), person: cloud.person)
            #expect(try await cloud.dav("OPTIONS", home, authorization: basic).status == 401)
        }
    }

    @Test func aSignInNobodyFinishesEnds() async throws {
        try await CloudHarness.run { cloud async throws in
            let begun = try await begin(cloud)
            cloud.clock.advance(1201)
            let login = try path(begun.login, cloud)
            #expect(try await cloud.dav("GET", login, authorization: "").status == 404)
        }
    }

    @Test func accountsWithACodeNeedAnAppPassword() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.cloud.setTwoStepCode(
                person: cloud.person, mode: "email", code: "123456")
            let home = CloudHarness.davHome + "/"
            #expect(try await cloud.dav("OPTIONS", home).status == 401)
            let begun = try await begin(cloud)
            let login = try path(begun.login, cloud)
            for (code, status) in [("", 401), ("123456", 200)] {
                let answer = try await cloud.dav(
                    "POST", login, text: form(CloudHarness.email, CloudHarness.password, code),
                    authorization: "")
                #expect(answer.status == status)
            }
            let answer = try await cloud.dav(
                "POST", try path(begun.poll.endpoint, cloud), text: "token=" + begun.poll.token,
                authorization: "")
            let granted = try answer.decode(Granted.self)
            let basic = CloudHarness.basic(granted.loginName, granted.appPassword)
            #expect(try await cloud.dav("OPTIONS", home, authorization: basic).status == 200)
        }
    }

    @Test func wrongPasswordsAreCountedAndStopped() async throws {
        try await CloudHarness.run { cloud async throws in
            let home = CloudHarness.davHome + "/"
            let none = try await cloud.dav("PROPFIND", home, authorization: "")
            #expect(none.status == 401)
            #expect(none.header("WWW-Authenticate")?.hasPrefix("Basic ") == true)
            #expect(none.text.contains("NotAuthenticated"))
            let wrong = CloudHarness.basic(CloudHarness.email, "wrong")
            for _ in 0..<10 {
                #expect(try await cloud.dav("PROPFIND", home, authorization: wrong).status == 401)
            }
            let stopped = try await cloud.dav("PROPFIND", home)
            #expect(stopped.status == 429)
            #expect(stopped.header("Retry-After") != nil)
            cloud.clock.advance(900)
            #expect(try await cloud.dav("PROPFIND", home).status == 207)
        }
    }

    @Test func theServerSaysWhatItIs() async throws {
        try await CloudHarness.run { cloud async throws in
            let status = try await cloud.dav("GET", "/status.php", authorization: "")
            #expect(status.text.contains("\"installed\":true,\"maintenance\":false"))
            let user = try await cloud.dav("GET", "/ocs/v1.php/cloud/user?format=json", [], ocs)
            #expect(user.text.contains("\"statuscode\":100"))
            #expect(user.text.contains("\"id\":\"\(CloudHarness.email)\""))
            #expect(user.text.contains("\"display-name\":\"Anna Muster\""))
            let xml = try await cloud.dav("GET", "/ocs/v2.php/cloud/user", [], ocs)
            #expect(xml.text.elements("statuscode") == ["200"])
            #expect(xml.text.elements("id") == [CloudHarness.email])
            let capabilities = try await cloud.dav(
                "GET", "/ocs/v2.php/cloud/capabilities", [], ocs + [("Accept", "application/json")])
            #expect(
                capabilities.text.contains(
                    "\"forbidden_filename_extensions\":[\".filepart\",\".part\"]"))
            let refused = try await cloud.dav(
                "GET", "/ocs/v2.php/cloud/user", [], ocs, authorization: "")
            #expect(refused.status == 401)
            #expect(refused.text.elements("statuscode") == ["997"])
            #expect(try await cloud.dav("GET", "/ocs/v1.php/cloud/user").status == 412)
            let options = try await cloud.dav("OPTIONS", CloudHarness.davHome + "/")
            let features = try #require(options.header("DAV"))
            #expect(features.hasPrefix("1, 2, 3"))
            #expect(options.header("Allow")?.contains("LOCK") == true)
            let service = try await cloud.dav(
                "PROPFIND", "/remote.php/dav/",
                text: CloudHarness.propfind("<d:current-user-principal/>"), [("Depth", "0")])
            #expect(service.text.contains("/remote.php/dav/principals/users/anna%40example.com/"))
        }
    }

    @Test func aPasswordBecomesAnAppPassword() async throws {
        try await CloudHarness.run { cloud async throws in
            let route = "/ocs/v2.php/core/getapppassword"
            let answer = try await cloud.dav("GET", route, [], ocs)
            let password = try #require(answer.text.elements("apppassword").first)
            let basic = CloudHarness.basic(CloudHarness.email, password)
            #expect(try await cloud.dav("GET", route, [], ocs, authorization: basic).status == 403)
            let end = try await cloud.dav(
                "DELETE", "/ocs/v2.php/core/apppassword", [], ocs, authorization: basic)
            #expect(end.status == 200)
            #expect(try await cloud.dav("GET", route, [], ocs, authorization: basic).status == 401)
        }
    }
}
