import AsyncHTTPClient
import LeitzCloudAPI
import LeitzCloudServer
import NIOHTTP1
import Testing

/// Every error of the API document, with its status, its word and its description.
@Suite struct DocumentErrorTests {
    @Test func everyMethodFailsAsDocumented() async throws {
        let document = try APIDocument.read()
        try await CloudHarness.run { harness in
            let scene = try await DocumentScene(harness)
            var count = 0
            for method in document.methods {
                for failure in method.failures {
                    let place = "\(method.line): \(failure.title)"
                    let word = Self.word(failure)
                    guard let call = try await scene.failing(method.line, word) else {
                        Issue.record("no example of \(place)")
                        continue
                    }
                    let answer = try await harness.send(scene.request(method.line, call))
                    try Self.expect(failure, answer, place)
                    count += 1
                }
            }
            #expect(count == 25)
        }
    }

    @Test func everyChapterFailsAsDocumented() async throws {
        let document = try APIDocument.read()
        try await CloudHarness.run { harness in
            let scene = try await DocumentScene(harness)
            var count = 0
            for (chapter, failures) in document.failures.sorted(by: { $0.key < $1.key }) {
                for failure in failures {
                    let place = "\(chapter): \(failure.title)"
                    let requests = try await scene.failing(chapter: chapter, failure)
                    if requests.isEmpty { Issue.record("no example of \(place)") }
                    for request in requests {
                        try Self.expect(failure, try await harness.send(request), place)
                    }
                    count += 1
                }
            }
            #expect(count == 23)
        }
    }

    static func word(_ failure: APIDocument.Failure) -> String {
        guard case .object(let fields)? = failure.answer.body else { return "" }
        return fields["error"]?.formText ?? ""
    }

