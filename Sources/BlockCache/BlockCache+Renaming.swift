import FileSystemTypes
import Synchronization

extension BlockCache {
    /// Keeps the content of a version under the key of another one that has the same bytes.
    ///
    /// Done in the background and where possible: what is in use keeps its key, and what can't be
    /// renamed is fetched again when it is read.
    package func rename(_ old: ContentKey, to new: ContentKey) {
        guard old != new else { return }
        later { self.renameNow(old, to: new) }
    }

    private func renameNow(_ old: ContentKey, to new: ContentKey) {
        let known = table.withLock { table in
            table.canRename(old, to: new) ? table.entries[old] : nil
        }
        guard let known else { return }
        do throws(FileSystemError) {
            guard var index = try folder.readIndex(of: known.name), index.key == old else { return }
            index.key = new
            try folder.writeIndex(index, of: known.name)
        } catch {
            // Its index is the old one, or damaged, which is noticed.
            return
        }
        table.withLock { table in
            guard table.entries[old]?.name == known.name, table.canRename(old, to: new) else {
                return
            }
            table.rename(old, to: new)
        }
    }
}
