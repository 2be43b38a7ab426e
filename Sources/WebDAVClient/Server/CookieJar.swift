/// The cookies of one server, as far as a client needs them: a session, so that it need not check
/// the password again at every request (RFC 6265, one host only).
struct CookieJar: Sendable {
    /// Cookies kept; the oldest goes.
    static let maximumCookies = 50
    /// Bytes of a name with its value.
    static let maximumSize = 4_096

    private struct Cookie: Sendable {
        var name: String
        var value: String
        var path: String
    }

    private let isSecure: Bool
    /// The oldest first.
    private var cookies: [Cookie] = []

    /// - Parameter isSecure: whether the server is talked to over TLS.
    init(isSecure: Bool) { self.isSecure = isSecure }

    /// Takes the `Set-Cookie` headers of an answer.
    mutating func take(_ headers: [(String, String)]) {
        for (name, value) in headers where name.lowercased() == "set-cookie" { take(value) }
    }

    /// The `Cookie` header of a request to a path; nil where there is none.
    func header(path: String) -> String? {
        let fitting = cookies.filter { Self.isBelow(path, $0.path) }
        return fitting.isEmpty
            ? nil : fitting.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
    }

    mutating func removeAll() { cookies = [] }

    private mutating func take(_ text: String) {
        let parts = text.split(separator: ";").map { Self.trimmed($0) }
        guard let pair = parts.first, let equals = pair.firstIndex(of: "="),
            equals > pair.startIndex, pair.utf8.count <= Self.maximumSize,
            pair.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
        else { return }
        var cookie = Cookie(
            name: String(pair[..<equals]), value: String(pair[equals...].dropFirst()), path: "/")
        var isGone = cookie.value == "deleted"
        for attribute in parts.dropFirst() {
            let halves = attribute.split(separator: "=", maxSplits: 1).map { Self.trimmed($0) }
            switch halves.first?.lowercased() {
            case "path":
                if halves.count == 2, halves[1].hasPrefix("/") { cookie.path = halves[1] }
            case "max-age":
                if halves.count == 2, let age = Int(halves[1]), age <= 0 { isGone = true }
            case "secure":
                if !isSecure { return }
            default: break
            }
        }
        cookies.removeAll { $0.name == cookie.name && $0.path == cookie.path }
        guard !isGone else { return }
        cookies.append(cookie)
        if cookies.count > Self.maximumCookies { cookies.removeFirst() }
    }

    private static func isBelow(_ path: String, _ prefix: String) -> Bool {
        guard path.hasPrefix(prefix) else { return false }
        return prefix.hasSuffix("/") || path.utf8.count == prefix.utf8.count
            || path.dropFirst(prefix.count).first == "/"
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var rest = text[...]
        while rest.first?.isWhitespace == true { rest = rest.dropFirst() }
        while rest.last?.isWhitespace == true { rest = rest.dropLast() }
        return String(rest)
    }
}
