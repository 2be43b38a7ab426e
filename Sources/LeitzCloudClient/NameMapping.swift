/// Shows server names that Linux can't hold under names that it can, and finds the way back.
///
/// Three things can be wrong with a name, and each has its own mark:
/// - **No file name can have it**: `/` is written as `％2F` and NUL as `％00`, with the full-width
///   percent sign U+FF05; the names `.`, `..` and the empty one as `％2E`, `％2E％2E` and `％FF`. A
///   sign that would be read that way in a server's name is written as `％25`, so
///   `serverName(ofShown:)` undoes every case. All other names are shown as they are.
/// - **More than 255 bytes of UTF-8**: the stem is cut at a character and `~ID` follows.
/// - **The same name as a sibling**: `~ID` before the extension.
///
/// `~ID` is the item's id; the way back from it is the id, which every item has, not the name.
package enum NameMapping {
    /// Bytes that a Linux file name may have (NAME_MAX).
    package static let maximumLength = 255

    private static let mark: Unicode.Scalar = "\u{FF05}"
    private static let wholeNames = [
        "": "\u{FF05}FF", ".": "\u{FF05}2E", "..": "\u{FF05}2E\u{FF05}2E",
    ]
    private static let scalars: [Unicode.Scalar: String] = ["/": "2F", "\0": "00", mark: "25"]

    /// The name as it can be shown, apart from its length and its siblings.
    package static func escaped(_ name: String) -> String {
        if let whole = wholeNames[name] { return whole }
        let looksWhole = wholeNames.values.contains(name)
        guard name.unicodeScalars.contains(where: { $0 == "/" || $0 == "\0" || $0 == mark }) else {
            return name
        }
        let source = Array(name.unicodeScalars)
        var shown = String.UnicodeScalarView()
        for (index, scalar) in source.enumerated() {
            let isAmbiguous =
                scalar == mark
                && (code(source, at: index + 1) != nil || (looksWhole && index == 0))
            if let code = scalars[scalar], scalar != mark || isAmbiguous {
                shown.append(mark)
                shown.append(contentsOf: code.unicodeScalars)
            } else {
                shown.append(scalar)
            }
        }
        return String(shown)
    }

    /// The server's name for a shown name without `~ID` mark: the inverse of `escaped`.
    package static func serverName(ofShown shown: String) -> String {
        if let whole = wholeNames.first(where: { $0.value == shown }) { return whole.key }
        guard shown.unicodeScalars.contains(mark) else { return shown }
        let source = Array(shown.unicodeScalars)
        var name = String.UnicodeScalarView()
        var index = 0
        while index < source.count {
            if source[index] == mark, let scalar = code(source, at: index + 1) {
                name.append(scalar)
                index += 3
            } else {
                name.append(source[index])
                index += 1
            }
        }
        return String(name)
    }

    /// What the two scalars behind a mark stand for; nil where they are no code.
    private static func code(_ source: [Unicode.Scalar], at index: Int) -> Unicode.Scalar? {
        guard index + 1 < source.count else { return nil }
        let text = String(String.UnicodeScalarView(source[index...index + 1]))
        return scalars.first { $0.value == text }?.key
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
}
