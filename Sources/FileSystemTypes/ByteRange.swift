/// A half-open range of byte offsets within one file: `lowerBound ..< upperBound`, both at least 0.
package struct ByteRange: Hashable, Sendable, CustomStringConvertible {
    package var lowerBound: Int64
    package var upperBound: Int64

    /// - Precondition: `0 <= lowerBound <= upperBound`
    package init(_ lowerBound: Int64, _ upperBound: Int64) {
        precondition(lowerBound >= 0 && lowerBound <= upperBound, "invalid byte range")
        self.lowerBound = lowerBound
        self.upperBound = upperBound
    }

    /// The range of `count` bytes from `offset`.
    package init(offset: Int64, count: Int64) { self.init(offset, offset + count) }

    package var count: Int64 { upperBound - lowerBound }
    package var isEmpty: Bool { lowerBound == upperBound }

    /// Whether every byte of `other` is in this range; an empty range is in every range.
    package func contains(_ other: ByteRange) -> Bool {
        other.isEmpty || (lowerBound <= other.lowerBound && other.upperBound <= upperBound)
    }

    /// The part both ranges share, nil where they share no byte.
    package func intersection(_ other: ByteRange) -> ByteRange? {
        let lower = max(lowerBound, other.lowerBound)
        let upper = min(upperBound, other.upperBound)
        return lower < upper ? ByteRange(lower, upper) : nil
    }

    package var description: String { "\(lowerBound)..<\(upperBound)" }
}
