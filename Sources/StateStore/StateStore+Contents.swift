package import FileSystemTypes
import FoundationEssentials
import GRDB
import Glibc

/// Files with content of which no row and no record speaks: what programs had not closed when the
/// driver was killed.
extension StateStore {
    /// Under this key is when the table was made anew, after damage: what is older may be unsent.
    static let rebuiltKey = "rebuilt-at"

    /// Removes those that are older than so many seconds; returns how many there were.
    ///
    /// What was there when a damaged table was replaced is never removed: its rows are lost.
    package func removeForgottenContents(
        olderThan seconds: Int64
    ) async throws(FileSystemError) -> Int {
        let folder = contentFolder
        return try await read { reader in
            let rebuilt = try reader.value(forKey: Self.rebuiltKey).flatMap { Int64($0) }
            let end = Int64(Date().timeIntervalSince1970) - seconds
            let old = try FileManager.default.contentsOfDirectory(atPath: folder).filter { name in
                var status = stat()
                guard Self.isContentName(name), stat("\(folder)/\(name)", &status) == 0 else {
                    return false
                }
                let changed = Int64(status.st_mtim.tv_sec)
                return changed < end && changed > rebuilt ?? .min
            }
            guard !old.isEmpty else { return 0 }
            let known = try reader.contentNames()
            let records = try reader.intents().map { String(decoding: $0.payload, as: UTF8.self) }
            let forgotten = old.filter { name in
                !known.contains(name) && !records.contains { $0.contains(name) }
            }
            for name in forgotten where unlink("\(folder)/\(name)") != 0 && errno != ENOENT {
                throw FileSystemError(.inputOutput, "can't remove \(folder)/\(name)")
            }
            return forgotten.count
        }
    }

    /// Inode, time and serial number, as names of contents are made.
    private static func isContentName(_ name: String) -> Bool {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        return parts.count == 3 && parts.allSatisfy { UInt64($0) != nil }
    }
}

extension StateReader {
    /// The files that rows speak of.
    fileprivate func contentNames() throws -> Set<String> {
        Set(
            try String.fetchAll(
                db, sql: "SELECT content_file FROM inode WHERE content_file IS NOT NULL"))
    }
}
