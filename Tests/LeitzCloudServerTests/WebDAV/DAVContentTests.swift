import Foundation
import LeitzCloudAPI
import LeitzCloudServer
import NIOCore
import TestSupport
import Testing

@Suite struct DAVContentTests {
    private let file = CloudHarness.davHome + "/hello%20w%C3%B6rld.txt"

    @Test func aFileComesBackWithItsHeaders() async throws {
        try await CloudHarness.run { cloud async throws in
            let put = try await cloud.dav(
                "PUT", file, text: "Hello, cloud!\n",
                [("X-OC-Mtime", "1600000000.7"), ("OC-Checksum", "SHA1:abc")])
            #expect(put.status == 201)
            #expect(put.header("X-OC-MTime") == "accepted")
            let etag = try #require(put.header("ETag"))
            #expect(put.header("OC-ETag") == etag)
            #expect(put.header("X-NC-Permissions") == "RGDNVW")
            let id = try #require(put.header("OC-FileId"))
            #expect(try await cloud.property("oc:id", file) == id)

            let get = try await cloud.dav("GET", file)
            #expect(get.text == "Hello, cloud!\n")
            #expect(get.header("ETag") == etag)
            #expect(get.header("Last-Modified") == "Sun, 13 Sep 2020 12:26:40 GMT")
            #expect(get.header("OC-Checksum") == "SHA1:abc")
            let head = try await cloud.dav("HEAD", file)
            #expect(head.status == 200)
            #expect(head.header("Content-Length") == "14")
            #expect(head.body.readableBytes == 0)
            let same = try await cloud.dav("GET", file, [], [("If-None-Match", etag)])
            #expect(same.status == 304)

            let again = try await cloud.dav("PUT", file, text: "Hello, cloud!\n")
            #expect(again.status == 204)
            #expect(again.header("OC-FileId") == id)
            #expect(again.header("ETag") != etag)
            #expect(again.header("X-OC-MTime") == nil)
            #expect(try await cloud.property("oc:checksums", file) == nil)
        }
    }

    @Test func bothFacesShowTheSameFile() async throws {
        try await CloudHarness.run { cloud async throws in
            let item = try await cloud.uploaded("shared.txt", "one")
            let path = CloudHarness.davTeam + "/shared.txt"
            #expect(try await cloud.dav("GET", path).text == "one")
            try await cloud.davPut(path, "two two")
            let answer = try await cloud.get(cloud.files + "/\(item.id)/download")
            #expect(answer.text == "two two")
            try await cloud.davPut(CloudHarness.davTeam + "/new.txt", "x")
            #expect(try await cloud.paths().sorted() == ["/new.txt", "/shared.txt"])
        }
    }

