import CloudStorage
package import FileSystemTypes

/// What the head of a successful download answer promises: where its bytes begin and how many come.
package struct DownloadPlan: Sendable, Hashable {
    /// Where in the file the first byte belongs.
    package var offset: Int64
    /// The whole file's size, where the server says it.
    package var totalSize: Int64?
    /// How many bytes the body has, where the server says it.
    package var length: Int64?

    /// Reads the head of a 200 or 206 answer.
    ///
    /// A 206 is taken only where its `Content-Range` is what was asked for; a 200 is the whole file
    /// from byte 0. Nil where the answer must not be used.
    package init?(
        status: Int, contentLength: String?, contentRange: String?, requested: ByteRange?
    ) {
        let length = contentLength.flatMap { Int64($0) }
        guard contentLength == nil || length.map({ $0 >= 0 }) == true else { return nil }
        switch status {
        case 200:
            self.init(offset: 0, totalSize: length, length: length)
        case 206:
            guard let requested, let text = contentRange, let range = ContentRange(text),
                range.first == requested.lowerBound,
                range.last + 1 == min(requested.upperBound, range.total ?? .max),
                length == nil || length == range.last + 1 - range.first
            else { return nil }
            self.init(
                offset: range.first, totalSize: range.total, length: range.last + 1 - range.first)
        default: return nil
        }
    }

    private init(offset: Int64, totalSize: Int64?, length: Int64?) {
        self.offset = offset
        self.totalSize = totalSize
        self.length = length
    }
}

/// A `Content-Range: bytes FIRST-LAST/TOTAL` header (RFC 9110 section 14.4).
package struct ContentRange: Sendable, Hashable {
    package var first: Int64
    /// Inclusive, as in the header.
    package var last: Int64
    /// Nil for `*`.
    package var total: Int64?

    /// Nil where the text is no satisfied byte range.
    package init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let halves = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0,
            last >= first, last < .max
        else { return nil }
        if halves[1] != "*" {
            guard let total = Int64(halves[1]), total > last else { return nil }
            self.total = total
        }
        self.first = first
        self.last = last
    }
}
