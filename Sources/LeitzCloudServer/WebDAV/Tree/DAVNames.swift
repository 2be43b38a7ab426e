import LeitzCloudAPI

/// Which names the WebDAV face takes, as its capabilities say and as Nextcloud does (FACTS part 4,
/// 6). The other face takes more; such items are shown all the same.
enum DAVNames {
    /// In bytes of UTF-8.
    static let maximumLength = 250
    static let forbiddenNames = [".htaccess"]
    static let forbiddenCharacters = ["\\", "/"]

    /// Each with its dot.
    static func forbiddenExtensions(_ behaviour: ServerBehaviour) -> [String] {
        [".filepart", ".part"]
            + behaviour.excludedExtensions.map { $0.hasPrefix(".") ? $0 : "." + $0 }
    }

    /// Checks a name that something is to get.
    static func check(_ name: String, isFolder: Bool, _ behaviour: ServerBehaviour)
        throws(DAVError)
    {
        if name.utf8.count > maximumLength { throw .invalidPath("Filename is too long") }
        for character in forbiddenCharacters where name.contains(character) {
            throw .invalidPath("\"\(character)\" is not allowed inside a file or folder name.")
        }
        do throws(APIError) {
            try NameRules.check(name)
        } catch {
            throw DAVError(error, [name])
        }
        let folded = NameRules.fold(name)
        if forbiddenNames.contains(folded) {
            throw .invalidPath("\"\(name)\" is a forbidden file or folder name.")
        }
        if isFolder { return }
        for suffix in forbiddenExtensions(behaviour) where folded.hasSuffix(NameRules.fold(suffix))
        {
            throw .invalidPath("\"\(suffix)\" is a forbidden file type.")
        }
    }
}
