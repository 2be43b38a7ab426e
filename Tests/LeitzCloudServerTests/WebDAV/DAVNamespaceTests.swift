import Foundation
import LeitzCloudServer
import Testing

@Suite struct DAVNamespaceTests {
    private let home = CloudHarness.davHome

    private func move(
        _ cloud: CloudHarness, _ from: String, _ to: String, method: String = "MOVE",
        _ headers: [(String, String)] = []
    ) async throws -> Answer {
        // The host of a destination plays no part.
        try await cloud.dav(
            method, from, [], [("Destination", "https://cloud.example.com\(to)")] + headers)
    }

    @Test func foldersAreMadeOnceAndWhereTheyCan() async throws {
        try await CloudHarness.run { cloud async throws in
            #expect(try await cloud.dav("MKCOL", home + "/dir").status == 201)
            #expect(try await cloud.dav("MKCOL", home + "/dir").status == 405)
            #expect(try await cloud.dav("MKCOL", home + "/no/dir").status == 409)
            #expect(try await cloud.dav("MKCOL", home + "/body", text: "<x/>").status == 415)
            #expect(try await cloud.dav("MKCOL", home + "/Team").status == 405)
            // A decomposed name is the composed one.
            #expect(try await cloud.dav("MKCOL", home + "/e%CC%81").status == 201)
            #expect(try await cloud.dav("MKCOL", home + "/%C3%A9").status == 405)
        }
    }

    @Test func aMoveKeepsWhatItMoves() async throws {
        try await CloudHarness.run { cloud async throws in
            let etag = try await cloud.davPut(home + "/a", "1")
            let id = try await cloud.property("oc:fileid", home + "/a")
            try await cloud.davFolder(home + "/dir")
            let moved = try await move(cloud, home + "/a", home + "/dir/b")
            #expect(moved.status == 201)
            #expect(moved.header("ETag") == etag)
            #expect(try await cloud.property("oc:fileid", home + "/dir/b") == id)
            #expect(try await cloud.dav("GET", home + "/a").status == 404)
            let folder = try await cloud.property("oc:fileid", home + "/dir")
            #expect(try await move(cloud, home + "/dir", home + "/other").status == 201)
            #expect(try await cloud.property("oc:fileid", home + "/other") == folder)
            #expect(try await cloud.dav("GET", home + "/other/b").text == "1")
        }
    }

