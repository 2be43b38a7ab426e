package import CloudStorage

/// Follows redirects within one origin, at most three; a request's credentials never leave it.
package struct RedirectTrail {
    private var url: String
    private var count = 0

    /// - Parameter url: the call's own address, absolute.
    package init(from url: String) { self.url = url }

    /// Where to go on; nil where the answer is no redirect.
    /// - Throws: `invalidAnswer` where the redirect must not be followed.
    package mutating func target(of answer: HTTPAnswer) throws(CloudStorageError) -> String? {
        guard [301, 302, 303, 307, 308].contains(answer.status) else { return nil }
        guard let location = answer.header("Location"), let target = resolve(location) else {
            throw CloudStorageError(.invalidAnswer, "the server redirects to another host")
        }
        count += 1
        guard count <= 3 else {
            throw CloudStorageError(.invalidAnswer, "the server redirects in circles")
        }
        url = target
        return target
    }

    private func resolve(_ location: String) -> String? {
        guard let origin = Self.origin(of: url) else { return nil }
        if location.hasPrefix("/"), !location.hasPrefix("//") { return origin + location }
        return Self.origin(of: location) == origin ? location : nil
    }

    /// `scheme://authority` in lower case; nil for a relative address or one with credentials.
    private static func origin(of url: String) -> String? {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty, !parts[2].isEmpty,
            !parts[2].contains("@")
        else { return nil }
        return "\(parts[0])//\(parts[2])".lowercased()
    }
}
