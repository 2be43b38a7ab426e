import LeitzCloudAPI
import LeitzCloudServer
import NIOHTTP1
import Testing

/// Administration at the level of HTTP, and what it means for the WebDAV face.
@Suite struct AdministrationTests {
    private func withAdministrator(
        _ body: (CloudHarness) async throws -> Void
    ) async throws {
        try await CloudHarness.run { harness in
            try await harness.cloud.setAdministrator(person: harness.person)
            try await body(harness)
        }
    }

    @Test func methodsAreHeldApart() async throws {
        try await withAdministrator { harness in
            #expect(try await harness.get("/api/2/organization/1").status == 200)
            let wrong = try await harness.post("/api/2/organization/1")
            #expect(wrong.failure == "405 method_not_allowed")
            #expect(wrong.headers.first(name: "allow") == "GET")
            #expect(try await harness.get("/api/2/group/create").status == 405)
            for path in ["/api/2/organization/1/nonsense", "/api/2/machine", "/api/2/group/x"] {
                #expect(try await harness.get(path).failure == "404 not_found", "\(path)")
            }
            let anonymous = try await harness.send(
                harness.request("/api/2/activity/types", isAnonymous: true))
            #expect(anonymous.failure == "401 access_denied")
        }
    }

    /// The objects have the fields that the document's examples have, null where there is nothing.
    @Test func objectsHaveTheDocumentsFields() async throws {
        try await withAdministrator { harness in
            let organization = try await harness.get("/api/2/organization/1")
                .decode([String: JSONValue].self)
            for name in [
                "active", "bandwidth_throttle", "created", "default_encryption", "description",
                "email", "email_server_id", "email_templates", "hostname", "id", "name",
                "parent_id", "plan_id", "policy", "privacy_mode", "share_disclaimer", "slug",
                "subscription_uuid", "throttle_exception_days", "throttle_exception_dow",
                "throttle_exception_end", "throttle_exception_start",
                "throttle_exception_throttle", "throttled", "trial_until", "type",
            ] { #expect(organization[name] != nil, "\(name)") }
            #expect(organization["parent_id"] == .null)
            #expect(organization["type"] == .text("organization"))
            let machine = try await harness.get("/api/2/machine/1").decode(
                [String: JSONValue].self)
            for name in [
                "agent_version", "bandwidth_throttle", "created", "dns_name", "guid",
                "health_report_period_minutes", "id", "last_disconnect", "last_login", "locked",
                "machine_type", "manual_collisions", "nickname", "os_type", "os_version",
                "throttled", "type",
            ] { #expect(machine[name] != nil, "\(name)") }
            let usage = try await harness.get("/api/2/organization/1/metrics/usage").text
            #expect(usage.contains(#""deleted_size_formatted":"0.00 B""#))
        }
    }

    @Test(arguments: [
        ("group/create", [("company_id", "1")], "Missing required parameter: name"),
        ("group/create", [("name", "A")], "Missing required parameter: company_id"),
        ("group/create", [("name", "A"), ("company_id", "x")], "parameter: company_id"),
        (
            "group/create", [("name", "A"), ("company_id", "1"), ("members", "[7")],
            "parameter: members"
        ),
        ("person/create", [("company_id", "1")], "Missing required parameter: email"),
        (
            "person/create",
            [("company_id", "1"), ("email", "a@b.c"), ("password", "x"), ("pw_expires", "7")],
            "parameter: pw_expires"
        ),
        ("guest/create", [("company_id", "1")], "Missing required parameter: first_name"),
        ("organization/1/shares/create", [("name", "")], "parameter: name"),
        (
            "organization/1/shares/create", [("name", "A"), ("auto_lock", "maybe")],
            "parameter: auto_lock"
        ),
    ])
    func badParametersAreNamed(path: String, fields: [(String, String)], words: String)
        async throws
    {
        try await withAdministrator { harness in
            let answer = try await harness.post("/api/2/" + path, fields)
            #expect(answer.failure == "400 invalid_request", "\(answer.text)")
            #expect(answer.text.contains(words), "\(answer.text)")
        }
    }

    @Test func datesAreTakenInBothForms() async throws {
        try await withAdministrator { harness in
            for text in ["2030-01-02T03:04:05", "2030-01-02 03:04:05"] {
                let answer = try await harness.post(
                    "/api/2/organization/1/update", [("trial_until", text)])
                #expect(answer.text.contains(#""trial_until":"2030-01-02T03:04:05""#))
            }
            let bad = try await harness.post(
                "/api/2/organization/1/update", [("trial_until", "tomorrow")])
            #expect(bad.failure == "400 invalid_datetime_format")
        }
    }

    @Test func passwordsExpire() async throws {
        try await withAdministrator { harness in
            let made = try await harness.post(
                "/api/2/person/create",
                [
                    ("company_id", "1"), ("email", "p@example.com"), ("password", "x"),
                    ("pw_expires", "6"),
                ])
            #expect(made.status == 200, "\(made.text)")
            _ = try await CloudHarness.signIn(
                harness.client, harness.cloud.url, "p@example.com", "x")
            harness.clock.advance(6 * 3_600)
            let late = try await harness.oauth([
                ("grant_type", "password"), ("client_id", "anchor"),
                ("username", "p@example.com"), ("password", "x"),
            ])
            #expect(late.text.contains("expired"))
        }
    }

    /// `pw_expires` can be set alone, by an administrator.
    @Test func theLifeOfAPasswordIsChanged() async throws {
        try await withAdministrator { harness in
            let made = try await harness.post(
                "/api/2/person/create",
                [("company_id", "1"), ("email", "p@example.com"), ("password", "x")])
            let person = "/api/2/person/\(try made.decode(WirePerson.self).id)/update"
            func signIn() async throws -> String {
                try await CloudHarness.signIn(
                    harness.client, harness.cloud.url, "p@example.com", "x")
            }
            let own = try await signIn()
            let ended = try await harness.post(person, [("pw_expires", "6")])
            #expect(ended.status == 200, "\(ended.text)")
            let longer = try await harness.post(person, [("pw_expires", "")], token: own)
            #expect(longer.failure == "403 forbidden")
            let bad = try await harness.post(person, [("pw_expires", "5")])
            #expect(bad.failure == "400 invalid_request")
            harness.clock.advance(6 * 3_600)
            await #expect(throws: DecodingError.self) { try await signIn() }
            let token = try await CloudHarness.signIn(
                harness.client, harness.cloud.url, CloudHarness.email, CloudHarness.password)
            let again = try await harness.post(person, [("pw_expires", "")], token: token)
            #expect(again.status == 200, "\(again.text)")
            #expect(try await !signIn().isEmpty)
        }
    }

    @Test func thePolicyBindsTheWebDAVFaceToo() async throws {
        try await withAdministrator { harness in
            func put(_ name: String) async throws -> Int {
                try await harness.dav(
                    "PUT", CloudHarness.davHome + "/" + name, text: "content"
                ).status
            }
            func set(_ rule: String, _ value: String) async throws {
                let answer = try await harness.post(
                    "/api/2/organization/1/policy/update", [(rule, value)])
                #expect(answer.status == 200, "\(answer.text)")
            }
            #expect(try await put("a.exe") == 201)
            try await set("excluded_extensions", ".exe")
            #expect(try await put("b.exe") == 400)
            try await set("space_quota", "10")
            #expect(try await put("c.txt") == 507)
            try await set("space_quota", "")
            #expect(try await put("c.txt") == 201)
            try await set("webdav_enabled", "false")
            #expect(try await put("d.txt") == 403)
            try await set("webdav_enabled", "true")
            #expect(try await put("d.txt") == 201)
            let activity = try await harness.get("/api/2/organization/1/activity")
                .decode(WirePage<WireActivity>.self)
            #expect(activity.results.contains { $0.data == "/d.txt" })
        }
    }
}
