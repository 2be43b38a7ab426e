/// What owner files say, in the forms that office programs read.
package enum OwnerFileText {
    /// LibreOffice's: name, account, machine, time and place of the settings, of which only the first
    /// is known (`svl/source/misc/lockfilecommon.cxx`).
    ///
    /// - Parameter holder: nil where the server does not tell it: the program says so in its own words.
    package static func libreOffice(holder: String?) -> [UInt8] {
        Array("\(escaped(holder ?? "")),,,,;".utf8)
    }

    /// Microsoft's: the name in one byte a character, and again in UTF-16, each behind its length,
    /// in 162 bytes for Word and 165 for the others (`svl/source/misc/msodocumentlockfile.cxx`).
    package static func microsoft(holder: String?, isWord: Bool) -> [UInt8] {
        let longest = 52
        let units = Array((holder ?? "").utf16.prefix(longest))
        let size = isWord ? 162 : 165
        let place = isWord ? 54 : 55
        var bytes: [UInt8] = [UInt8(units.count)]
        bytes += units.map { $0 < 128 ? UInt8($0) : UInt8(ascii: "?") }
        while bytes.count < place { bytes.append(isWord ? 0 : UInt8(ascii: " ")) }
        bytes += [UInt8(units.count), 0]
        for unit in units { bytes += [UInt8(unit & 0xFF), UInt8(unit >> 8)] }
        while bytes.count < size {
            bytes.append(isWord || (bytes.count - place) % 2 == 1 ? 0 : UInt8(ascii: " "))
        }
        return bytes
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text where character != "\n" && character != "\r" {
            if "\\,;".contains(character) { result.append("\\") }
            result.append(character)
        }
        return result
    }
}
