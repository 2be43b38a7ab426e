import CloudStorage
import HTTPTransport
import TestSupport
import Testing

@testable import WebDAVClient

@Suite struct DetectionTests {
    private static func user(_ id: String) -> String {
        #"{"ocs":{"meta":{"status":"ok","statuscode":100},"data":{"id":"\#(id)","#
            + #""display-name":"Alice A."}}}"#
    }

    private func detect(
        _ path: String = "", script: @escaping ScriptedServer.Script,
        _ check: (WebDAVServer, ScriptedServer) throws -> Void
    ) async throws {
        try await ScriptedServer.with(script) { server in
            let transport = try HTTPTransport()
            let result: Result<WebDAVServer, CloudStorageError>
            do throws(CloudStorageError) {
                result = .success(
                    try await WebDAVDetection.detect(
                        try ServerAddress(server.url + path), credentials: ClientScene.alice,
                        transport: transport))
            } catch {
                result = .failure(error)
            }
            await transport.shutdown()
            try check(try result.get(), server)
        }
    }

    private static func cloud(
        _ name: String, dav: String, prefix: String = "", status: [UInt8]
    ) throws -> ScriptedServer.Script {
        let capabilities = try Sample.bytes("\(name)/misc_capabilities.json")
        return { request, _ in
            let path = request.path.split(separator: "?")[0]
            guard path.hasPrefix(prefix) else { return .text(404, "") }
            switch path.dropFirst(prefix.count) {
            case "/status.php": return .answer(200, body: status)
            case "/ocs/v1.php/cloud/user":
                return request.header("OCS-APIRequest") == "true"
                    ? .text(200, user("alice@example.com")) : .text(412, "")
            case "/ocs/v1.php/cloud/capabilities": return .answer(200, body: capabilities)
            case "/remote.php/dav/files/alice%40example.com/":
                return .answer(200, headers: [("DAV", dav)])
            default: return .text(404, "")
            }
        }
    }

    @Test(arguments: ["", "/", "/index.php/apps/files", "/remote.php/dav/files/someone"])
    func aNextcloudIsFoundFromWhereverOneStarts(path: String) async throws {
        let dav = try #require(
            Sample.headers("nextcloud/dav_options.http.txt").first { $0.0 == "DAV" }?.1)
        let script = try Self.cloud(
            "nextcloud", dav: dav, prefix: "/cloud",
            status: try Sample.bytes("nextcloud/misc_status.json"))
        try await detect("/cloud" + path, script: script) { found, server in
            #expect(found.profile.kind == .nextcloud)
            #expect(
                found.filesURL
                    == server.url + "/cloud/remote.php/dav/files/alice%40example.com")
            #expect(found.profile.userID == "alice@example.com")
            #expect(found.displayName == "Alice A.")
            #expect(found.version == "34.0.1")
            #expect(found.profile.supportsLocks && found.profile.hasAppLocks)
            #expect(found.profile.revisionIsETag && found.profile.hasFolderETags)
            #expect(found.profile.firstModificationTime == 86_401)
            #expect(found.profile.nameRules.names == [".htaccess"])
            // The password is not shown to what may be no cloud at all.
            #expect(server.requests.first?.header("Authorization") == nil)
        }
    }

    @Test func withoutFilesLockThereAreNoLocks() async throws {
        let dav = try #require(
            Sample.headers("nextcloud/dav4_nolockapp_options.http.txt").first { $0.0 == "DAV" }?.1)
        let script = try Self.cloud(
            "nextcloud", dav: dav, status: try Sample.bytes("nextcloud/misc_status.json"))
        try await detect(script: script) { found, _ in
            #expect(found.profile.kind == .nextcloud)
            #expect(!found.profile.supportsLocks)
            #expect(found.profile.capabilities.lockSeconds == nil)
        }
    }

    @Test func anOwnCloudIsFoundUnderAnyBrand() async throws {
        let dav = try #require(
            Sample.headers("owncloud/dav_options.http.txt").first { $0.0 == "DAV" }?.1)
        let status =
            #"{"installed":true,"maintenance":false,"needsDbUpgrade":false,"#
            + #""version":"10.15.2.0","versionstring":"10.15.2","productname":"A Brand"}"#
        let script = try Self.cloud("owncloud", dav: dav, status: Array(status.utf8))
        try await detect(script: script) { found, _ in
            #expect(found.profile.kind == .owncloud)
            #expect(!found.profile.revisionIsETag)
            #expect(!found.profile.hasAppLocks)
            #expect(found.profile.supportsLocks)
            #expect(found.profile.firstModificationTime == 1)
        }
    }

    @Test func anyOtherServerIsTakenAsItIs() async throws {
        try await detect("/store/My%20Files") { request, _ in
            guard request.method == "OPTIONS" else { return .text(401, "") }
            return .answer(200, headers: [("DAV", "1"), ("DAV", "<http://x/>"), ("Dav", "2")])
        } _: { found, server in
            #expect(found.profile.kind == .generic)
            #expect(found.profile.rootName == "My Files")
            #expect(found.profile.supportsLocks)
            #expect(!found.profile.honoursConditions && !found.profile.hasFolderETags)
            #expect(found.filesURL == server.url + "/store/My%20Files")
        }
    }

    @Test func refusalsHaveTheirReason() async throws {
        let maintenance = #"{"installed":true,"maintenance":true,"version":"1.0"}"#
        let cases: [(CloudStorageError.Kind, ScriptedServer.Script)] = [
            (.unsupported, { _, _ in .text(200, "<html>") }),
            (.signInRequired, { request, _ in .text(request.method == "GET" ? 404 : 401, "") }),
            (.temporarilyUnavailable, { _, _ in .text(200, maintenance) }),
        ]
        for (kind, script) in cases {
            let failure = try await failureKind { try await detect(script: script) { _, _ in } }
            #expect(failure == kind)
        }
    }
}
