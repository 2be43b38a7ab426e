import CCRC32C

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the processor's instruction for it; where it has none,
/// by tables, sixteen bytes a step.
package struct CRC32C: Sendable {
    /// Whether this processor has one.
    static let isHardware = ordner_crc32c_is_hardware()

    private var register: UInt32 = .max
    private let usesHardware: Bool

    /// Of no bytes yet.
    package init() { self.init(usesHardware: Self.isHardware) }

    /// - Parameter usesHardware: only where there is one.
    init(usesHardware: Bool) { self.usesHardware = usesHardware }

    /// The checksum of all bytes so far.
    package var value: UInt32 { ~register }

    /// Adds bytes. Any thread may call, one at a time.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        guard !usesHardware else {
            register = ordner_crc32c_advance(register, base, bytes.count)
            return
        }
        register = Self.tables.withUnsafeBufferPointer { tables in
            Self.advance(register, base, bytes.count, tables)
        }
    }

    /// The checksum of one buffer.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes)
        return crc.value
    }

    private static func advance(
        _ start: UInt32, _ base: UnsafeRawPointer, _ count: Int,
        _ tables: UnsafeBufferPointer<UInt32>
    ) -> UInt32 {
        var crc = start
        var index = 0
        while index &+ 16 <= count {
            var first = UInt64(
                littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            var second = UInt64(
                littleEndian: base.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self))
            first ^= UInt64(crc)
            crc = 0
            var row = 15 * 256
            for _ in 0..<8 {
                crc ^= tables[row &+ Int(truncatingIfNeeded: first & 0xff)]
                crc ^= tables[row &- 2048 &+ Int(truncatingIfNeeded: second & 0xff)]
                first >>= 8
                second >>= 8
                row &-= 256
            }
            index &+= 16
        }
        while index < count {
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            crc = (crc >> 8) ^ tables[Int((crc ^ UInt32(byte)) & 0xff)]
            index &+= 1
        }
        return crc
    }

    /// Row k holds the effect of a byte that k more bytes follow.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 16 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
            tables[byte] = crc
        }
        for row in 1..<16 {
            for byte in 0..<256 {
                let previous = tables[(row - 1) * 256 + byte]
                tables[row * 256 + byte] = (previous >> 8) ^ tables[Int(previous & 0xff)]
            }
        }
        return tables
    }()
}
