import CloudStorage
import FileSystemTypes

/// One request for bytes of a content, from its start to its end or failure.
struct Fetch: Sendable {
    let id: UInt64
    /// The bytes it is to bring; block-aligned.
    var range: ByteRange
    /// Asks for the whole file, or is a request whose range the server ignored.
    var isWhole: Bool
    /// How often it was taken up again after a break.
    var resumptions = 0
    /// Where the next byte goes; nil until the server began to answer.
    var position: Int64?
    /// What of the block under way this fetch has written, from the block's start; readable before
    /// the rest of the block has come.
    var arrived = ByteRange(0, 0)
    /// Nobody wants it any more, or another fetch brings the same bytes.
    var isGivenUp = false
    var task: Task<Void, Never>?

    init(id: UInt64, range: ByteRange, isWhole: Bool) {
        self.id = id
        self.range = range
        self.isWhole = isWhole
    }

    /// Bytes that are still to come, from the start of the block under way.
    func remaining(in geometry: BlockGeometry) -> ByteRange {
        let position = position ?? range.lowerBound
        guard position < range.upperBound else {
            return ByteRange(range.upperBound, range.upperBound)
        }
        let start = geometry.range(of: geometry.block(at: position)).lowerBound
        return ByteRange(max(range.lowerBound, start), range.upperBound)
    }

    /// Whether stopping it would throw away more than it would save.
    var isMostlyDone: Bool {
        guard let position else { return false }
        return (position - range.lowerBound) > range.count / 2
    }
}

/// What to ask the cloud for.
struct FetchRequest: Sendable {
    let id: UInt64
    let item: ItemReference
    /// Nil asks for the whole file.
    let range: ByteRange?
}
