import NIOCore

/// The checksum of zip archives (polynomial 0xEDB88320), eight bytes a step.
struct CRC32 {
    private static let tables: [[UInt32]] = {
        var tables = [[UInt32]](repeating: [UInt32](repeating: 0, count: 256), count: 8)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
            tables[0][index] = value
        }
        for index in 0..<256 {
            for table in 1..<8 {
                let below = tables[table - 1][index]
                tables[table][index] = below >> 8 ^ tables[0][Int(below & 0xff)]
            }
        }
        return tables
    }()
    private static let flat: [UInt32] = tables.flatMap(\.self)

    private var state: UInt32 = 0xffff_ffff

    var value: UInt32 { ~state }

    mutating func update(_ buffer: ByteBuffer) {
        var crc = state
        buffer.withUnsafeReadableBytes { raw in
            Self.flat.withUnsafeBufferPointer { table in
                var index = 0
                while index + 8 <= raw.count {
                    let word = UInt64(
                        littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                    let mixed = word ^ UInt64(crc)
                    var next: UInt32 = 0
                    for byte in 0..<8 {
                        let value = Int(truncatingIfNeeded: mixed >> UInt64(8 * byte)) & 0xff
                        next ^= table[(7 - byte) * 256 + value]
                    }
                    crc = next
                    index += 8
                }
                while index < raw.count {
                    crc = crc >> 8 ^ table[Int((crc ^ UInt32(raw[index])) & 0xff)]
                    index += 1
                }
            }
        }
        state = crc
    }
}