    @Test func preconditionsAreHeldTo() async throws {
        try await CloudHarness.run { cloud async throws in
            let first = try await cloud.davPut(file, "1")
            let second = try await cloud.davPut(file, "2")
            let stale = try await cloud.dav("PUT", file, text: "3", [("If-Match", first)])
            #expect(stale.status == 412)
            #expect(stale.header("ETag") == second)
            #expect(stale.text.contains("<s:exception>Sabre\\DAV\\Exception\\PreconditionFailed<"))
            #expect(
                try await cloud.dav("PUT", file, text: "3", [("If-None-Match", "*")]).status == 412)
            #expect(try await cloud.dav("DELETE", file, [], [("If-Match", first)]).status == 412)
            #expect(
                try await cloud.dav("PUT", file, text: "3", [("If-Match", second)]).status == 204)
            #expect(try await cloud.dav("GET", file).text == "3")
            let absent = CloudHarness.davHome + "/absent"
            #expect(
                try await cloud.dav("PUT", absent, text: "1", [("If-Match", "*")]).status == 412)
            #expect(
                try await cloud.dav("PUT", absent, text: "1", [("If-None-Match", "*")]).status
                    == 201)
        }
    }

    @Test func whatIsNoPlaceForAFileIsRefused() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davFolder(CloudHarness.davHome + "/dir")
            try await cloud.davPut(file, "1")
            let refusals: [(String, Int)] = [
                ("/nodir/x.txt", 404), ("/dir", 409), ("/Team", 409),
                ("/hello%20w%C3%B6rld.txt/below", 409), ("/x.part", 400), ("/a%5Cb", 400),
                ("/a%0Ab", 400), ("/.htaccess", 400),
                ("/" + String(repeating: "n", count: 251), 400),
                ("/a%2Fb", 400), ("/..%2Fb", 400), ("/%2E%2E/b", 400),
                ("/a%00b", 400),
            ]
            for (path, status) in refusals {
                let answer = try await cloud.dav("PUT", CloudHarness.davHome + path, text: "x")
                #expect(answer.status == status, "\(path)")
            }
            let part = try await cloud.dav(
                "PUT", file, text: "x", [("Content-Range", "bytes 0-0/10")])
            #expect(part.status == 400)
            #expect(try await cloud.dav("GET", file).text == "1")
        }
    }

    @Test func aTimeThatNextcloudRefusesIsRefusedAlike() async throws {
        try await CloudHarness.run { cloud async throws in
            let answer = try await cloud.dav("PUT", file, text: "abc", [("X-OC-Mtime", "1")])
            #expect(answer.status == 500)
            #expect(try await cloud.dav("GET", file).text == "abc")
        }
    }

    @Test func rangesAreExact() async throws {
        try await CloudHarness.run { cloud async throws in
            let etag = try await cloud.davPut(file, "Hello, cloud!\n")
            let cases: [(String, Int, String)] = [
                ("bytes=7-11", 206, "cloud"), ("bytes=-3", 206, "d!\n"),
                ("bytes=7-", 206, "cloud!\n"),
                ("bytes=0-1,4-5", 200, "Hello, cloud!\n"), ("bytes=0-0", 206, "Hello, cloud!\n"),
            ]
            for (range, status, text) in cases {
                let answer = try await cloud.dav("GET", file, [], [("Range", range)])
                #expect(answer.status == status)
                #expect(answer.text == text)
            }
            let beyond = try await cloud.dav("GET", file, [], [("Range", "bytes=100-200")])
            #expect(beyond.status == 416)
            #expect(
                beyond.text.contains("The start offset (100) exceeded the size of the entity (14)"))
            for (validator, status) in [(etag, 206), ("\"other\"", 200)] {
                let answer = try await cloud.dav(
                    "GET", file, [], [("Range", "bytes=1-2"), ("If-Range", validator)])
                #expect(answer.status == status)
            }
            let folder = try await cloud.dav("GET", CloudHarness.davHome + "/")
            #expect(folder.status == 200)
            #expect(folder.text.contains("WebDAV interface"))
        }
    }

    @Test func theQuotaIsHeldTo() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(file, "12345678")
            _ = try await cloud.cloud.ensurePerson(
                email: CloudHarness.email, password: CloudHarness.password, displayName: "Anna",
                quota: 10)
            #expect(
                try await cloud.property("d:quota-available-bytes", CloudHarness.davHome) == "2")
            #expect(try await cloud.property("d:quota-used-bytes", CloudHarness.davHome) == "8")
            let other = CloudHarness.davHome + "/other"
            #expect(try await cloud.dav("PUT", other, text: "123").status == 507)
            #expect(try await cloud.dav("GET", other).status == 404)
            // What is replaced gives its room.
            #expect(try await cloud.dav("PUT", file, text: "1234567890").status == 204)
        }
        var behaviour = ServerBehaviour()
        behaviour.maximumFileSizeMB = 1
        try await CloudHarness.run(behaviour) { cloud async throws in
            let big = [UInt8](repeating: 1, count: 1_048_577)
            #expect(try await cloud.dav("PUT", file, big).status == 413)
        }
    }

    @Test func aChecksumCanBeMade() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(file, "abc")
            let answer = try await cloud.dav("PATCH", file, [], [("X-Recalculate-Hash", "sha1")])
            #expect(answer.status == 204)
            let checksum = "SHA1:a9993e364706816aba3e25717850c26c9cd0d89d"
            #expect(answer.header("OC-Checksum") == checksum)
            #expect(try await cloud.property("oc:checksum", file) == nil)
            #expect(
                try await cloud.property("oc:checksums", file)
                    == "<oc:checksum>\(checksum)</oc:checksum>")
        }
    }

    @Test func readersReadAndNoMore() async throws {
        try await CloudHarness.run { cloud async throws in
            let path = CloudHarness.davTeam + "/a.txt"
            try await cloud.davPut(path, "1")
            let reader = try await cloud.davPerson(
                "reader@example.com", ["FILE_VIEW", "FILE_READ"])
            let theirs = "/remote.php/dav/files/reader%40example.com/Team/a.txt"
            #expect(try await cloud.dav("GET", theirs, authorization: reader).text == "1")
            for method in ["PUT", "DELETE"] {
                let answer = try await cloud.dav(method, theirs, text: "2", authorization: reader)
                #expect(answer.status == 403)
            }
            #expect(
                try await cloud.property("oc:permissions", theirs, authorization: reader) == "SRG")
            #expect(try await cloud.property("oc:permissions", path) == "SRGDNVW")
            #expect(try await cloud.property("oc:permissions", CloudHarness.davTeam) == "SRMGCK")
            // Other persons' files are not shown to be there.
            #expect(try await cloud.dav("GET", path, authorization: reader).status == 404)
        }
    }

    @Test func anInjectedFaultMeetsTheFace() async throws {
        try await CloudHarness.run { cloud async throws in
            try await cloud.davPut(file, "12345")
            cloud.cloud.resetRequestCounts()
            cloud.cloud.faults.add(
                FaultRule(.cutBody(afterBytes: 2), method: "GET", routeKind: "dav"))
            await #expect(throws: (any Error).self) { try await cloud.dav("GET", file) }
            cloud.cloud.faults.add(
                FaultRule(
                    .status(code: 423, error: "FileLocked", retryAfter: 3), method: "PROPFIND"))
            let refused = try await cloud.dav("PROPFIND", file, [], [("Depth", "0")])
            #expect(refused.status == 423)
            #expect(refused.header("Retry-After") == "3")
            #expect(refused.text.contains("<s:exception>FileLocked</s:exception>"))
            cloud.cloud.faults.add(FaultRule(.expireToken))
            #expect(try await cloud.dav("GET", file).status == 401)
            let counts = cloud.cloud.requestCounts()
            #expect(counts["GET dav"] == 2)
            #expect(counts["PROPFIND dav"] == 1)
        }
    }
}
