/// A moment as POSIX counts it: seconds and nanoseconds since 1970-01-01 00:00 UTC.
package struct FileTime: Hashable, Comparable, Sendable, Codable {
    package var seconds: Int64
    /// 0 ..< 1,000,000,000
    package var nanoseconds: Int32

    package init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// A moment from a whole count of nanoseconds since 1970, as the state table stores it.
    package init(nanosecondsSince1970 count: Int64) {
        var quotient = count / 1_000_000_000
        var remainder = count % 1_000_000_000
        if remainder < 0 {
            remainder += 1_000_000_000
            quotient -= 1
        }
        self.init(seconds: quotient, nanoseconds: Int32(remainder))
    }

    /// The moment as a whole count of nanoseconds since 1970, clamped to what 64 bits hold.
    package var nanosecondsSince1970: Int64 {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, tooLarge) = product.addingReportingOverflow(Int64(nanoseconds))
        return tooLarge ? .max : sum
    }

    package static func < (left: FileTime, right: FileTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}
