package import FileSystemTypes

/// The pages behind a program that reads a big file from its beginning, which the kernel may drop.
///
/// To drop all pages of a file when it is opened again takes the kernel longer than to read them from the
/// local file; and as long as it has them, the file's bytes are in memory twice.
package struct DropBehind {
    /// Bytes of the smallest file that is worth it.
    package static let smallestFile: Int64 = 32 << 20
    /// Bytes; more than the kernel reads ahead.
    package static let distance: Int64 = 8 << 20
    /// Bytes that are dropped at a time.
    package static let piece: Int64 = 2 << 20
    /// Parts of what the kernel reads ahead come in any order.
    private static let gap: Int64 = 4 << 20

    private var reached: Int64 = 0
    private var dropped: Int64 = 0
    /// The program went back, or elsewhere: it may want what it has read once more.
    private var isOver = false

    package init() {}

    /// The program reads a range. Returns what it is past.
    package mutating func read(_ range: ByteRange) -> ByteRange? {
        guard !isOver else { return nil }
        guard range.lowerBound >= dropped, range.lowerBound <= reached + Self.gap else {
            isOver = true
            return nil
        }
        reached = max(reached, range.upperBound)
        let end = (reached - Self.distance) / Self.piece * Self.piece
        guard end > dropped else { return nil }
        defer { dropped = end }
        return ByteRange(dropped, end)
    }

    /// Whether the program has gone through a file of that size, and the kernel has dropped most of it.
    package func hasPassed(_ size: Int64) -> Bool { !isOver && dropped > 0 && reached >= size }
}
