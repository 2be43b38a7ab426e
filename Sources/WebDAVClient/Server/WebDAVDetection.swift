package import CloudStorage
import FoundationEssentials
package import HTTPTransport

/// Finds out what kind of WebDAV server is at an address, and where the account's files are.
///
/// The answers to `status.php`, OCS and OPTIONS decide, never the host's name.
package enum WebDAVDetection {
    /// Asks the server; three requests, one of them without the password.
    ///
    /// An address that leads into `remote.php` is taken for the server it belongs to.
    /// - Throws: `signInRequired` where the password is not taken, `unsupported` where there is no
    ///   WebDAV server, `temporarilyUnavailable` in maintenance mode.
    package static func detect(
        _ address: ServerAddress, credentials: WebDAVCredentials, transport: HTTPTransport
    ) async throws(CloudStorageError) -> WebDAVServer {
        let site = Site(
            address: try self.site(of: address), transport: transport,
            authorization: WebDAVClient.authorization(credentials))
        if let status = try await site.status() {
            guard !status.maintenance else {
                throw CloudStorageError(
                    .temporarilyUnavailable, "the server is in maintenance mode")
            }
            return try await site.cloud(status)
        }
        return try await Site(
            address: address, transport: transport, authorization: site.authorization
        ).plainServer()
    }

    /// The address without what is the server's own: `remote.php/…` and `index.php/…`.
    private static func site(of address: ServerAddress) throws(CloudStorageError) -> ServerAddress {
        let parts = address.prefix.split(separator: "/")
        guard
            let end = parts.firstIndex(where: {
                ["remote.php", "index.php", "ocs", "status.php", "public.php"].contains($0)
            })
        else { return address }
        return try ServerAddress(
            address.origin + parts[..<end].map { "/" + $0 }.joined())
    }
}

/// One address under inspection.
private struct Site {
    /// The answer of `status.php`.
    struct Status: Decodable {
        var installed: Bool
        var maintenance: Bool
        var version: String
        var versionstring: String?
        var productname: String?
    }

    var address: ServerAddress
    var transport: HTTPTransport
    var authorization: String

    /// Nil where the server has none: it is no Nextcloud and no ownCloud.
    func status() async throws(CloudStorageError) -> Status? {
        let answer = try await transport.send(
            HTTPCall("detect", .get, url: address.url("/status.php")))
        if answer.status == 503 { throw WebDAVErrors.error(for: answer) }
        guard answer.isSuccess,
            let status = try? JSONDecoder().decode(Status.self, from: answer.body),
            status.installed
        else { return nil }
        return status
    }

    func cloud(_ status: Status) async throws(CloudStorageError) -> WebDAVServer {
        let user = try await ocs(CloudUser.self, "/ocs/v1.php/cloud/user")
        let answer = try await ocs(CloudCapabilities.self, "/ocs/v1.php/cloud/capabilities")
        let files =
            address.description + "/remote.php/dav/files/"
            + PercentCoding.encode(user.id.utf8)
        let header = try await davHeader(files)
        guard isWebDAV(header) else {
            throw CloudStorageError(.unsupported, "the server has no WebDAV below remote.php/dav")
        }
        var profile = WebDAVProfile.known(
            answer.kind(status.productname, header), rootName: "Files", userID: user.id)
        profile.supportsLocks = header.contains("2")
        profile.hasAppLocks = profile.hasAppLocks && answer.hasAppLocks
        profile.nameRules = answer.nameRules
        profile.largestChunk = answer.largestChunk
        var server = WebDAVServer(filesURL: files, profile: profile)
        server.version = status.versionstring ?? status.version
        server.displayName = user.displayName
        return server
    }

    /// A server of RFC 4918 at the very address.
    func plainServer() async throws(CloudStorageError) -> WebDAVServer {
        let header = try await davHeader(address.description)
        guard isWebDAV(header) else {
            throw CloudStorageError(.unsupported, "there is no WebDAV server at \(address)")
        }
        let last = DAVHref(address.prefix).parts.last.flatMap { ShownName.shown($0) }
        var profile = WebDAVProfile.known(.generic, rootName: last ?? address.host)
        profile.supportsLocks = header.contains("2")
        return WebDAVServer(filesURL: address.description, profile: profile)
    }

    /// Class 2 includes class 1, and nginx names only the one it is.
    private func isWebDAV(_ features: Set<String>) -> Bool {
        features.contains("1") || features.contains("2")
    }

    /// The features in the `DAV` header of an OPTIONS answer (RFC 4918 section 10.1).
    private func davHeader(_ url: String) async throws(CloudStorageError) -> Set<String> {
        var call = HTTPCall("detect", .options, url: url + "/")
        call.headers = [("Authorization", authorization)]
        let answer = try await transport.send(call)
        guard answer.isSuccess else { throw WebDAVErrors.error(for: answer) }
        let values = answer.headers.filter { $0.0.lowercased() == "dav" }.map(\.1)
        return Set(
            values.flatMap { $0.split(separator: ",") }
                .map { $0.split(separator: " ").joined(separator: " ").lowercased() })
    }

    private func ocs<Value: Decodable>(
        _ type: Value.Type, _ route: String
    ) async throws(CloudStorageError) -> Value {
        var call = HTTPCall(
            "detect", .get, url: address.url(route, query: [("format", "json")]))
        call.headers = [("Authorization", authorization), ("OCS-APIRequest", "true")]
        let answer = try await transport.send(call)
        guard answer.isSuccess else { throw WebDAVErrors.error(for: answer) }
        return try OCSAnswer.decode(type, from: answer.body)
    }
}
