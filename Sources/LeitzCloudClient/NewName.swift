import CloudStorage

/// Checks a name that is to be given to an item, before the server sees it.
enum NewName {
    /// The server's spelling of a shown name.
    /// - Parameter isFormField: false for the file name of an upload, which can't hold line breaks.
    /// - Throws: `invalidName`, `nameTooLong`.
    static func checked(_ shown: String, isFormField: Bool) throws(CloudStorageError) -> String {
        let name = NameMapping.serverName(ofShown: shown)
        guard !name.isEmpty, name != ".", name != "..",
            !name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") })
        else { throw CloudStorageError(.invalidName, "no server can hold this name") }
        guard name.utf8.count <= NameMapping.maximumLength else {
            throw CloudStorageError(.nameTooLong, "the name has more than 255 bytes")
        }
        guard isFormField || !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw CloudStorageError(.invalidName, "the name has control characters")
        }
        return name
    }
}
