/// An entity tag (RFC 9110 section 8.8.3), however a server spells it.
package struct EntityTag: Hashable, Sendable {
    /// Without quotes, and without what a compressing proxy added; opaque.
    package let opaque: String
    /// A weak one says that two contents mean the same, not that their bytes are the same.
    package let isWeak: Bool

    /// Nil where the text is empty, too long or can't stand in a header.
    package init?(_ text: String) {
        var rest = Substring(text)
        var isWeak = false
        if rest.hasPrefix("W/") || rest.hasPrefix("w/") {
            isWeak = true
            rest = rest.dropFirst(2)
        }
        if rest.hasPrefix("\"") { rest = rest.dropFirst() }
        if rest.hasSuffix("\"") { rest = rest.dropLast() }
        for suffix in ["--gzip", "-gzip"] where rest.hasSuffix(suffix) {
            rest = rest.dropLast(suffix.count)
            break
        }
        guard (1...200).contains(rest.utf8.count),
            rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") })
        else { return nil }
        self.opaque = String(rest)
        self.isWeak = isWeak
    }

    /// As `If-Match` and `If-Range` want it. Both compare strongly, so a weak one never fits.
    package var headerValue: String { (isWeak ? "W/" : "") + "\"\(opaque)\"" }
}
