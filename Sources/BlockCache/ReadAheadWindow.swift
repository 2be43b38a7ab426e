import FileSystemTypes

/// Tells sequential reading from seeking and says how far to fetch ahead.
struct ReadAheadWindow: Hashable, Sendable {
    /// Bytes fetched ahead once reading looks sequential; doubled up to the limit.
    let minimum: Int64
    let limit: Int64
    /// How far from the expected position a read may start and still be sequential: the kernel
    /// issues the requests of one sequential reader out of order.
    let tolerance: Int64
    /// Where the next sequential read starts.
    private(set) var expected: Int64 = 0
    /// Bytes to have ahead of the reader; 0 after a seek.
    private(set) var length: Int64 = 0

    init(minimum: Int64, limit: Int64, tolerance: Int64) {
        self.minimum = minimum
        self.limit = limit
        self.tolerance = tolerance
    }

    /// Notes a read and returns what to have beyond it, empty after a seek.
    mutating func note(_ range: ByteRange) -> ByteRange {
        let isSequential =
            range.lowerBound <= expected + tolerance && range.upperBound + tolerance >= expected
        if isSequential {
            if range.upperBound > expected {
                length = min(limit, max(minimum, length * 2))
                expected = range.upperBound
            }
        } else {
            length = 0
            expected = range.upperBound
        }
        return ByteRange(offset: max(expected, range.upperBound), count: length)
    }
}
