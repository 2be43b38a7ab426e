import FileSystemTypes

/// How a content of a known size is cut into blocks.
struct BlockGeometry: Hashable, Sendable {
    /// So many blocks at most; larger contents get larger blocks, which bounds every table.
    static let blockLimit = 1 << 20
    /// Bytes; smaller blocks are for contents with few of them: who reads here and there waits for no
    /// more than it must, and the tables of a content in use stay small beside what it holds.
    static let usualBlock: Int64 = 1 << 16
    /// So many blocks that are smaller than the usual at most.
    static let smallBlockLimit = 1 << 15

    /// Bytes of the content.
    let size: Int64
    /// Bytes of every block but the last.
    let blockSize: Int64

    /// - Parameter blockSize: the smallest block; doubled until the content has few enough.
    init(size: Int64, blockSize: Int) {
        var fitting = Int64(max(blockSize, 1))
        while fitting < Self.usualBlock, size / fitting >= Int64(Self.smallBlockLimit) {
            fitting *= 2
        }
        while size / fitting >= Int64(Self.blockLimit) { fitting *= 2 }
        self.size = size
        self.blockSize = fitting
    }

    var blockCount: Int { Int(size / blockSize) + (size % blockSize == 0 ? 0 : 1) }

    var whole: ByteRange { ByteRange(0, size) }

    /// The bytes of one block, shorter at the end.
    func range(of block: Int) -> ByteRange {
        let start = Int64(block) * blockSize
        return ByteRange(start, min(size, start + blockSize))
    }

    /// The block a byte is in.
    func block(at offset: Int64) -> Int { Int(offset / blockSize) }

    /// The blocks that hold any byte of the range.
    func blocks(in range: ByteRange) -> Range<Int> {
        let range = clipped(range)
        guard !range.isEmpty else { return 0..<0 }
        return block(at: range.lowerBound)..<(block(at: range.upperBound - 1) + 1)
    }

    /// The bytes of adjacent blocks.
    func range(of blocks: Range<Int>) -> ByteRange {
        guard let last = blocks.last else { return ByteRange(0, 0) }
        return ByteRange(range(of: blocks.lowerBound).lowerBound, range(of: last).upperBound)
    }

    /// The part of the range that lies in the content.
    func clipped(_ range: ByteRange) -> ByteRange {
        range.intersection(whole) ?? ByteRange(0, 0)
    }
}
