import Testing

@testable import BlockCache

@Suite struct CRC32CTests {
    /// By tables, and by the processor where it can.
    private static let ways = CRC32C.isHardware ? [false, true] : [false]

    private func checksum(_ bytes: [UInt8], _ usesHardware: Bool) -> UInt32 {
        var crc = CRC32C(usesHardware: usesHardware)
        bytes.withUnsafeBytes { crc.update($0) }
        return crc.value
    }

    /// The samples of RFC 3720, appendix B.4.
    @Test(arguments: ways)
    func matchesTheStandard(_ usesHardware: Bool) {
        #expect(checksum([], usesHardware) == 0)
        #expect(checksum([UInt8](repeating: 0, count: 32), usesHardware) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xFF, count: 32), usesHardware) == 0x62A8_AB43)
        #expect(checksum(Array(0..<32), usesHardware) == 0x46DD_794E)
        #expect(checksum(Array((0..<32).reversed()), usesHardware) == 0x113F_DB5C)
        #expect(checksum(Array("123456789".utf8), usesHardware) == 0xE306_9283)
    }

    @Test(arguments: ways)
    func isTheSameInPieces(_ usesHardware: Bool) {
        let bytes = CacheFixture.content(1000)
        for cut in [0, 1, 7, 15, 16, 17, 500, 999, 1000] {
            var crc = CRC32C(usesHardware: usesHardware)
            bytes[..<cut].withUnsafeBytes { crc.update($0) }
            bytes[cut...].withUnsafeBytes { crc.update($0) }
            #expect(crc.value == checksum(bytes, false))
        }
    }
}
