import FileSystemTypes

/// Which blocks of a content are on disk, what is known of them, and their checksums.
///
/// A block is present once it is whole on disk with a known checksum; verified once the bytes on
/// disk were seen in this run; confirmed once the server said that the version still stood after
/// the block had been fetched. Only confirmed blocks may be written to an index.
struct BlockMap: Sendable {
    /// What a range needs before it can be read.
    enum Readiness: Sendable, Hashable {
        case ready
        /// All there, but some of it comes from an earlier run and was not checked since.
        case unverified
        case missing
    }

    let geometry: BlockGeometry
    private(set) var present: Bitmap
    private(set) var verified: Bitmap
    private(set) var confirmed: Bitmap
    /// CRC-32C by block; meaningless where a block isn't present.
    private(set) var checksums: [UInt32]

    init(geometry: BlockGeometry) {
        self.geometry = geometry
        present = Bitmap(bitCount: geometry.blockCount)
        verified = present
        confirmed = present
        checksums = [UInt32](repeating: 0, count: geometry.blockCount)
    }

    /// The blocks of an earlier run: confirmed, not verified.
    init(geometry: BlockGeometry, stored: Bitmap, checksums: [UInt32]) {
        self.init(geometry: geometry)
        present = stored
        confirmed = stored
        self.checksums = checksums
    }

    var isComplete: Bool { present.setCount == geometry.blockCount }
    var isVerified: Bool { verified.setCount == geometry.blockCount }
    var isConfirmed: Bool { confirmed.setCount == geometry.blockCount }
    var hasUnconfirmed: Bool { unconfirmedCount > 0 }
    /// Fetched blocks that the server has not yet stood by.
    var unconfirmedCount: Int64 { Int64(present.setCount - confirmed.setCount) }

    /// Bytes of the present blocks.
    var presentBytes: Int64 {
        guard geometry.blockCount > 0 else { return 0 }
        let last = geometry.blockCount - 1
        var bytes = Int64(present.setCount) * geometry.blockSize
        if present[last] { bytes += geometry.range(of: last).count - geometry.blockSize }
        return bytes
    }

    func readiness(of range: ByteRange) -> Readiness {
        var readiness = Readiness.ready
        for block in geometry.blocks(in: range) {
            guard present[block] else { return .missing }
            if !verified[block] { readiness = .unverified }
        }
        return readiness
    }

    /// Blocks of the range that are present but not checked in this run.
    func unverifiedBlocks(in range: ByteRange) -> [Int] {
        geometry.blocks(in: range).filter { present[$0] && !verified[$0] }
    }

    /// Takes a block that was just written; returns whether it is new.
    mutating func insertFetched(_ block: Int, checksum: UInt32) -> Bool {
        guard present.insert(block) else { return false }
        verified.insert(block)
        checksums[block] = checksum
        return true
    }

    /// Whether every present block was checked in this run.
    var hasOnlyVerified: Bool { verified.setCount == present.setCount }

    /// Takes over that all stored blocks were checked earlier in this run.
    mutating func markAllVerified() { verified = present }

    /// Notes that a stored block was read and matches its checksum.
    mutating func markVerified(_ block: Int) {
        if present[block] { verified.insert(block) }
    }

    /// Notes that the version still stood after these blocks were fetched.
    mutating func confirm(_ blocks: [Int]) {
        for block in blocks where present[block] { confirmed.insert(block) }
    }

    /// Takes blocks out; returns how many bytes they held.
    @discardableResult
    mutating func remove(_ blocks: [Int]) -> Int64 {
        var bytes: Int64 = 0
        for block in blocks where present.remove(block) {
            verified.remove(block)
            confirmed.remove(block)
            bytes += geometry.range(of: block).count
        }
        return bytes
    }

    /// Fetched blocks that the server has not yet stood by.
    var unconfirmedBlocks: [Int] { present.indices(notIn: confirmed) }
}
