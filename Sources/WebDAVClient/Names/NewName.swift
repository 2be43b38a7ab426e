import CloudStorage
import Foundation

/// Checks a name that is to be given to an item, before the server sees it.
enum NewName {
    /// The server's bytes for a shown name.
    /// - Throws: `invalidName`, `nameTooLong`, `invalidExtension`.
    static func checked(
        _ shown: String, _ profile: WebDAVProfile
    ) throws(CloudStorageError) -> [UInt8] {
        guard !shown.isEmpty, shown != ".", shown != "..",
            !shown.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "/") })
        else { throw CloudStorageError(.invalidName, "no server can hold this name") }
        // Servers that store one form only would show the file under another name than it got.
        let name =
            profile.normalizesNames ? shown.precomposedStringWithCanonicalMapping : shown
        guard name.utf8.count <= ShownName.maximumLength else {
            throw CloudStorageError(.nameTooLong, "the name has more than 255 bytes")
        }
        try check(name, profile.nameRules)
        return ShownName.serverBytes(name)
    }

    private static func check(
        _ name: String, _ rules: WebDAVProfile.NameRules
    ) throws(CloudStorageError) {
        let lower = name.lowercased()
        let base = lower.split(separator: ".", omittingEmptySubsequences: false).first
        guard !rules.names.contains(lower), !rules.baseNames.contains(base.map(String.init) ?? "")
        else { throw CloudStorageError(.invalidName, "the server refuses this name") }
        if let character = rules.characters.first(where: { name.contains($0) }) {
            throw CloudStorageError(.invalidName, "the server refuses names with \(character)")
        }
        if let suffix = rules.extensions.first(where: { lower.hasSuffix($0) }) {
            throw CloudStorageError(.invalidExtension, "the server refuses names with \(suffix)")
        }
    }
}
