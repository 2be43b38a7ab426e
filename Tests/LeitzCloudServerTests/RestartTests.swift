import AsyncHTTPClient
import Foundation
import LeitzCloudAPI
import LeitzCloudServer
import NIOCore
import NIOHTTP1
import Testing

@Suite struct RestartTests {
    @Test func everythingSurvivesARestart() async throws {
        let folder = NSTemporaryDirectory() + "ordner-server-" + UUID().uuidString
        defer { removeFolder(folder) }
        let clock = ManualClock()
        let first = try await CloudHarness.start(folder, ServerBehaviour(), clock)
        let person = try await first.ensurePerson(
            email: "a@b", password: "p", displayName: "A", quota: 100, ownRoot: true)
        let root = try await first.ensureOwnRoot(person: person)
        let client = try CloudHarness.makeClient(first)
        let token = try await CloudHarness.signIn(client, first.url, "a@b", "p")
        let authority = try Data(contentsOf: URL(fileURLWithPath: first.certificatePath))
        let stored = try await client.execute(
            upload("/api/2/files/\(root)/upload", first.url, token), timeout: .seconds(10))
        #expect(stored.status == .ok)
        _ = try await stored.body.collect(upTo: 1 << 20)
        await first.stop()
        try Data("left over".utf8).write(to: URL(fileURLWithPath: folder + "/incoming/17"))

        let second = try await CloudHarness.start(folder, ServerBehaviour(), clock)
        #expect(try Data(contentsOf: URL(fileURLWithPath: second.certificatePath)) == authority)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/incoming") == [])
        var request = HTTPClientRequest(url: second.url + "/api/2/files/\(root)")
        request.headers.add(name: "authorization", value: "Bearer \(token)")
        let response = try await client.execute(request, timeout: .seconds(10))
        let body = try await response.body.collect(upTo: 1 << 20)
        let listing = try JSONDecoder().decode(
            WireListing.self, from: Data(body.readableBytesView))
        #expect(listing.children?.map(\.path) == ["/a"])
        let file = try #require(listing.children?.first)
        request.url = second.url + "/api/2/files/\(root)/\(file.id)/download"
        let content = try await client.execute(request, timeout: .seconds(10)).body
            .collect(upTo: 100)
        #expect(String(buffer: content) == "inhalt")
        try await client.shutdown()
        await second.stop()
    }

    @Test func aDataFolderHasOneServer() async throws {
        try await CloudHarness.run { harness async throws in
            await #expect(throws: EmbeddedCloudError.dataFolderInUse(harness.folder)) {
                try await CloudHarness.start(harness.folder, ServerBehaviour(), harness.clock)
            }
        }
    }

    @Test func aTakenPortIsAnError() async throws {
        try await CloudHarness.run { harness async throws in
            let folder = NSTemporaryDirectory() + "ordner-server-" + UUID().uuidString
            defer { removeFolder(folder) }
            let port = try #require(
                harness.cloud.url.split(separator: ":").last.flatMap { Int($0) })
            await #expect(throws: EmbeddedCloudError.self) {
                try await EmbeddedCloud.start(
                    EmbeddedCloudConfiguration(dataFolder: folder, port: port))
            }
            // The folder is free again.
            let cloud = try await CloudHarness.start(folder, ServerBehaviour(), harness.clock)
            await cloud.stop()
        }
    }

    @Test func keysAreForTheOwnerOnly() async throws {
        try await CloudHarness.run { harness async throws in
            for name in ["ca-key.pem", "server-key.pem"] {
                let attributes = try FileManager.default.attributesOfItem(
                    atPath: harness.folder + "/" + name)
                #expect(attributes[.posixPermissions] as? Int == 0o600)
            }
        }
    }

    @Test func theServerCertificateIsRenewedUnderTheSameAuthority() async throws {
        let folder = NSTemporaryDirectory() + "ordner-server-" + UUID().uuidString
        defer { removeFolder(folder) }
        let clock = ManualClock()
        func certificates() async throws -> (String, String) {
            let cloud = try await CloudHarness.start(folder, ServerBehaviour(), clock)
            await cloud.stop()
            return (
                try String(contentsOfFile: folder + "/ca.pem", encoding: .utf8),
                try String(contentsOfFile: folder + "/server.pem", encoding: .utf8)
            )
        }
        let first = try await certificates()
        let same = try await certificates()
        #expect(first == same)
        clock.advance(380 * 86_400)
        let renewed = try await certificates()
        #expect(renewed.0 == first.0)
        #expect(renewed.1 != first.1)
    }

    private func removeFolder(_ folder: String) {
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            Issue.record(error)
        }
    }

    private func upload(_ path: String, _ url: String, _ token: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url + path)
        request.method = .POST
        request.headers.add(name: "authorization", value: "Bearer \(token)")
        request.headers.add(name: "content-type", value: "multipart/form-data; boundary=B")
        request.body = .bytes(
            ByteBuffer(
                string: "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\""
                    + "\r\n\r\ninhalt\r\n--B--\r\n"))
        return request
    }
}
