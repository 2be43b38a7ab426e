package import CloudStorage

/// The bookkeeping of one root's change feed: a window of time that overlaps the last one, and what
/// that one has reported already. No clock, no I/O.
///
/// The server tells changes since a moment of its own clock, in whole seconds, and may see a change
/// a little after the time it gives it. So each window begins some time before the last one ended.
package struct ChangeWindow: Sendable {
    /// What tells one report of a file from the next.
    private struct Report: Hashable, Sendable {
        var key: ItemReference.Key
        var revision: String?
        var isDeleted: Bool
        var path: String

        init(_ item: CloudItem) {
            key = ItemReference.Key(item.reference)
            revision = item.revision
            isDeleted = item.isDeleted
            path = item.reference.path
        }
    }

    /// Seconds that a window reaches back into the last one.
    package static let overlap: Int64 = 120
    /// Reports remembered; beyond that some are told twice, which is allowed.
    package static let maximumReports = 20_000

    private var reported: Set<Report> = []

    package init() {}

    /// The cursor for a moment of the server's clock, in seconds since 1970.
    package static func cursor(at seconds: Int64) -> String { "t\(seconds)" }

    /// Where the window after `cursor` begins; nil where it is no cursor of ours.
    package static func start(after cursor: String) -> Int64? {
        guard cursor.hasPrefix("t"), let seconds = Int64(cursor.dropFirst()),
            ItemChecks.plausibleSeconds.contains(seconds)
        else { return nil }
        return seconds - overlap
    }

    /// The items of a window's answer that the last window has not reported.
    package mutating func newItems(_ items: [CloudItem]) -> [CloudItem] {
        let fresh = items.filter { !reported.contains(Report($0)) }
        reported = Set(items.prefix(Self.maximumReports).map(Report.init))
        return fresh
    }
}

/// The `Date` header of an answer (RFC 9110 section 5.6.7).
package enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Rewrites `Sun, 06 Nov 1994 08:49:37 GMT` as `1994-11-06T08:49:37`; nil for another form.
    package static func isoText(_ text: String) -> String? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", words[1].utf8.count == 2,
            words[3].utf8.count == 4, let month = months.firstIndex(of: String(words[2]))
        else { return nil }
        let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
        return "\(words[3])-\(number)-\(words[1])T\(words[4])"
    }
}
