import Foundation
import LeitzCloudServer
import Testing

@Suite struct DAVUploadTests {
    private let folder = CloudHarness.davUploads + "/tx-1"
    private let target = CloudHarness.davHome + "/big.bin"

    private var destination: (String, String) { ("Destination", "https://x" + target) }

    private func send(_ cloud: CloudHarness, _ pieces: [String]) async throws {
        #expect(try await cloud.dav("MKCOL", folder, [], [destination]).status == 201)
        for (index, piece) in pieces.enumerated() {
            let number = String(format: "%05d", index + 1)
            let answer = try await cloud.dav(
                "PUT", "\(folder)/\(number)", text: piece, [destination])
            #expect(answer.status == 201)
        }
    }

    private func assemble(_ cloud: CloudHarness, _ headers: [(String, String)] = []) async throws
        -> Answer
    {
        try await cloud.dav("MOVE", folder + "/.file", [], [destination] + headers)
    }

    @Test func piecesBecomeAFile() async throws {
        try await CloudHarness.run { cloud async throws in
            try await send(cloud, (1...12).map { "piece \($0);" })
            let listing = try await cloud.dav("PROPFIND", folder, [], [("Depth", "1")])
            let names = listing.text.hrefs(below: folder + "/")
            #expect(names.prefix(3) == ["", ".file", "00001"])
            #expect(names.count == 14)
            let whole = (1...12).map { "piece \($0);" }.joined()
            let sizes = listing.text.elements("d:getcontentlength")
            #expect(sizes.first == String(whole.utf8.count))
            let answer = try await assemble(
                cloud,
                [
                    ("OC-Total-Length", String(whole.utf8.count)), ("X-OC-Mtime", "1600000001"),
                    ("OC-Checksum", "SHA1:1234"),
                ])
            #expect(answer.status == 201)
            #expect(answer.header("X-OC-MTime") == "accepted")
            #expect(
                try await cloud.etag(target).contains(
                    answer.header("ETag")?.split(separator: "\"").first ?? "-"))
            #expect(try await cloud.dav("GET", target).text == whole)
            #expect(
                try await cloud.property("oc:checksums", target)
                    == "<oc:checksum>SHA1:1234</oc:checksum>")
            #expect(try await cloud.dav("PROPFIND", folder, [], [("Depth", "0")]).status == 404)
            #expect(try chunkFiles(cloud).isEmpty)
        }
    }

    private func chunkFiles(_ cloud: CloudHarness) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: cloud.folder + "/chunks")
    }

    @Test func aReplacedFileKeepsItsNumber() async throws {
        try await CloudHarness.run { cloud async throws in
            let etag = try await cloud.davPut(target, "old")
            let id = try await cloud.property("oc:fileid", target)
            try await send(cloud, ["new ", "content"])
            let stale = try await assemble(cloud, [("If", "<https://x\(target)> ([\"zzz\"])")])
            #expect(stale.status == 412)
            #expect(stale.text.contains("<s:header>If</s:header>"))
            let total = try await assemble(cloud, [("OC-Total-Length", "999")])
            #expect(total.status == 400)
            #expect(total.text.contains("Chunks on server do not sum up to 999 but to 11 bytes"))
            #expect(try await assemble(cloud, [("Overwrite", "F")]).status == 412)
            let done = try await assemble(cloud, [("If", "<https://x\(target)> ([\(etag)])")])
            #expect(done.status == 204)
            #expect(try await cloud.property("oc:fileid", target) == id)
            #expect(try await cloud.dav("GET", target).text == "new content")
            #expect(try await assemble(cloud).status == 404)
        }
    }

    @Test func aPieceCanBeSentAgainAndTakenBack() async throws {
        try await CloudHarness.run { cloud async throws in
            try await send(cloud, ["aaa", "bbb", "ccc"])
            #expect(try await cloud.dav("PUT", folder + "/2", text: "B").status == 204)
            #expect(try await cloud.dav("DELETE", folder + "/00003").status == 204)
            #expect(try await assemble(cloud).status == 201)
            #expect(try await cloud.dav("GET", target).text == "aaaB")
            #expect(try chunkFiles(cloud).isEmpty)
        }
    }

    @Test func whatIsNoPieceIsRefused() async throws {
        try await CloudHarness.run { cloud async throws in
            #expect(try await cloud.dav("PUT", folder + "/1", text: "x").status == 404)
            try await send(cloud, ["1"])
            #expect(try await cloud.dav("MKCOL", folder).status == 405)
            for name in ["0", "10001", "x", "-1", "+1", "1.5"] {
                #expect(try await cloud.dav("PUT", "\(folder)/\(name)", text: "x").status == 400)
            }
            #expect(try await cloud.dav("GET", folder + "/00001").status == 405)
            #expect(try await cloud.dav("DELETE", folder).status == 204)
            #expect(try await cloud.dav("DELETE", folder).status == 404)
            #expect(try chunkFiles(cloud).isEmpty)
            let bob = try await cloud.davPerson("bob@example.com", fullAccess)
            #expect(try await cloud.dav("MKCOL", folder, authorization: bob).status == 404)
        }
    }

    @Test func piecesCountAgainstTheQuota() async throws {
        try await CloudHarness.run { cloud async throws in
            try await send(cloud, ["12345"])
            _ = try await cloud.cloud.ensurePerson(
                email: CloudHarness.email, password: CloudHarness.password, displayName: "Anna",
                quota: 8)
            #expect(try await cloud.dav("PUT", folder + "/2", text: "6789").status == 507)
            let early = try await cloud.dav(
                "PUT", folder + "/2", text: "6", [destination, ("OC-Total-Length", "9")])
            #expect(early.status == 507)
            #expect(try await cloud.dav("PUT", folder + "/2", text: "678").status == 201)
            #expect(try await assemble(cloud).status == 201)
        }
    }

    @Test func anIdleUploadIsForgotten() async throws {
        try await CloudHarness.run { cloud async throws in
            try await send(cloud, ["12345"])
            #expect(try chunkFiles(cloud).count == 1)
            cloud.clock.advance(86_401)
            #expect(try await cloud.dav("PUT", folder + "/2", text: "6").status == 404)
            #expect(try await cloud.dav("MKCOL", CloudHarness.davUploads + "/tx-2").status == 201)
            #expect(try chunkFiles(cloud).isEmpty)
        }
    }
}
