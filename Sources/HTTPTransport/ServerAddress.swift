package import CloudStorage

/// Where a server is: scheme, host, port and the path below which its API lies.
///
/// HTTPS is required, except for loopback hosts. A URL with a user name, a query or a fragment is
/// refused, so that no secret can stand in an address.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    package let scheme: String
    /// Lower case; an IPv6 address keeps its brackets.
    package let host: String
    /// Nil for the scheme's own port.
    package let port: Int?
    /// Empty, or a path with a leading and without a trailing `/`.
    package let prefix: String

    /// Reads a URL as a person types it: the scheme may be missing (https), `/api/2` may follow.
    /// - Throws: `invalidRequest` with a sentence that says what is wrong.
    package init(_ text: String) throws(CloudStorageError) {
        var rest = Substring(text.trimmedSpaces)
        var scheme = "https"
        if let separator = rest.firstIndexOfScheme {
            scheme = rest[..<separator].lowercased()
            rest = rest[separator...].dropFirst(3)
        }
        guard scheme == "https" || scheme == "http" else {
            throw Self.refusal("the address must begin with https://")
        }
        guard !rest.contains(where: { $0 == "@" || $0 == "?" || $0 == "#" || $0 == "\\" }) else {
            throw Self.refusal("the address must be a host and a path only")
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let (host, port) = try Self.splitAuthority(rest[..<slash].lowercased())
        guard scheme == "https" || Self.isLoopback(host) else {
            throw Self.refusal("http is only taken for this machine: use https://")
        }
        self.scheme = scheme
        self.host = host
        self.port = port == (scheme == "https" ? 443 : 80) ? nil : port
        self.prefix = try Self.cleanPrefix(rest[slash...])
    }

    /// Scheme, host and port, as in an `Origin` header.
    package var origin: String { "\(scheme)://\(host)" + (port.map { ":\($0)" } ?? "") }

    package var description: String { origin + prefix }

    /// The address of a route (`/api/2/…`) with query parameters.
    package func url(_ route: String, query: [(String, String)] = []) -> String {
        let base = origin + prefix + route
        return query.isEmpty ? base : base + "?" + FormEncoding.encode(query)
    }

    /// Whether the address can only be this machine.
    package static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func splitAuthority(
        _ authority: String
    ) throws(CloudStorageError) -> (host: String, port: Int?) {
        var host = Substring(authority)
        var port: Int?
        let afterBracket = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[afterBracket...].lastIndex(of: ":") {
            host = authority[..<colon]
            guard let number = Int(authority[colon...].dropFirst()), (1...65_535).contains(number)
            else { throw refusal("the port must be a number from 1 to 65535") }
            port = number
        }
        guard !host.isEmpty, host.utf8.allSatisfy(isHostByte) else {
            throw refusal("the host name is missing or has characters that a host can't have")
        }
        return (String(host), port)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"),
            UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }

    private static func cleanPrefix(_ path: Substring) throws(CloudStorageError) -> String {
        var parts = path.split(separator: "/")
        if parts.suffix(2) == ["api", "2"] { parts.removeLast(2) }
        guard parts.allSatisfy({ $0 != ".." && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } })
        else { throw refusal("the path of the address has characters that a path can't have") }
        return parts.map { "/" + $0 }.joined()
    }

    private static func refusal(_ message: String) -> CloudStorageError {
        CloudStorageError(.invalidRequest, message)
    }
}

extension String {
    fileprivate var trimmedSpaces: Substring {
        var rest = Substring(self)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest.drop(while: \.isWhitespace)
    }
}

extension Substring {
    /// The index of the `:` in `scheme://`.
    fileprivate var firstIndexOfScheme: Index? {
        guard let colon = firstIndex(of: ":"), self[colon...].hasPrefix("://") else { return nil }
        return colon
    }
}
