import Foundation
import TestSupport
import Testing

/// Two administrators who change one list at the same time, which can only be written whole: the
/// other one's writes are in what the server answers.
@Suite struct ConcurrentChangeTests {
    private static let objects = [
        "GET /api/2/version": #"{"version":"2.0.9"}"#,
        "POST /oauth/token":
            #"{"access_token":"a","expires_in":3600,"refresh_token":"r","guid":"g"}"#,
        "GET /api/2/person": #"{"id":1,"email":"me@example.com","company_id":1,"type":"person"}"#,
        "GET /api/2/person/a@example.com": #"{"id":2,"email":"a@example.com","type":"person"}"#,
        "GET /api/2/group/1": #"{"id":1,"name":"Sales","type":"group"}"#,
        "GET /api/2/organization/1/share/5":
            #"{"id":5,"name":"Plans","root_type":"share","type":"root"}"#,
    ]

    /// Runs a command on a server whose list looks so, one after the other; the last one stays.
    /// Gives how the command ended, and the lists that it wrote.
    private func run(
        _ command: [String], list: String, looks: [String], field: String
    ) async throws -> (outcome: Outcome, written: [String]) {
        let home = try PrivateHome()
        var result: (Outcome, [String])?
        try await ScriptedServer.with { request, before in
            let path = request.path.removingPercentEncoding ?? ""
            let line = request.method + " " + (path.split(separator: "?").first ?? "")
            if line == "GET " + list { return .text(200, looks[min(before, looks.count - 1)]) }
            if line == "POST \(list)/update" { return .text(200, #"{"status":"ok"}"#) }
            return Self.objects[line].map { .text(200, $0) }
                ?? .text(404, #"{"error":"not_found"}"#)
        } _: { server in
            let login = try await home.run(
                "login", "work", server.url, "--user", "me@example.com", "--password-stdin",
                input: "pw\n")
            #expect(login.exitCode == 0, "\(login.error)")
            let outcome = try await RunningProgram(command, home: home, input: "").end()
            let forms = server.requests.filter { $0.method == "POST" && $0.path.contains(list) }
                .map { String(decoding: $0.body, as: UTF8.self) }
            let written = forms.flatMap { form in
                form.split(separator: "&").filter { $0.hasPrefix(field + "=") }
                    .map { $0.dropFirst(field.count + 1) }
                    .map { String($0).removingPercentEncoding ?? "" }
            }
            result = (outcome, written)
        }
        return try #require(result)
    }

    private static let group = "/api/2/group/1/members"

    @Test func aMemberWhoWasOverwrittenIsAddedAgain() async throws {
        let (outcome, written) = try await run(
            ["group", "add", "work", "1", "--user", "a@example.com"], list: Self.group,
            looks: [
                #"{"members":[1],"member_groups":[]}"#, #"{"members":[1,3],"member_groups":[]}"#,
                #"{"members":[1,2,3],"member_groups":[]}"#,
            ], field: "members")
        #expect(outcome.exitCode == 0, "\(outcome.error)")
        #expect(written == ["[1,2]", "[1,2,3]"])
    }

    @Test func aMemberWhoIsBackIsRemovedAgain() async throws {
        let (outcome, written) = try await run(
            ["group", "remove", "work", "1", "--user", "a@example.com"], list: Self.group,
            looks: [
                #"{"members":[1,2],"member_groups":[]}"#,
                #"{"members":[1,2,3],"member_groups":[]}"#,
                #"{"members":[1,3],"member_groups":[]}"#,
            ], field: "members")
        #expect(outcome.exitCode == 0, "\(outcome.error)")
        #expect(written == ["[1]", "[1,3]"])
    }

    @Test func aListThatNeverShowsTheChangeIsSaid() async throws {
        let (outcome, written) = try await run(
            ["group", "add", "work", "1", "--user", "a@example.com"], list: Self.group,
            looks: [#"{"members":[1],"member_groups":[]}"#], field: "members")
        #expect(outcome.exitCode == 1)
        #expect(outcome.error.contains("does not show it afterwards"), "\(outcome.error)")
        #expect(written == Array(repeating: "[1,2]", count: 5))
    }

    @Test func aSubscriberWhoWasOverwrittenIsSubscribedAgain() async throws {
        let (outcome, written) = try await run(
            ["share", "subscribe", "work", "5", "--user", "a@example.com"],
            list: "/api/2/organization/1/share/5/subscribers",
            looks: [
                #"{"subscribers":[],"group_subscribers":[],"external_subscribers":{}}"#,
                #"{"subscribers":[[3,"web","VIEWER"]],"group_subscribers":[]}"#,
                #"{"subscribers":[[2,"web","COLLABORATOR"],[3,"web","VIEWER"]]}"#,
            ], field: "subscribers")
        #expect(outcome.exitCode == 0, "\(outcome.error)")
        #expect(
            written == [
                #"[[2,"all","COLLABORATOR"]]"#,
                #"[[3,"web","VIEWER"],[2,"all","COLLABORATOR"]]"#,
            ])
    }
}
