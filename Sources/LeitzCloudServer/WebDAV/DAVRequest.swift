import HTTPTypes
import HummingbirdCore
import NIOCore

/// A signed-in WebDAV request without its body.
struct DAVRequest: Sendable {
    enum Depth: String, Sendable {
        case zero = "0"
        case one = "1"
        case infinity
    }

    /// Longest XML body in bytes.
    static let maximumBody = 512 * 1024

    var method: String
    var caller: DAVCaller
    /// The path below the person's files, or below their uploads.
    var path: [String]
    /// What the hrefs of the answer begin with; no slash at its end.
    var prefix: String
    /// Nil where the request has none.
    var depth: Depth?
    var overwrites: Bool
    var conditions: DAVConditions
    private let headers: HTTPFields

    init(_ request: Request, caller: DAVCaller, target: DAVTarget) throws(DAVError) {
        method = request.method.rawValue
        self.caller = caller
        headers = request.headers
        let parts = request.uri.path.split(separator: "/" as Character)
        switch target {
        case .service:
            path = []
            prefix = "/remote.php/dav"
        case .files(let user, let path):
            self.path = path
            prefix = "/" + parts.prefix(user == nil ? 2 : 4).joined(separator: "/")
        case .uploads(_, let path):
            self.path = path
            prefix = "/" + parts.prefix(4).joined(separator: "/")
        }
        let depthText = Self.header("Depth", headers)?.lowercased()
        depth = depthText.flatMap {
            Depth(rawValue: $0.split(separator: ",").first.map(String.init) ?? "")
        }
        if depthText != nil, depth == nil { throw .badRequest("the Depth header is unknown") }
        overwrites = Self.header("Overwrite", headers)?.uppercased() != "F"
        conditions = try DAVConditions(
            ifMatch: Self.header("If-Match", headers),
            ifNoneMatch: Self.header("If-None-Match", headers),
            ifHeader: Self.header("If", headers))
    }

    private static func header(_ name: String, _ headers: HTTPFields) -> String? {
        HTTPField.Name(name).flatMap { headers[$0] }
    }

    /// A header's value; several lines of it joined with commas.
    func header(_ name: String) -> String? { Self.header(name, headers) }

    func number(_ name: String) -> Int64? { header(name).flatMap { Int64($0) } }

    /// Where `Destination` points: into the same person's files.
    func destination() throws(DAVError) -> [String] {
        guard let url = header("Destination") else {
            throw .badRequest("The destination header was not supplied")
        }
        guard case .files(let user, let path) = try DAVTarget(url: url),
            user == nil || caller.isNamed(user)
        else { throw .forbidden("The destination is not among your files") }
        return path
    }

    /// The href of a path below the person's files.
    func href(_ path: [String], isFolder: Bool) -> String {
        let text = path.reduce(into: prefix) { $0 += "/" + DAVTarget.encode($1) }
        return isFolder ? text + "/" : text
    }

    /// The modification time that the client wants (FACTS part 4, 4); `isBad` where Nextcloud takes
    /// the content and yet answers with an error.
    var modificationTime: (seconds: Int64?, isBad: Bool) {
        guard let text = header("X-OC-Mtime") else { return (nil, false) }
        let whole = text.split(separator: ".", omittingEmptySubsequences: false).first ?? ""
        guard let seconds = Int64(whole), seconds > 86_400, seconds < 253_402_300_800 else {
            return (nil, true)
        }
        return (seconds, false)
    }

    /// `OC-Checksum` as it is stored: a type and hex digits.
    var checksum: String? {
        guard let text = header("OC-Checksum"), text.utf8.count <= 200,
            text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), text.contains(":")
        else { return nil }
        return text
    }
}

/// The person behind a WebDAV request.
struct DAVCaller: Sendable {
    var person: Int64
    /// The user id of this face: the person's user name, where there is none the e-mail address.
    var user: String
    var displayName: String
    /// The id of the app password that was used; nil for the person's own.
    var appPassword: Int64?
    /// The organization's policy keeps its persons from files by WebDAV.
    var isBarred = false

    /// Whether a user id in a URL is this person's; letter case plays no part in user names and
    /// e-mail addresses here.
    func isNamed(_ user: String?) -> Bool { user?.lowercased() == self.user.lowercased() }
}
