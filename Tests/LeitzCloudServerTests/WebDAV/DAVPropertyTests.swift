import Foundation
import LeitzCloudServer
import Testing

@Suite struct DAVPropertyTests {
    private let home = CloudHarness.davHome

    private func patch(_ cloud: CloudHarness, _ path: String, _ change: String) async throws
        -> Answer
    {
        try await cloud.dav(
            "PROPPATCH", path,
            text: "<d:propertyupdate xmlns:d=\"DAV:\" xmlns:x=\"urn:example\">\(change)"
                + "</d:propertyupdate>")
    }

    @Test func namedPropertiesAreAnsweredOrMissing() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(home + "/a.txt", "12345")
            let names = "<d:getcontentlength/><d:resourcetype/><oc:size/><nc:has-preview/><x:none/>"
            let answer = try await cloud.dav(
                "PROPFIND", home + "/", text: CloudHarness.propfind(names), [("Depth", "1")])
            #expect(answer.status == 207)
            #expect(answer.text.hrefs(below: home).sorted() == ["/", "/Team/", "/a.txt"])
            let file = try #require(
                answer.text.elements("d:response").first { $0.contains("a.txt") })
            #expect(file.elements("d:getcontentlength") == ["5"])
            #expect(file.elements("oc:size") == ["5"])
            #expect(file.elements("nc:has-preview") == ["false"])
            #expect(
                file.contains("<x1:none xmlns:x1=\"urn:example\"/></d:prop><d:status>HTTP/1.1 404"))
            let folder = try #require(answer.text.elements("d:response").first)
            #expect(folder.contains("<d:collection/>"))
            #expect(folder.elements("oc:size") == ["5"])
        }
    }

    @Test func theOtherFormsOfPropfindAreAnswered() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davFolder(home + "/dir")
            try await cloud.davPut(home + "/dir/a.txt", "1")
            let all = try await cloud.dav("PROPFIND", home + "/dir/a.txt", [], [("Depth", "0")])
            #expect(all.text.contains("<d:getcontenttype>text/plain</d:getcontenttype>"))
            #expect(!all.text.contains("oc:fileid"))
            let names = try await cloud.dav(
                "PROPFIND", home + "/dir/a.txt",
                text: "<d:propfind xmlns:d=\"DAV:\"><d:propname/></d:propfind>", [("Depth", "0")])
            #expect(names.text.contains("<oc:fileid/>"))
            // Infinity is cut down to 1, as is no depth at all.
            for headers in [[("Depth", "infinity")], []] {
                let deep = try await cloud.dav("PROPFIND", home, [], headers)
                #expect(deep.text.hrefs(below: home).sorted() == ["/", "/Team/", "/dir/"])
            }
            #expect(
                try await cloud.dav("PROPFIND", home + "/no", [], [("Depth", "0")]).status == 404)
        }
    }

    @Test func badBodiesAreRefused() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(home + "/secret", "1")
            let bodies = [
                "<d:propfind xmlns:d=\"DAV:\">", "no xml", "<propfind/>",
                "<d:propfind xmlns:d=\"DAV:\"><d:prop><b:c xmlns:b=\"\"/></d:prop></d:propfind>",
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>"
                    + "<d:propfind xmlns:d=\"DAV:\"><d:prop><x>&e;</x></d:prop></d:propfind>",
                String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100),
            ]
            for body in bodies {
                let answer = try await cloud.dav(
                    "PROPFIND", home + "/", text: body, [("Depth", "0")])
                #expect(answer.status == 400, "\(body.prefix(60))")
            }
            let long = String(repeating: " ", count: 600_000)
            #expect(try await cloud.dav("PROPFIND", home + "/", text: long).status == 400)
            #expect(try await cloud.dav("PROPFIND", home, [], [("Depth", "7")]).status == 400)
            #expect(
                try await cloud.dav("PUT", home + "/x", text: "1", [("If", "(<a")]).status == 400)
        }
    }

    @Test func ownPropertiesAreKept() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(home + "/a", "1")
            let value =
                "<x:mode xml:lang=\"de\">0640 &amp; <y xmlns=\"urn:y\" z=\"1\">ü</y></x:mode>"
            let set = try await patch(
                cloud, home + "/a", "<d:set><d:prop>\(value)</d:prop></d:set>")
            #expect(set.status == 207)
            #expect(set.text.contains("<d:status>HTTP/1.1 200 OK"))
            let asked = CloudHarness.propfind("<x:mode/>")
            let answer = try await cloud.dav("PROPFIND", home + "/a", text: asked, [("Depth", "0")])
            #expect(answer.text.contains(">0640 &amp; <y xmlns=\"urn:y\" z=\"1\">ü</y></x1:mode>"))
            _ = try await patch(
                cloud, home + "/a", "<d:remove><d:prop><x:mode/></d:prop></d:remove>")
            let gone = try await cloud.dav("PROPFIND", home + "/a", text: asked, [("Depth", "0")])
            #expect(gone.text.contains("404 Not Found"))
        }
    }

    @Test func timesAreSetAsWithNextcloud() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(home + "/a", "1")
            let before = try await cloud.etag(home)
            let set = try await patch(
                cloud, home + "/a",
                "<d:set><d:prop><d:lastmodified>1500000000</d:lastmodified></d:prop></d:set>")
            #expect(set.text.contains("<d:lastmodified/></d:prop><d:status>HTTP/1.1 200 OK"))
            #expect(
                try await cloud.property("d:getlastmodified", home + "/a")
                    == "Fri, 14 Jul 2017 02:40:00 GMT")
            #expect(try await cloud.etag(home) != before)
            // All or nothing.
            let refused = try await patch(
                cloud, home + "/a",
                "<d:set><d:prop><x:mode>1</x:mode><d:getlastmodified>Fri, 14 Jul 2017 02:40:00 GMT"
                    + "</d:getlastmodified></d:prop></d:set>")
            #expect(refused.text.contains("<d:getlastmodified/></d:prop><d:status>HTTP/1.1 403"))
            #expect(refused.text.contains("HTTP/1.1 424"))
            #expect(try await cloud.property("x:mode", home + "/a") == nil)
        }
    }

    @Test func aLongListingIsWholeAndSentInPieces() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.cloud.fill(
                folder: -cloud.root, root: cloud.root, person: cloud.person, files: 10_000)
            let names = "<d:getetag/><d:getcontentlength/><oc:fileid/><oc:permissions/>"
            let answer = try await cloud.dav(
                "PROPFIND", CloudHarness.davTeam, text: CloudHarness.propfind(names),
                [("Depth", "1")])
            #expect(answer.header("transfer-encoding") == "chunked")
            #expect(Set(answer.text.hrefs(below: CloudHarness.davTeam)).count == 10_001)
            #expect(Set(answer.text.elements("oc:fileid")).count == 10_001)
            #expect(answer.text.hasSuffix("</d:multistatus>"))
        }
    }

    @Test func anETagClimbsToTheTop() async throws {
        try await CloudHarness.run { cloud async throws in
            for path in ["/a", "/a/b", "/sibling"] { try await cloud.davFolder(home + path) }
            try await cloud.davPut(home + "/a/b/f", "1")
            let paths = ["", "/a", "/a/b", "/sibling", "/Team"]
            func tags() async throws -> [String] {
                var tags: [String] = []
                for path in paths { tags.append(try await cloud.etag(home + path)) }
                return tags
            }
            func changed(_ change: () async throws -> Void) async throws -> [String] {
                let before = try await tags()
                try await change()
                let after = try await tags()
                return zip(paths, zip(before, after)).filter { $0.1.0 != $0.1.1 }.map(\.0)
            }
            #expect(try await changed {}.isEmpty)
            let deep = ["", "/a", "/a/b"]
            #expect(try await changed { try await cloud.davPut(home + "/a/b/f", "1") } == deep)
            #expect(try await changed { try await cloud.davFolder(home + "/a/b/c") } == deep)
            #expect(
                try await changed {
                    _ = try await cloud.dav(
                        "MOVE", home + "/a/b/f", [], [("Destination", home + "/sibling/f")])
                } == ["", "/a", "/a/b", "/sibling"])
            #expect(
                try await changed {
                    _ = try await cloud.dav("DELETE", home + "/sibling/f")
                } == ["", "/sibling"])
            // The other face's changes climb as well, through the root and into the home.
            #expect(try await changed { _ = try await cloud.uploaded("x") } == ["", "/Team"])
            #expect(
                try await changed {
                    try await cloud.cloud.subscribe(
                        person: cloud.person, root: cloud.root, permissions: [])
                    _ = try await cloud.cloud.ensureRoot(name: "Unseen", kind: "share")
                    try await cloud.cloud.subscribe(
                        person: cloud.person, root: cloud.root, permissions: fullAccess)
                }.isEmpty)
        }
    }
}
