import LeitzCloudAPI
import LeitzCloudServer
import Testing

@Suite struct QueryTests {
    private func changed(_ harness: CloudHarness, since: Int64, _ query: String = "") async throws
        -> [String]
    {
        let text = CloudHarness.encode([("since", WireDate.format(since))])
        let answer = try await harness.get(harness.files + "/modified_since?" + text + query)
        return try answer.decode(WireResults<WireItem>.self).results.map(\.path)
    }

    @Test func modifiedSinceGoesByWhenTheServerSawTheChange() async throws {
        try await CloudHarness.run { harness async throws in
            let folder = try await harness.makeFolder("d")
            let start = harness.clock.now
            let a = try await harness.uploaded("a")
            let b = try await harness.uploaded("b")
            _ = try await harness.uploaded("c", folder: folder.id)
            #expect(try await changed(harness, since: start) == ["/a", "/b", "/d/c"])
            harness.clock.advance(10)
            let later = harness.clock.now
            #expect(try await changed(harness, since: later) == [])
            _ = try await harness.post(harness.files + "/\(b.id)/rename", [("name", "b2")])
            harness.clock.advance(1)
            _ = try await harness.post(
                harness.files + "/\(a.id)/move", [("to_folder_id", "\(folder.id)")])
            #expect(try await changed(harness, since: later) == ["/b2", "/d/a"])
            harness.clock.advance(1)
            let deleted = harness.clock.now
            _ = try await harness.post(harness.files + "/folder/\(folder.id)/delete")
            #expect(Set(try await changed(harness, since: deleted)) == ["/d/a", "/d/c"])
            #expect(try await changed(harness, since: deleted, "&include_deleted=false") == [])
            let other = try await harness.get(
                harness.files + "/modified_since?since=2023-11-14%2000:00:00")
            #expect(try other.decode(WireResults<WireItem>.self).results.count == 3)
        }
    }

    @Test func modifiedSinceNeedsADate() async throws {
        try await CloudHarness.run { harness async throws in
            let missing = try await harness.get(harness.files + "/modified_since")
            #expect(missing.text.contains("Missing required parameter: since"))
            #expect(
                try await harness.get(harness.files + "/modified_since?since=yesterday").failure
                    == "400 invalid_datetime_format")
        }
    }

    @Test func longAnswersAreStreamedWhole() async throws {
        try await CloudHarness.run { harness async throws in
            let folder = try await harness.makeFolder("big")
            try await harness.cloud.fill(
                folder: folder.id, root: harness.root, person: harness.person, files: 2500)
            let start = harness.clock.now
            let paths = try await changed(harness, since: start)
            #expect(Set(paths).count == 2500)
            let found = try await harness.get(harness.files + "/search?q=FILE-")
            #expect(try found.decode(WireResults<WireItem>.self).results.count == 2500)
        }
    }

    @Test func searchLooksAtNames() async throws {
        try await CloudHarness.run { harness async throws in
            let folder = try await harness.makeFolder("Rechnungen")
            _ = try await harness.uploaded("rechnung-ÄÖ.pdf", folder: folder.id)
            let gone = try await harness.uploaded("Rechnung alt")
            _ = try await harness.post(harness.files + "/\(gone.id)/delete")
            for (query, paths) in [
                ("RECHNUNG", ["/Rechnungen", "/Rechnungen/rechnung-ÄÖ.pdf"]),
                ("äö", ["/Rechnungen/rechnung-ÄÖ.pdf"]), ("%", []), ("nichts", []),
            ] {
                let answer = try await harness.get(
                    harness.files + "/search?" + CloudHarness.encode([("q", query)]))
                #expect(
                    try answer.decode(WireResults<WireItem>.self).results.map(\.path) == paths)
            }
            #expect(
                try await harness.get(harness.files + "/search").text.contains(
                    "Missing required parameter: q"))
        }
    }
}
