/// Shows server names that Linux can't hold under names that it can, and finds the way back.
///
/// Three things can be wrong with a name, and each has its own mark:
/// - **A byte no file name may have** (`/`, NUL), a name that is empty, `.` or `..`: the bytes are
///   written as `％XX`, with the full-width percent sign U+FF05 and two upper-case hex digits; the
///   empty name as a lone `％00％`. A server name that already has that pattern gets its own sign
///   escaped (`％EF％BC％85`), so `serverName(ofShown:)` undoes every case.
/// - **More than 255 bytes of UTF-8**: the stem is cut at a character and `~ID` follows.
/// - **The same name as a sibling**: `~ID` before the extension.
///
/// `~ID` is the item's id; the way back from it is the id, which every item has, not the name.
package enum NameMapping {
    /// Bytes that a Linux file name may have (NAME_MAX).
    package static let maximumLength = 255

    private static let mark: Unicode.Scalar = "\u{FF05}"
    private static let emptyName = "\u{FF05}00\u{FF05}"

    /// The name as it can be shown, apart from its length and its siblings.
    package static func escaped(_ name: String) -> String {
        switch name {
        case "": return emptyName
        case ".": return "\(mark)2E"
        case "..": return "\(mark)2E\(mark)2E"
        default: break
        }
        guard name.unicodeScalars.contains(where: { $0 == "/" || $0 == "\0" || $0 == mark }) else {
            return name
        }
        let scalars = Array(name.unicodeScalars)
        var shown = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "/": shown.append(contentsOf: "\(mark)2F".unicodeScalars)
            case "\0": shown.append(contentsOf: "\(mark)00".unicodeScalars)
            case mark where isHexPair(scalars, at: index + 1):
                shown.append(contentsOf: "\(mark)EF\(mark)BC\(mark)85".unicodeScalars)
            default: shown.append(scalar)
            }
        }
        return String(shown)
    }

    /// The server's name for a shown name without `~ID` mark: the inverse of `escaped`.
    package static func serverName(ofShown shown: String) -> String {
        if shown == emptyName { return "" }
        guard shown.unicodeScalars.contains(mark) else { return shown }
        let scalars = Array(shown.unicodeScalars)
        var bytes: [UInt8] = []
        var index = 0
        while index < scalars.count {
            if scalars[index] == mark, isHexPair(scalars, at: index + 1),
                let byte = UInt8(
                    String(String.UnicodeScalarView(scalars[index + 1...index + 2])), radix: 16)
            {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(
                    contentsOf: UTF8.encode(scalars[index]) ?? UTF8.encodedReplacementCharacter)
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The name cut to what fits and marked with the id; unchanged where it fits.
    package static func shortened(_ name: String, id: String) -> String {
        name.utf8.count <= maximumLength ? name : marked(name, id: id)
    }

    /// The name with `~id` before its extension, cut so that it fits.
    package static func marked(_ name: String, id: String) -> String {
        let (stem, suffix) = split(name)
        let mark = "~" + id + suffix
        var kept = ""
        var room = maximumLength - mark.utf8.count
        for character in stem {
            let size = String(character).utf8.count
            guard size <= room else { break }
            room -= size
            kept.append(character)
        }
        return kept + mark
    }

    /// Stem and extension with its dot; a leading dot, and one followed by more than 16 bytes,
    /// begin no extension.
    private static func split(_ name: String) -> (stem: Substring, suffix: String) {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex,
            name[dot...].utf8.count <= 17
        else { return (Substring(name), "") }
        return (name[..<dot], String(name[dot...]))
    }

    private static func isHexPair(_ scalars: [Unicode.Scalar], at index: Int) -> Bool {
        guard index + 1 < scalars.count else { return false }
        return scalars[index...index + 1].allSatisfy {
            ("0"..."9").contains($0) || ("A"..."F").contains($0)
        }
    }
}
