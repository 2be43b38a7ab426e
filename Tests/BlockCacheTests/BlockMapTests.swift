import FileSystemTypes
import Testing

@testable import BlockCache

@Suite struct BlockMapTests {
    private let geometry = BlockGeometry(size: 1050, blockSize: 100)

    @Test func cutsTheContentIntoBlocks() {
        #expect(geometry.blockCount == 11)
        #expect(geometry.range(of: 10) == ByteRange(1000, 1050))
        #expect(geometry.blocks(in: ByteRange(99, 201)) == 0..<3)
        #expect(geometry.blocks(in: ByteRange(1040, 5000)) == 10..<11)
        #expect(geometry.blocks(in: ByteRange(1050, 5000)).isEmpty)
        #expect(geometry.blocks(in: ByteRange(200, 200)).isEmpty)
        #expect(BlockGeometry(size: 0, blockSize: 100).blockCount == 0)
        #expect(BlockGeometry(size: 1000, blockSize: 100).blockCount == 10)
    }

    @Test func hugeContentsHaveLargerBlocks() {
        let huge = BlockGeometry(size: BlockCache.largestContent, blockSize: 1 << 18)
        #expect(huge.blockCount <= BlockGeometry.blockLimit)
        #expect(huge.range(of: huge.blockCount - 1).upperBound == huge.size)
    }

    @Test func knowsWhatIsThere() {
        var map = BlockMap(geometry: geometry)
        #expect(map.readiness(of: ByteRange(0, 1)) == .missing)
        #expect(map.readiness(of: ByteRange(5, 5)) == .ready)
        let isNew = [
            map.insertFetched(10, checksum: 7), map.insertFetched(10, checksum: 8),
        ]
        #expect(isNew == [true, false])
        #expect(map.checksums[10] == 7)
        #expect(map.presentBytes == 50)
        _ = map.insertFetched(0, checksum: 1)
        #expect(map.presentBytes == 150)
        #expect(map.readiness(of: ByteRange(0, 101)) == .missing)
        #expect(map.readiness(of: ByteRange(0, 100)) == .ready)
        #expect(map.unconfirmedBlocks == [0, 10])
        map.confirm([0])
        #expect(map.unconfirmedBlocks == [10])
        let removed = map.remove([10, 3])
        #expect(removed == 50)
        #expect(map.presentBytes == 100)
        #expect(!map.hasUnconfirmed)
    }

    @Test func storedBlocksAreUnverified() {
        var stored = Bitmap(bitCount: geometry.blockCount)
        stored.insert(2)
        var map = BlockMap(
            geometry: geometry, stored: stored,
            checksums: [UInt32](repeating: 0, count: geometry.blockCount))
        #expect(map.readiness(of: ByteRange(200, 300)) == .unverified)
        #expect(map.unverifiedBlocks(in: ByteRange(0, 1050)) == [2])
        map.markVerified(2)
        map.markVerified(3)
        #expect(map.readiness(of: ByteRange(200, 300)) == .ready)
        #expect(map.readiness(of: ByteRange(300, 400)) == .missing)
        #expect(!map.hasUnconfirmed)
    }

    @Test func bitmapRefusesWordsThatDoNotFit() {
        #expect(Bitmap(bitCount: 65, words: [0]) == nil)
        #expect(Bitmap(bitCount: 65, words: [0, 2]) == nil)
        #expect(Bitmap(bitCount: 65, words: [3, 1])?.setCount == 3)
        #expect(Bitmap(bitCount: 65, words: [3, 1])?.indices == [0, 1, 64])
    }

    @Test func indexSurvivesTheRoundTripAndNothingElse() throws {
        var map = BlockMap(geometry: geometry)
        for block in [0, 3, 10] { _ = map.insertFetched(block, checksum: UInt32(block) + 77) }
        map.confirm([0, 10])
        let key = CacheFixture.key("Bücher/ä", revision: "\"é\"")
        let bytes = BlockIndex(key: key, map: map).encoded()
        let index = try #require(BlockIndex(decoding: bytes))
        #expect(index.key == key)
        #expect(index.geometry == geometry)
        #expect(index.stored.indices == [0, 10])
        #expect(index.checksums[10] == 87)
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 0x10
            #expect(BlockIndex(decoding: damaged) == nil)
            #expect(BlockIndex(decoding: Array(bytes[..<position])) == nil)
        }
    }
}
