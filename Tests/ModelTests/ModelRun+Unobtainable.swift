import FileSystemTypes
import FoundationEssentials
import StateStore
import TestSupport

import VirtualFileSystem

/// Files that can't be sent, since a part of what they are to hold nobody has any more.
extension ModelRun {
    /// A program has changed a part of a file; the rest was never kept here, and the other client has
    /// replaced, deleted or, where items are known by their paths, renamed it. The change must be kept, and be shown as unsent; then the program
    /// removes the file. Returns whether there was one.
    func giveUpUnobtainable() async throws -> Bool {
        let server = Set(cloud.snapshot().values.compactMap { $0 })
        let records = try await machine.store.dirtyRecords()
        for unsent in machine.fileSystem.status().unsent
        where unsent.change == .content && unsent.error != nil {
            let path = unsent.path.split(separator: "/").dropFirst().map(String.init)
            let contents = extended.map { Array($0.utf8) }.filter { content in
                records.contains { record in
                    record.name == path.last && record.size == unsent.bytes
                        && isUnobtainable(content, record, server)
                }
            }
            guard contents.count == 1 else { continue }
            note("give up \(path)")
            forget([String(decoding: contents[0], as: UTF8.self)])
            try await machine.unlink(path)
            return true
        }
        return false
    }

    /// Whether a row is that of a content, all of which is here but what it was based on, and the
    /// server has not got that either, or under a name by which nobody here knows it.
    private func isUnobtainable(
        _ content: [UInt8], _ record: InodeRecord, _ server: Set<[UInt8]>
    ) -> Bool {
        guard let file = record.contentFile, record.size == Int64(content.count),
            let base = record.missingContent.last?.upperBound,
            !server.contains(content)
        else { return false }
        let missing = Array(content.prefix(Int(base)))
        let isElsewhere =
            addressesByPath && renamed.contains(String(decoding: missing, as: UTF8.self))
        guard isElsewhere || !server.contains(missing) else { return false }
        let kept: [UInt8]
        do {
            let path = "\(machine.store.contentFolder)/\(file)"
            kept = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            return false
        }
        guard kept.count == content.count else { return false }
        return content.indices.allSatisfy { index in
            kept[index] == content[index]
                || record.missingContent.contains {
                    $0.lowerBound <= Int64(index) && Int64(index) < $0.upperBound
                }
        }
    }
}
