/// Names that programs give to what they soon rename or remove: the next content of a file, its last
/// one, a lock.
///
/// A wrong guess costs less than a second, so that names of unknown programs need not be known.
package enum PassingName {
    private static let endings: [StaticString] = [
        "~", ".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".lock", ".bak",
        ".orig",
        ".old", ".new", ".swp", ".swo", ".swx",
    ]
    private static let beginnings: [StaticString] = ["~", ".~", "tmp_", ".goutputstream-", ".tmp"]

    /// Whether a file of that name is probably not there for long under it.
    package static func matches(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { bytes in
            endings.contains { ends(bytes, with: $0) }
                || beginnings.contains { begins(bytes, with: $0) } || hasRandomEnding(bytes)
        }
    }

    /// Whether a file has probably been put aside under its name, to be removed once there is a new
    /// one: it has what it was called before, and something besides.
    package static func isVariant(_ name: String, of old: String) -> Bool {
        name != old && (name.hasPrefix(old) || name.hasSuffix(old))
    }

    private static func ends(_ bytes: UnsafeBufferPointer<UInt8>, with ending: StaticString) -> Bool
    {
        let count = ending.utf8CodeUnitCount
        guard bytes.count > count else { return false }
        return isEqual(bytes[(bytes.count - count)...], ending)
    }

    private static func begins(
        _ bytes: UnsafeBufferPointer<UInt8>, with beginning: StaticString
    ) -> Bool {
        let count = beginning.utf8CodeUnitCount
        guard bytes.count > count else { return false }
        return isEqual(bytes[..<count], beginning)
    }

    /// ASCII letters of both cases are the same.
    private static func isEqual(
        _ bytes: Slice<UnsafeBufferPointer<UInt8>>, _ text: StaticString
    ) -> Bool {
        for (index, byte) in bytes.enumerated() {
            let lower = (65...90).contains(byte) ? byte | 0x20 : byte
            if lower != text.utf8Start[index] { return false }
        }
        return true
    }

    /// As mkstemp and its like make them of another name: `.NAME.a1B2c3` (rsync), `NAME.AbCdEf` (Qt).
    private static func hasRandomEnding(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count > 7, bytes[bytes.count - 7] == UInt8(ascii: ".") else { return false }
        var hasUpper = false
        var hasOther = false
        for byte in bytes[(bytes.count - 6)...] {
            switch byte {
            case 65...90: hasUpper = true
            case 97...122, 48...57: hasOther = true
            default: return false
            }
        }
        return bytes[0] == UInt8(ascii: ".") || (hasUpper && hasOther)
    }
}
