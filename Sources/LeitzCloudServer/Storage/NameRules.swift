/// Which names the server takes.
///
/// The document names the errors but not the rules; refused is only what no file system can hold
/// or what could leave the tree.
enum NameRules {
    /// Longest name in bytes of UTF-8.
    static let maximumLength = 255

    static func check(_ name: String) throws(APIError) {
        if name.isEmpty || name == "." || name == ".." { throw .invalidName }
        for byte in name.utf8
        where byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "/")
            || byte == UInt8(ascii: "\\")
        {
            throw .invalidName
        }
        if name.utf8.count > maximumLength { throw .nameTooLong }
    }

    /// Refuses a file name with an excluded extension; letter case plays no part.
    static func checkExtension(_ name: String, _ behaviour: ServerBehaviour) throws(APIError) {
        guard !behaviour.excludedExtensions.isEmpty else { return }
        let folded = Array(fold(name).utf8)
        for excluded in behaviour.excludedExtensions where !excluded.isEmpty {
            let suffix = fold(excluded.hasPrefix(".") ? excluded : "." + excluded)
            if folded.count >= suffix.utf8.count,
                folded.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
            {
                throw .invalidExtension
            }
        }
    }

    /// The form in which names are compared without regard to letter case.
    static func fold(_ name: String) -> String { name.lowercased() }
}
