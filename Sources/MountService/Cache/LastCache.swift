import FoundationEssentials

/// Where an account's cache was when it was mounted last, and how large it could be: what only that mount's
/// options said.
struct LastCache: Codable, Sendable, Hashable {
    var folder: String
    var limit: Int64

    private static func file(of account: AccountName, _ folders: ProgramFolders) -> String {
        folders.state(of: account) + "/cache.json"
    }

    /// Nil where the account was never mounted. Blocks.
    static func read(
        of account: AccountName, folders: ProgramFolders
    ) throws(ServiceFailure) -> LastCache? {
        let file = file(of: account, folders)
        guard let bytes = try LocalFile.read(file) else { return nil }
        do { return try JSONDecoder().decode(LastCache.self, from: Data(bytes)) } catch {
            throw ServiceFailure(
                "\(file) can't be read: \(error)", remedy: "Delete it: the next mount makes it.")
        }
    }

    /// Blocks.
    func write(of account: AccountName, folders: ProgramFolders) throws(ServiceFailure) {
        let bytes: Data
        do { bytes = try JSONEncoder().encode(self) } catch {
            throw ServiceFailure("can't write JSON: \(error)")
        }
        try LocalFile.replace(
            Self.file(of: account, folders), with: Array(bytes) + [UInt8(ascii: "\n")], mode: 0o600)
    }
}
