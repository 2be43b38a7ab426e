/// What tells one content of a file from the next, as the seam's revision text.
///
/// Where a server's ETag changes with every write it is enough. Others repeat one within a second,
/// or have none: there size and time count too.
package struct ContentRevision: Hashable, Sendable {
    package var etag: EntityTag?
    package var size: Int64?
    /// Seconds since 1970.
    package var modified: Int64?

    package init(etag: EntityTag?, size: Int64?, modified: Int64?) {
        self.etag = etag
        self.size = size
        self.modified = modified
    }

    /// - Parameter byETagAlone: whether the server's ETags are enough.
    package func text(byETagAlone: Bool) -> String {
        if byETagAlone, let etag { return "\"\(etag.opaque)\"" }
        let numbers = [size, modified].map { $0.map { String($0) } ?? "" }
        return numbers.joined(separator: " ") + " " + (etag?.opaque ?? "")
    }

    /// Reads what `text` has written; nil for another text.
    ///
    /// A weak ETag comes back as a strong one: servers turn the one into the other as the file
    /// gets older.
    package init?(_ text: String) {
        if text.hasPrefix("\"") {
            guard let etag = EntityTag(text) else { return nil }
            self.init(etag: etag, size: nil, modified: nil)
            return
        }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3,
            words.prefix(2).allSatisfy({ $0.isEmpty || Int64($0) != nil })
        else { return nil }
        self.init(
            etag: EntityTag(String(words[2])), size: Int64(words[0]), modified: Int64(words[1]))
    }
}
