/// A name cut at its last extension: `report.final.odt` is `report.final` and `.odt`.
///
/// A leading dot starts a hidden name, not an extension.
package struct SplitName: Hashable, Sendable {
    package let stem: String
    /// With its dot; empty where there is none.
    package let fileExtension: String

    package init(_ name: String) {
        let scalars = name.unicodeScalars
        guard let dot = scalars.lastIndex(of: "."), dot != scalars.startIndex else {
            stem = name
            fileExtension = ""
            return
        }
        stem = String(scalars[..<dot])
        fileExtension = String(scalars[dot...])
    }

    /// The name with `suffix` behind the stem, the stem cut so that the result has at most 255
    /// bytes of UTF-8.
    package func name(withSuffix suffix: String, maximumBytes: Int = 255) -> String {
        let room = maximumBytes - suffix.utf8.count - fileExtension.utf8.count
        return Self.cut(stem, toBytes: max(0, room)) + suffix + fileExtension
    }

    private static func cut(_ text: String, toBytes limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var result = ""
        for character in text {
            if result.utf8.count + character.utf8.count > limit { break }
            result.append(character)
        }
        return result
    }
}

/// Names of the copies that keep both sides of a conflict: `NAME (conflict HOST DATE).EXT`.
package enum ConflictName {
    /// - Parameters:
    ///   - date: year-month-day and time, without characters that servers refuse (no `:`).
    ///   - attempt: 1 for the first; a later one is told apart by its number.
    package static func make(for name: String, host: String, date: String, attempt: Int) -> String {
        let number = attempt > 1 ? " \(attempt)" : ""
        return SplitName(name).name(withSuffix: " (conflict \(host) \(date)\(number))")
    }
}

/// Names an item takes for the time of a few calls. They keep the extension, since servers check it.
package enum TemporaryName {
    private static let marker = ".ordner-"

    /// - Parameter unique: characters that no other temporary name has.
    package static func make(for name: String, unique: String) -> String {
        let split = SplitName(name)
        let tail = split.fileExtension.utf8.count > 64 ? "" : split.fileExtension
        return marker + unique + tail
    }

    /// Whether this driver could have made the name.
    package static func matches(_ name: String) -> Bool { name.hasPrefix(marker) }
}
