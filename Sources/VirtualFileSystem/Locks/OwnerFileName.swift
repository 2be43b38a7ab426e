import FileSystemTypes

/// Names of the owner files by which office programs tell one another who has a document open.
///
/// `.~lock.NAME#` is LibreOffice's and OnlyOffice's, `~$` and the name, or most of it, Microsoft's,
/// `.~NAME` that of WPS.
package enum OwnerFileName {
    private static let word: Set<String> = ["doc", "docx", "docm", "dot", "dotx", "dotm", "rtf"]
    private static let otherMicrosoft: Set<String> = [
        "xls", "xlsx", "xlsm", "xlsb", "xlt", "xltx", "xltm", "ppt", "pptx", "pptm", "pot", "potx",
        "potm", "pps", "ppsx", "ppsm",
    ]
    private static let others: Set<String> = [
        "odt", "ott", "ods", "ots", "odp", "otp", "odg", "otg", "odf", "odm", "oth", "odb", "fodt",
        "fods", "fodp", "fodg", "csv", "wps", "et", "dps", "vsd", "vsdx", "pub", "wpd",
    ]

    /// Whether office programs look for an owner file beside the document, by its extension.
    package static func isDocument(_ name: String) -> Bool {
        let kind = fileExtension(of: name)
        return word.contains(kind) || otherMicrosoft.contains(kind) || others.contains(kind)
    }

    /// Whether a name may be one of an owner file.
    package static func isOwnerFile(_ name: String) -> Bool {
        name.hasPrefix("~$") || name.hasPrefix(".~") && name.utf8.count > 2
    }

    /// Whether a name is that of an owner file of WPS, of any kind of document.
    package static func isOfWPS(_ name: String) -> Bool {
        name.hasPrefix(".~") && isDocument(String(name.dropFirst(2)))
    }

    /// The names that programs look for when they open a document.
    package static func names(for document: String) -> [String] {
        guard isDocument(document) else { return [] }
        return [libreOffice(document)] + (microsoft(document).map { [$0] } ?? [])
    }

    /// The document that an owner file is made for.
    ///
    /// - Parameter documents: the names in its folder.
    package static func document(
        of owner: String, among documents: some Sequence<String>, isThere: (String) -> Bool
    ) -> String? {
        if owner.hasPrefix(".~lock."), owner.hasSuffix("#") {
            let name = String(owner.dropFirst(7).dropLast())
            return isThere(name) ? name : nil
        }
        if owner.hasPrefix(".~") {
            let name = String(owner.dropFirst(2))
            return isOfWPS(owner) && isThere(name) ? name : nil
        }
        guard owner.hasPrefix("~$") else { return nil }
        let rest = owner.dropFirst(2)
        return documents.filter { document in
            document.hasSuffix(rest)
                && microsoft(document).map { $0.hasSameBytes(as: owner) } ?? false
        }.min()
    }

    static func libreOffice(_ document: String) -> String { ".~lock.\(document)#" }

    /// `~$` and the name; Word writes it over the first two characters of a name that has eight or
    /// more before its extension, and over the first one of seven. Nil for other programs' documents.
    static func microsoft(_ document: String) -> String? {
        let kind = fileExtension(of: document)
        if otherMicrosoft.contains(kind) { return "~$" + document }
        guard word.contains(kind) else { return nil }
        let length = document.count - kind.count - 1
        return "~$" + document.dropFirst(min(2, max(0, length - 6)))
    }

    /// Whether a document is Word's own kind.
    static func isWord(_ document: String) -> Bool { word.contains(fileExtension(of: document)) }

    private static func fileExtension(of name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return name[name.index(after: dot)...].lowercased()
    }
}
