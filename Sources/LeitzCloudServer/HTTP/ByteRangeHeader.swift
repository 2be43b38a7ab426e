/// A `Range` header (RFC 9110, section 14) against the length of a file.
enum ByteRangeHeader: Equatable {
    /// No range, several, or none that can be read: the whole file is sent.
    case whole
    case part(Range<Int64>)
    /// 416.
    case unsatisfiable

    init(_ header: String?, length: Int64) {
        guard let header, header.hasPrefix("bytes=") else {
            self = .whole
            return
        }
        let ends = header.dropFirst(6).split(
            separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2 else {
            self = .whole
            return
        }
        switch (Int64(ends[0]), Int64(ends[1])) {
        case (nil, let count?) where ends[0].isEmpty && count >= 0:
            self =
                count == 0 || length == 0
                ? .unsatisfiable : .part(max(0, length - count)..<length)
        case (let first?, nil) where ends[1].isEmpty:
            self = first < length ? .part(first..<length) : .unsatisfiable
        case (let first?, let last?) where first <= last:
            self = first < length ? .part(first..<min(last, length - 1) + 1) : .unsatisfiable
        default: self = .whole
        }
    }
}
