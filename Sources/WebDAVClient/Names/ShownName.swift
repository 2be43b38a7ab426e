/// Shows server names that a file name, or a Swift string, can't hold, and finds the way back.
///
/// A byte that is no UTF-8, a `/` and a NUL are written as the full-width percent sign U+FF05 and
/// two hex digits, e.g. `％E9`. A sign that would be read that way in a server's name is written as
/// `％25`. All other names are shown as they are, so that both directions undo each other.
package enum ShownName {
    /// Bytes that a Linux file name may have (NAME_MAX).
    package static let maximumLength = 255

    private static let mark = Array("\u{FF05}".utf8)
    private static let markCode = UInt8(ascii: "%")

    /// The name to show for a server's bytes, apart from its length; nil for what no URL can point
    /// at: the empty name, `.` and `..`.
    package static func shown(_ bytes: [UInt8]) -> String? {
        guard !bytes.isEmpty, bytes != Array(".".utf8), bytes != Array("..".utf8) else {
            return nil
        }
        let isPlain =
            String(validating: bytes, as: UTF8.self) != nil
            && !bytes.contains { $0 == 0 || $0 == UInt8(ascii: "/") || $0 == mark[0] }
        if isPlain { return String(decoding: bytes, as: UTF8.self) }
        var shown: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let length = scalarLength(bytes, at: index)
            let isMark = bytes[index...].starts(with: mark)
            if length == 0 || bytes[index] == 0 || bytes[index] == UInt8(ascii: "/") {
                shown += escape(bytes[index])
                index += 1
            } else if isMark, code(bytes, at: index + mark.count) != nil {
                shown += escape(markCode)
                index += length
            } else {
                shown += bytes[index..<index + length]
                index += length
            }
        }
        return String(decoding: shown, as: UTF8.self)
    }

    /// The server's bytes for a shown name.
    package static func serverBytes(_ shown: String) -> [UInt8] {
        let source = Array(shown.utf8)
        guard source.contains(mark[0]) else { return source }
        var bytes: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index...].starts(with: mark),
                let code = code(source, at: index + mark.count)
            {
                bytes += code == markCode ? mark : [code]
                index += mark.count + 2
            } else {
                bytes.append(source[index])
                index += 1
            }
        }
        return bytes
    }

    /// The name cut to what fits, with a number made of all its bytes; unchanged where it fits.
    package static func shortened(_ name: String) -> String {
        guard name.utf8.count > maximumLength else { return name }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let mark = "~" + String(hash, radix: 16)
        var kept = ""
        var room = maximumLength - mark.utf8.count
        for scalar in name.unicodeScalars {
            let size = UTF8.width(scalar)
            guard size <= room else { break }
            room -= size
            kept.unicodeScalars.append(scalar)
        }
        return kept + mark
    }

    /// The byte that two digits behind a mark stand for; nil where they are no code of ours.
    private static func code(_ bytes: [UInt8], at index: Int) -> UInt8? {
        guard index + 1 < bytes.count else { return nil }
        let digits = bytes[index...index + 1]
        guard !digits.contains(where: { (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }),
            let high = PercentCoding.value(bytes[index]),
            let low = PercentCoding.value(bytes[index + 1])
        else { return nil }
        let byte = high << 4 | low
        return byte >= 0x80 || byte == 0 || byte == UInt8(ascii: "/") || byte == markCode
            ? byte : nil
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return mark + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// Bytes of the UTF-8 scalar at an index; 0 where there is none.
    private static func scalarLength(_ bytes: [UInt8], at index: Int) -> Int {
        for length in 1...4 where index + length <= bytes.count {
            let piece = bytes[index..<index + length]
            if let text = String(validating: piece, as: UTF8.self) {
                return text.unicodeScalars.count == 1 ? length : 0
            }
        }
        return 0
    }
}
