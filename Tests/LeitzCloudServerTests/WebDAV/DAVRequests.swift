import AsyncHTTPClient
import Foundation
import LeitzCloudServer
import NIOCore
import NIOHTTP1
import Testing

/// Requests to the WebDAV face, as the harness's person unless told otherwise.
extension CloudHarness {
    static let davHome = "/remote.php/dav/files/anna%40example.com"
    static let davTeam = davHome + "/Team"
    static let davUploads = "/remote.php/dav/uploads/anna%40example.com"

    static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    /// - Parameter authorization: nil for the harness's person, empty for none.
    func dav(
        _ method: String, _ path: String, _ body: some Sequence<UInt8> = [UInt8](),
        _ headers: [(String, String)] = [], authorization: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: cloud.url + path)
        request.method = HTTPMethod(rawValue: method)
        let authorization = authorization ?? Self.basic(Self.email, Self.password)
        if !authorization.isEmpty {
            request.headers.add(name: "authorization", value: authorization)
        }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let bytes = ByteBuffer(bytes: body)
        if bytes.readableBytes > 0 { request.body = .bytes(bytes) }
        return try await send(request)
    }

    func dav(
        _ method: String, _ path: String, text: String, _ headers: [(String, String)] = [],
        authorization: String? = nil
    ) async throws -> Answer {
        try await dav(method, path, text.utf8, headers, authorization: authorization)
    }

    /// Puts a file and gives the answer's ETag.
    @discardableResult
    func davPut(_ path: String, _ text: String) async throws -> String {
        let answer = try await dav("PUT", path, text: text)
        try #require([201, 204].contains(answer.status), "\(answer.status) \(answer.text)")
        return try #require(answer.headers.first(name: "etag"))
    }

    func davFolder(_ path: String) async throws {
        let answer = try await dav("MKCOL", path)
        try #require(answer.status == 201, "\(answer.status) \(answer.text)")
    }

    static func propfind(_ names: String) -> String {
        "<?xml version=\"1.0\"?><d:propfind xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\" "
            + "xmlns:nc=\"http://nextcloud.org/ns\" xmlns:x=\"urn:example\"><d:prop>"
            + names + "</d:prop></d:propfind>"
    }

    /// The text of a property of one item; nil where it has none.
    func property(_ name: String, _ path: String, authorization: String? = nil) async throws
        -> String?
    {
        let answer = try await dav(
            "PROPFIND", path, text: Self.propfind("<\(name)/>"), [("Depth", "0")],
            authorization: authorization)
        try #require(answer.status == 207, "\(answer.status) \(answer.text)")
        return answer.text.elements(name).first
    }

    func etag(_ path: String) async throws -> String {
        try #require(try await property("d:getetag", path))
    }

    /// Another person with rights in the team's root; gives the header.
    func davPerson(_ email: String, _ permissions: [String]) async throws -> String {
        _ = try await other(email, permissions)
        return Self.basic(email, "pw-\(email)")
    }
}

extension Answer {
    /// The first value of a header.
    func header(_ name: String) -> String? { headers.first(name: name) }
}

extension String {
    /// The contents of all elements with a tag, with their markup.
    func elements(_ tag: String) -> [String] {
        components(separatedBy: "<\(tag)>").dropFirst().compactMap {
            $0.components(separatedBy: "</\(tag)>").first
        }
    }

    /// The paths below a collection that a multistatus answer is about.
    func hrefs(below prefix: String) -> [String] {
        elements("d:href").compactMap {
            $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil
        }
    }
}
