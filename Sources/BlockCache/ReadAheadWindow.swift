import FileSystemTypes

/// Tells sequential reading from seeking and says how far to fetch ahead, and how much at a time.
struct ReadAheadWindow: Hashable, Sendable {
    /// Readers of one content that are told apart.
    static let readerLimit = 16

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
    /// Reads in turn that went on where no reader had been.
    private(set) var seeks = 0
    /// Where the last reads ended, the oldest first: readers of several parts of a content take turns.
    private var ends: [Int64] = []

    init(minimum: Int64, limit: Int64, tolerance: Int64) {
        self.minimum = minimum
        self.limit = limit
        self.tolerance = tolerance
    }

    /// Notes a read and returns what to have beyond it, empty after a seek.
    mutating func note(_ range: ByteRange) -> ByteRange {
        let isSequential =
            range.lowerBound <= expected + tolerance && range.upperBound + tolerance >= expected
        noteEnd(of: range, isSequential: isSequential)
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

    /// Bytes to ask for where a reader waits for fewer: the more it jumps about, the less of what comes
    /// behind it will be read.
    /// - Parameter piece: bytes that are as good as free beside the request.
    func smallestRequest(piece: Int64) -> Int64 {
        seeks < 2 ? minimum : max(min(piece, minimum), minimum >> Int64(2 * (seeks - 1)))
    }

    private mutating func noteEnd(of range: ByteRange, isSequential: Bool) {
        // A read that had to wait is noted twice.
        guard !ends.contains(range.upperBound) else { return }
        // Closer than for the reader that is followed: who jumps about meets one of many ends by chance.
        let reader = ends.firstIndex { (0...(tolerance / 4)).contains(range.lowerBound - $0) }
        if let reader { ends.remove(at: reader) }
        ends.append(range.upperBound)
        if ends.count > Self.readerLimit { ends.removeFirst() }
        seeks = isSequential || reader != nil ? seeks / 4 : min(seeks + 1, 16)
    }
}
