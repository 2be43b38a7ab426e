import LeitzCloudAPI
import LeitzCloudServer
import NIOCore
import NIOHTTP1
import Testing

@Suite struct GeneralTests {
    @Test func theVersionNeedsNoSignIn() async throws {
        try await CloudHarness.run { harness async throws in
            let answer = try await harness.send(
                harness.request("/api/2/version", isAnonymous: true))
            #expect(try answer.decode(WireVersion.self).version == "2.0.9")
        }
    }

    @Test func genericErrorsAnswerAsDocumented() async throws {
        try await CloudHarness.run { harness async throws in
            let anonymous = try await harness.send(
                harness.request(harness.files, isAnonymous: true))
            #expect(anonymous.failure == "401 access_denied")
            #expect(
                try await harness.get(harness.files, token: "x").failure == "401 access_denied")
            #expect(try await harness.get("/api/2/nothing").failure == "404 not_found")
            #expect(try await harness.get("/api/2/files/999").failure == "404 not_found")
            #expect(
                try await harness.post(harness.files).failure == "405 method_not_allowed")
            let insecure = try await harness.get(
                harness.files, headers: [("x-forwarded-proto", "http")])
            #expect(insecure.failure == "400 insecure_transport")
            let flag = try await harness.get(harness.files + "?include_deleted=maybe")
            #expect(flag.text.contains("Invalid value for parameter: include_deleted"))
        }
    }

    @Test func rootsAnswerByRightAndState() async throws {
        try await CloudHarness.run { harness async throws in
            let hidden = try await harness.cloud.ensureRoot(name: "Hidden", kind: "share")
            #expect(try await harness.get("/api/2/files/\(hidden)").failure == "403 forbidden")
            try await harness.cloud.deleteRoot(harness.root)
            let gone = try await harness.get(harness.files)
            #expect(gone.failure == "410 root_deleted")
            #expect(gone.text.contains("Root was previously deleted."))
            let person = try await harness.get("/api/2/person").decode(WirePerson.self)
            #expect(person.roots?.isEmpty == true)
        }
    }

    @Test func thePersonShowsRootsQuotaAndPolicy() async throws {
        var behaviour = ServerBehaviour()
        behaviour.excludedExtensions = [".tmp", ".exe"]
        behaviour.maximumFileSizeMB = 300
        try await CloudHarness.run(behaviour) { harness async throws in
            let own = try await harness.cloud.ensureOwnRoot(person: harness.person)
            #expect(try await harness.cloud.ensureOwnRoot(person: harness.person) == own)
            _ = try await harness.uploaded("a", "12345")
            let person = try await harness.get("/api/2/person").decode(WirePerson.self)
            #expect(person.email == CloudHarness.email)
            #expect(person.displayName == "Anna Muster")
            #expect(person.rootID == own)
            #expect(person.roots?.map(\.name) == ["Team", "Anna Muster"])
            #expect(person.roots?.map(\.rootType) == ["share", "sync"])
            #expect(person.spaceQuota?.value == 1 << 40)
            #expect(person.spaceUsage?.value == 5)
            #expect(person.companyPolicy?.excludedExtensions == ".tmp,.exe")
            #expect(person.companyPolicy?.maxFileSize?.value == 300)
            #expect(person.companyPolicy?.userLockFiles == true)
            let byID = try await harness.get("/api/2/person/\(harness.person)")
            #expect(byID.status == 200)
            let byEmail = try await harness.get("/api/2/person/anna%40example.com")
            #expect(byEmail.status == 200)
            #expect(try await harness.get("/api/2/person/77").failure == "404 not_found")
            _ = try await harness.other("b@example.com", fullAccess)
            #expect(
                try await harness.get("/api/2/person/b@example.com").failure == "403 forbidden")
            #expect(
                try await harness.post("/api/2/person/create").failure == "403 forbidden")
        }
    }

    @Test func administrationIsIdempotentAndChecked() async throws {
        try await CloudHarness.run { harness async throws in
            #expect(
                try await harness.cloud.ensureRoot(name: "Team", kind: "share") == harness.root)
            await #expect(throws: EmbeddedCloudError.self) {
                try await harness.cloud.ensureRoot(name: "x", kind: "folder")
            }
            await #expect(throws: EmbeddedCloudError.self) {
                try await harness.cloud.subscribe(
                    person: harness.person, root: 99, permissions: ["FILE_VIEW"])
            }
            await #expect(throws: EmbeddedCloudError.self) {
                try await harness.cloud.deleteRoot(99)
            }
        }
    }

    @Test func requestsAreCountedByKind() async throws {
        try await CloudHarness.run { harness async throws in
            harness.cloud.resetRequestCounts()
            let file = try await harness.uploaded("a")
            let folder = try await harness.makeFolder("f")
            _ = try await harness.get(harness.files)
            _ = try await harness.get(harness.files + "/folder/\(folder.id)")
            _ = try await harness.get(harness.files + "/\(file.id)/download")
            _ = try await harness.post(harness.files + "/\(file.id)/lock")
            #expect(
                harness.cloud.requestCounts() == [
                    "POST upload": 1, "POST create_folder": 1, "GET root": 1, "GET folder": 1,
                    "GET download": 1, "POST lock": 1,
                ])
        }
    }
}