    private static func expect(_ failure: APIDocument.Failure, _ answer: Answer, _ place: String)
        throws
    {
        #expect(answer.status == failure.answer.status, "\(place): \(answer.text)")
        guard case .object(let documented)? = failure.answer.body else {
            Issue.record("\(place) has no body")
            return
        }
        let given = try answer.decode([String: JSONValue].self)
        #expect(given["error"] == documented["error"], "\(place)")
        guard case .text(let words)? = documented["error_description"] else { return }
        // The form of dates was translated along with the page; the parameter is any one.
        let pattern = words.replacing("JJJJ-MM-TT", with: "YYYY-MM-DD")
            .replacing("SS:MM:SS", with: "HH:MM:SS")
        let parts = pattern.split(separator: "<param>", omittingEmptySubsequences: false)
        let found = given["error_description"]?.formText ?? ""
        #expect(found.hasPrefix(parts[0]), "\(place): \(found)")
        if parts.count == 1 { #expect(found == pattern, "\(place)") }
        if parts.count > 1 { #expect(found.count > parts[0].count, "\(place): \(found)") }
    }
}

extension DocumentScene {
    /// A call of a method that has an error; nil where none is known.
    func failing(_ line: String, _ word: String) async throws -> DocumentedCall? {
        guard var call = call(line) else { return nil }
        let isOfFile = line.contains("<file_id>") || line.hasSuffix("/upload")
        switch word {
        case "invalid_name", "invalid_extension", "name_conflict", "name_too_long":
            let names = [
                "invalid_name": "..", "invalid_extension": "a.exe",
                "name_conflict": isOfFile ? "taken.txt" : "taken",
                "name_too_long": String(repeating: "x", count: 256),
            ]
            let name = names[word] ?? ""
            if word == "invalid_extension" { try await rule("excluded_extensions", ".exe") }
            if line.hasSuffix("/move") {
                call.values[isOfFile ? "file_id" : "folder_id"] = self[name]
            } else if line.hasSuffix("/upload") {
                call.file = (name, "x")
                if line.contains("<folder_id>") { call.values["folder_id"] = self["goal"] }
            } else {
                call.fields = [("name", name)]
                if line.hasSuffix("folder_id>/create_folder") {
                    call.values["folder_id"] = self["goal"]
                }
            }
        case "no_file_received": call.file = ("", "x")
        case "policy_error":
            try await rule("max_file_size", "1")
            call.file = ("large", String(repeating: "x", count: 1 << 20 + 1))
        case "user_limit_exceeded":
            let answer = try await harness.post(
                "/api/2/organization/\(self["organization"])/policy/update",
                [("num_users_maximum", "1")])
            try #require(answer.status == 200)
        default: return nil
        }
        return call
    }

    /// Sets a rule of the administrator's own organization.
    private func rule(_ name: String, _ value: String) async throws {
        let answer = try await harness.post("/api/2/organization/1/policy/update", [(name, value)])
        try #require(answer.status == 200, "\(answer.text)")
    }

    /// Requests that have an error of a chapter, one or more.
    func failing(chapter: String, _ failure: APIDocument.Failure) async throws
        -> [HTTPClientRequest]
    {
        let word = DocumentErrorTests.word(failure)
        switch (chapter, word) {
        case ("Fehlermeldungen", _): return try await general(failure, word)
        case ("File-System", _): return try await files(word)
        case (_, "forbidden"):
            return paths(chapter, known: true).map { harness.request($0, token: self["token"]) }
        case (_, "not_found"): return paths(chapter, known: false).map { harness.request($0) }
        default: return []
        }
    }

    /// What the user without rights may not see, or what isn't there.
    private func paths(_ chapter: String, known: Bool) -> [String] {
        let names = [
            "Organisation": ("organization/", "1"), "Person": ("person/", self["person"]),
            "Gerät": ("machine/", self["other machine"]), "Aktivität": ("activity/", "1"),
        ]
        guard let (path, number) = names[chapter] else { return [] }
        return ["/api/2/" + path + (known ? number : "999999")]
    }

    private func general(_ failure: APIDocument.Failure, _ word: String) async throws
        -> [HTTPClientRequest]
    {
        let since = "\(harness.files)/modified_since"
        switch (word, failure.title) {
        case ("access_denied", _):
            return [harness.request(harness.files, isAnonymous: true)]
        case ("forbidden", _):
            return [harness.request("/api/2/organization/1", token: self["token"])]
        case ("not_found", _): return [harness.request("/api/2/nothing")]
        case ("unknown", _):
            harness.cloud.faults.add(
                FaultRule(.status(code: 500, error: "unknown", retryAfter: nil)))
            return [harness.request(harness.files)]
        case ("insecure_transport", _):
            var request = harness.request(harness.files)
            request.headers.add(name: "x-forwarded-proto", value: "http")
            return [request]
        case ("invalid_datetime_format", _): return [harness.request(since + "?since=x")]
        case ("invalid_date_format", _):
            let line = "POST /api/2/files/<root_id>/<file_id>/share"
            var call = try #require(self.call(line))
            call.fields = [("expires", "tomorrow")]
            return [try request(line, call)]
        case ("invalid_request", "Der Anforderung fehlt ein erforderlicher Parameter"):
            return [harness.request(since), try request(Self.createGroup, DocumentedCall())]
        case ("invalid_request", _):
            let isOfPerson = DocumentedCall(fields: [("name", "A"), ("company_id", "x")])
            return [
                harness.request(harness.files + "?include_deleted=maybe"),
                try request(Self.createGroup, isOfPerson),
            ]
        default: return []
        }
    }

    private func files(_ word: String) async throws -> [HTTPClientRequest] {
        switch word {
        case "forbidden":
            let hidden = try await harness.cloud.ensureRoot(name: "Hidden", kind: "share")
            return [harness.request("/api/2/files/\(hidden)")]
        case "not_found":
            return ["999999", "\(harness.root)/999999", "\(harness.root)/folder/999999"]
                .map { harness.request("/api/2/files/" + $0) }
        case "resource_locked":
            let token = try await harness.other("bob@example.com", fullAccess)
            let path = "\(harness.files)/\(self["locked.txt"])"
            try #require(try await harness.post(path + "/lock", token: token).status == 200)
            var call = DocumentedCall(values: ["root_id": self["team"]])
            call.values["file_id"] = self["locked.txt"]
            call.fields = [("name", "new.txt")]
            return [try request("POST /api/2/files/<root_id>/<file_id>/rename", call)]
        case "root_deleted":
            let gone = try await harness.cloud.ensureRoot(name: "Gone", kind: "share")
            try await harness.cloud.subscribe(
                person: harness.person, root: gone, permissions: fullAccess)
            try await harness.cloud.deleteRoot(gone)
            return [harness.request("/api/2/files/\(gone)")]
        case "temporarily_unavailable":
            harness.cloud.faults.add(
                FaultRule(
                    .status(code: 503, error: "temporarily_unavailable", retryAfter: nil)))
            return [harness.request(harness.files)]
        default: return []
        }
    }
}
