import Foundation
import LeitzCloudAPI

/// What a URL below `/remote.php` names.
enum DAVTarget: Hashable, Sendable {
    /// The collection of the collections: `/remote.php/dav/…` outside the two below.
    case service
    /// In a person's files; without a person where the old address leaves it to the sign-in.
    case files(user: String?, path: [String])
    /// In the area for files that are sent in pieces.
    case uploads(user: String, path: [String])

    /// Reads an absolute path, still percent-encoded, without the query.
    init(path: some StringProtocol) throws(DAVError) {
        var parts: [String] = []
        for part in String(path).split(separator: "/" as Character) {
            parts.append(try Self.decode(part))
        }
        guard parts.first == "remote.php" else { throw .notFound(parts) }
        switch (parts.dropFirst().first, parts.count) {
        case ("webdav", _):
            self = .files(user: nil, path: Array(parts.dropFirst(2)))
        case ("dav", 4...) where parts[2] == "files":
            self = .files(user: parts[3], path: Array(parts.dropFirst(4)))
        case ("dav", 4...) where parts[2] == "uploads":
            self = .uploads(user: parts[3], path: Array(parts.dropFirst(4)))
        case ("dav", ...3): self = .service
        default: throw .notFound(Array(parts.dropFirst()))
        }
    }

    /// Reads a `Destination` header or the URL in an `If` header. The host plays no part: proxies
    /// change it (FACTS part 4, 10).
    init(url: some StringProtocol) throws(DAVError) {
        var rest = Substring(String(url))
        if let scheme = rest.range(of: "://") {
            rest = rest[scheme.upperBound...]
            rest = rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
        }
        guard rest.hasPrefix("/") else { throw .badRequest("the URL in a header is no URL") }
        if rest.contains("#") || rest.contains("?") {
            throw .badRequest("the URL in a header has a query or a fragment")
        }
        try self.init(path: rest)
    }

    private static func decode(_ part: Substring) throws(DAVError) -> String {
        let decoded: String
        do throws(APIError) {
            decoded = try PercentEncoding.decode(part, plusIsSpace: false)
        } catch {
            throw .badRequest("the path is no UTF-8 in percent encoding")
        }
        if decoded == "." || decoded == ".." || decoded.utf8.contains(0)
            || decoded.utf8.contains(UInt8(ascii: "/"))
        {
            throw .invalidPath("\"\(decoded)\" is not allowed as a file or folder name.")
        }
        return decoded
    }

    /// A name as it is stored: composed, as Nextcloud keeps names.
    static func composed(_ name: String) -> String { name.precomposedStringWithCanonicalMapping }

    /// Path segments as a URL has them.
    static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "("), UInt8(ascii: ")"):
                bytes.append(byte)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
