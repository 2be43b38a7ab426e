package import CloudStorage
package import FoundationEssentials
import LeitzCloudAPI

/// A root or folder object with its children, read so that one bad entry does not spoil the rest.
struct ListingAnswer: Decodable {
    /// An entry, or nothing where it can't be understood.
    struct Entry: Decodable {
        var item: WireItem?

        init(from decoder: any Decoder) throws { item = try? WireItem(from: decoder) }
    }

    var id: Int64
    /// Roots have one; of a folder's the newer servers tell it.
    var name: String?
    var path: String?
    var isDeleted: Bool?
    var isLocked: Bool?
    var locks: [WireLock]?
    var permissions: [String]?
    var children: [Entry]?
    var hash: String?
    /// Of all children, where a server pages the answer.
    var total: Int?

    enum CodingKeys: String, CodingKey {
        case id, name, path, locks, permissions, children, hash, total
        case isDeleted = "is_deleted"
        case isLocked = "is_locked"
    }
}

/// Reads the bodies of success answers.
package enum AnswerBody {
    /// One JSON value; text that is no Unicode is mended.
    /// - Parameter mayHaveHappened: whether the call has changed something on the server.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from body: Data, mayHaveHappened: Bool = false
    ) throws(CloudStorageError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch {
            if let repaired = repaired(body),
                let value = try? JSONDecoder().decode(type, from: repaired)
            {
                return value
            }
            throw CloudStorageError(
                .invalidAnswer, "the server's answer is not what its API promises",
                mayHaveHappened: mayHaveHappened)
        }
    }

    /// The text with everything that is no Unicode replaced by U+FFFD: bytes that are no UTF-8 and
    /// `\u` escapes of half a surrogate pair. Nil where there is nothing to repair. One such name
    /// must not make the whole folder unreadable; items are addressed by id.
    package static func repaired(_ body: Data) -> Data? {
        let bytes = Array(String(decoding: body, as: UTF8.self).utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count else {
                result.append(bytes[index])
                index += 1
                continue
            }
            guard let unit = escapedUnit(bytes, at: index), (0xD800...0xDFFF).contains(unit) else {
                result += bytes[index...index + 1]
                index += 2
                continue
            }
            let next = escapedUnit(bytes, at: index + 6)
            if unit < 0xDC00, let next, (0xDC00...0xDFFF).contains(next) {
                result += bytes[index..<index + 12]
                index += 12
            } else {
                result += Array("\\ufffd".utf8)
                index += 6
            }
        }
        let repaired = Data(result)
        return repaired == body ? nil : repaired
    }

    /// The value of a `\uXXXX` escape.
    private static func escapedUnit(_ bytes: [UInt8], at index: Int) -> UInt16? {
        guard index + 5 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        else { return nil }
        return UInt16(String(decoding: bytes[index + 2...index + 5], as: UTF8.self), radix: 16)
    }
}