    @Test func aMoveReplacesOnlyWhenItMay() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(home + "/a", "1")
            try await cloud.davPut(home + "/b", "2")
            try await cloud.davFolder(home + "/dir")
            try await cloud.davPut(home + "/dir/full", "3")
            #expect(
                try await move(cloud, home + "/a", home + "/b", [("Overwrite", "F")]).status == 412)
            #expect(try await move(cloud, home + "/a", home + "/b").status == 204)
            #expect(try await cloud.dav("GET", home + "/b").text == "1")
            #expect(try await move(cloud, home + "/b", home + "/dir").status == 204)
            #expect(try await cloud.dav("GET", home + "/dir").text == "1")
        }
    }

    @Test func impossibleMovesAreRefused() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davFolder(home + "/dir")
            try await cloud.davFolder(home + "/dir/in")
            let refusals = [
                ("/dir", "/dir/in/x", 409), ("/dir", "/no/x", 409), ("/dir", "/dir", 403),
                ("/dir/in", "/dir", 409), ("/absent", "/x", 404), ("/Team", "/x", 403),
                ("/dir", "/Team", 403), ("", "/x", 403), ("/dir", "/x.%FF", 400),
                ("/dir", "/x%", 400),
            ]
            for (from, to, status) in refusals {
                #expect(
                    try await move(cloud, home + from, home + to).status == status, "\(from) \(to)")
            }
            let foreign = try await move(
                cloud, home + "/dir", "/remote.php/dav/files/bob%40example.com/x")
            #expect(foreign.status == 403)
            #expect(try await cloud.dav("MOVE", home + "/dir").status == 400)
        }
    }

    @Test func aMoveIntoAnotherRootIsACopyAndADelete() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davFolder(home + "/dir")
            try await cloud.davPut(home + "/dir/a", "12345")
            try await cloud.davPut(home + "/dir/empty", "")
            #expect(
                try await move(cloud, home + "/dir", CloudHarness.davTeam + "/dir").status == 201)
            #expect(try await cloud.dav("GET", home + "/dir/a").status == 404)
            #expect(try await cloud.dav("GET", CloudHarness.davTeam + "/dir/a").text == "12345")
            #expect(try await cloud.paths() == ["/dir"])
            #expect(try await cloud.property("d:quota-used-bytes", home) == "5")
        }
    }

    @Test func aCopyHasContentAndPropertiesOfItsOwn() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davFolder(home + "/dir")
            try await cloud.davFolder(home + "/dir/sub")
            try await cloud.davPut(home + "/dir/sub/a", "123")
            let set =
                "<d:propertyupdate xmlns:d=\"DAV:\" xmlns:x=\"urn:example\"><d:set><d:prop>"
                + "<x:mode>0640</x:mode></d:prop></d:set></d:propertyupdate>"
            #expect(try await cloud.dav("PROPPATCH", home + "/dir/sub/a", text: set).status == 207)
            #expect(
                try await move(cloud, home + "/dir", home + "/copy", method: "COPY").status == 201)
            try await cloud.davPut(home + "/dir/sub/a", "changed")
            #expect(try await cloud.dav("GET", home + "/copy/sub/a").text == "123")
            let mode = try await cloud.dav(
                "PROPFIND", home + "/copy/sub/a", text: CloudHarness.propfind("<x:mode/>"),
                [("Depth", "0")])
            #expect(mode.text.contains(">0640</x1:mode>"))
            let shallow = try await move(
                cloud, home + "/dir", home + "/flat", method: "COPY", [("Depth", "0")])
            #expect(shallow.status == 201)
            #expect(try await cloud.dav("GET", home + "/flat/sub/a").status == 404)
            #expect(
                try await move(
                    cloud, home + "/copy", home + "/flat", method: "COPY", [("Overwrite", "F")]
                )
                .status == 412)
            #expect(
                try await move(cloud, home + "/copy", home + "/flat", method: "COPY").status == 204)
            #expect(try await cloud.dav("GET", home + "/flat/sub/a").text == "123")
        }
    }

    @Test func aDeleteTakesEverythingBelow() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davFolder(home + "/dir")
            try await cloud.davPut(home + "/dir/a", "1")
            #expect(try await cloud.dav("DELETE", home + "/dir/").status == 204)
            #expect(try await cloud.dav("GET", home + "/dir/a").status == 404)
            #expect(try await cloud.dav("DELETE", home + "/dir").status == 404)
            #expect(try await cloud.dav("DELETE", home + "/").status == 403)
            #expect(try await cloud.dav("DELETE", home + "/Team").status == 403)
        }
    }

    @Test func everyRootIsAFolderInTheHome() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(home + "/Projects", "a file of that name")
            let root = try await cloud.cloud.ensureRoot(name: "Projects", kind: "share")
            try await cloud.cloud.subscribe(
                person: cloud.person, root: root, permissions: fullAccess)
            let answer = try await cloud.dav("PROPFIND", home + "/", [], [("Depth", "1")])
            let names = Set(answer.text.hrefs(below: home + "/"))
            #expect(names == ["", "Team/", "Projects", "Projects%20(\(root))/"])
            try await cloud.davPut(home + "/Projects%20(\(root))/a", "1")
            // The old address leads to the same files.
            #expect(
                try await cloud.dav("GET", "/remote.php/webdav/Projects%20(\(root))/a").text == "1")
        }
    }
}
