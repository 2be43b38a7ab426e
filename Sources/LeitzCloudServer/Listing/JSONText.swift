import FoundationEssentials
import NIOCore

/// JSON output: small answers through `Codable`, long lists by hand, since a listing may have
/// 100,000 rows.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        // In the order of the document's examples.
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return ByteBuffer(bytes: try encoder.encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}

extension ByteBuffer {
    /// Writes a JSON string with its quotes.
    mutating func writeJSON(_ text: String) {
        var text = text
        writeInteger(UInt8(ascii: "\""))
        let isPlain = text.withUTF8 { bytes in
            bytes.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        }
        if isPlain {
            writeString(text)
        } else {
            text.withUTF8 { bytes in for byte in bytes { writeEscaped(byte) } }
        }
        writeInteger(UInt8(ascii: "\""))
    }

    private mutating func writeEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): writeStaticString("\\\"")
        case UInt8(ascii: "\\"): writeStaticString("\\\\")
        case 0..<0x20:
            writeStaticString("\\u00")
            writeString(TokenHash.hex([byte]))
        default: writeInteger(byte)
        }
    }

    mutating func writeJSON(_ number: Int64) { writeString(String(number)) }

    mutating func writeJSON(_ flag: Bool) { writeStaticString(flag ? "true" : "false") }
}
