import CloudStorage
import FileSystemTypes

/// The sidecar of a stored content: its key, geometry, confirmed blocks and their checksums.
///
/// Layout, little endian: magic (8), version (4), block size (8), size (8), three strings (length
/// 4, UTF-8), bitmap words (8 each), one checksum (4) a stored block, CRC-32C of all before (4).
struct BlockIndex: Sendable {
    static let formatVersion: UInt32 = 1
    private static let magic: UInt64 = 0x3149_424e_4452_4f00

    var key: ContentKey
    var geometry: BlockGeometry
    var stored: Bitmap
    /// One a block of the content, as in `BlockMap`.
    var checksums: [UInt32]

    /// The confirmed part of a map.
    init(key: ContentKey, map: BlockMap) {
        self.key = key
        geometry = map.geometry
        stored = map.confirmed
        checksums = map.checksums
    }

    /// All blocks as an earlier run left them.
    var map: BlockMap { BlockMap(geometry: geometry, stored: stored, checksums: checksums) }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128 + stored.words.count * 8 + stored.setCount * 4)
        Self.append(Self.magic, to: &bytes)
        Self.append(Self.formatVersion, to: &bytes)
        Self.append(geometry.blockSize, to: &bytes)
        Self.append(geometry.size, to: &bytes)
        for text in [key.root.rawValue, key.item, key.revision] {
            let utf8 = Array(text.utf8)
            Self.append(UInt32(utf8.count), to: &bytes)
            bytes.append(contentsOf: utf8)
        }
        for word in stored.words { Self.append(word, to: &bytes) }
        for block in stored.indices { Self.append(checksums[block], to: &bytes) }
        Self.append(bytes.withUnsafeBytes { CRC32C.checksum($0) }, to: &bytes)
        return bytes
    }

    /// Reads a sidecar; nil where it is damaged or of another format.
    init?(decoding bytes: [UInt8]) {
        guard bytes.count > 4 else { return nil }
        let sum = bytes.withUnsafeBytes {
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[..<($0.count - 4)]))
        }
        var tail = Cursor(bytes: bytes, position: bytes.count - 4)
        guard tail.integer(UInt32.self) == sum else { return nil }
        var cursor = Cursor(bytes: bytes, position: 0)
        guard cursor.integer(UInt64.self) == Self.magic,
            cursor.integer(UInt32.self) == Self.formatVersion,
            let blockSize = cursor.integer(Int64.self), blockSize > 0,
            let size = cursor.integer(Int64.self), size >= 0, size <= BlockCache.largestContent,
            size / blockSize <= Int64(BlockGeometry.blockLimit),
            let root = cursor.text(), let item = cursor.text(), let revision = cursor.text()
        else { return nil }
        key = ContentKey(root: RootIdentifier(root), item: item, revision: revision)
        geometry = BlockGeometry(size: size, blockSize: Int(blockSize))
        var words: [UInt64] = []
        for _ in 0..<((geometry.blockCount + 63) / 64) {
            guard let word = cursor.integer(UInt64.self) else { return nil }
            words.append(word)
        }
        guard let bitmap = Bitmap(bitCount: geometry.blockCount, words: words) else { return nil }
        stored = bitmap
        checksums = [UInt32](repeating: 0, count: geometry.blockCount)
        for block in bitmap.indices {
            guard let checksum = cursor.integer(UInt32.self) else { return nil }
            checksums[block] = checksum
        }
        guard cursor.position == bytes.count - 4 else { return nil }
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Reads forward through the bytes, never past their end.
    private struct Cursor {
        let bytes: [UInt8]
        var position: Int

        mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
            let width = MemoryLayout<Integer>.size
            guard position + width <= bytes.count else { return nil }
            let value = bytes.withUnsafeBytes {
                $0.loadUnaligned(fromByteOffset: position, as: Integer.self)
            }
            position += width
            return Integer(littleEndian: value)
        }

        mutating func text() -> String? {
            guard let length = integer(UInt32.self), position + Int(length) <= bytes.count else {
                return nil
            }
            defer { position += Int(length) }
            return String(validating: bytes[position..<(position + Int(length))], as: UTF8.self)
        }
    }
}
