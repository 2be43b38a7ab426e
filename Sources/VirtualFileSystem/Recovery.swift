import BlockCache
import CloudStorage
import FileSystemTypes
import Glibc
import Logging
import Reconciler
import StateStore
import Synchronization

/// Taking up what an earlier run left unsent: by its end, a crash, or power loss.
extension VirtualFileSystem {
    /// Hangs in every item whose two sides differ. Needs no server where the folders are known.
    func takeUpUnsent() async throws(FileSystemError) {
        for record in try await store.dirtyRecords() {
            do throws(FileSystemError) {
                try await takeUp(record)
            } catch {
                logger.error(
                    "an unsent change could not be taken up; it stays where it is",
                    metadata: [
                        "name": "\(record.name)", "error": "\(error)",
                        "content":
                            "\(record.contentFile.map { store.contentFolder + "/" + $0 } ?? "")",
                    ])
            }
        }
    }

    /// What programs had written and not closed when an earlier run was killed goes after a week.
    func removeForgottenContents() async {
        do throws(FileSystemError) {
            let count = try await store.removeForgottenContents(olderThan: 7 * 86_400)
            if count > 0 {
                logger.notice(
                    "removed contents that were never closed", metadata: ["files": "\(count)"])
            }
        } catch {
            logger.warning("old contents can't be removed", metadata: ["error": "\(error)"])
        }
    }

    private func takeUp(_ unsent: InodeRecord) async throws(FileSystemError) {
        guard let record = try await withContent(unsent) else { return }
        if record.isRemoved {
            try await restoreAncestors(of: record.parent)
            tree.withLock { $0.restoreRemoved(record) }
            return
        }
        if record.kind == .file, record.server == nil, record.contentFile == nil {
            // A new file that no close has confirmed.
            return try await store.commit([.remove(record.inode)], durability: .normal)
        }
        if let place = record.serverPlace { try await restoreAncestors(of: place.parent) }
        try await restoreAncestors(of: record.parent)
        let working = try await workingCopy(from: record)
        let isHung = tree.withLock { tree -> Bool in
            let id = record.inode.rawValue
            let parent = record.parent.rawValue
            guard tree.nodes[parent]?.children != nil else { return false }
            if tree.nodes[id] == nil {
                if let holder = tree.child(of: parent, named: record.name) {
                    // Another client took the name: the save keeps both.
                    tree.detach(holder.id)
                }
                tree.restore(tree.withoutOthersItem(record), below: parent) {
                    self.store.allocateInode()
                }
            } else if let base = record.server {
                // What the change was based on, not what the server has now, is compared later.
                tree.acknowledge(id, base)
            }
            tree.nodes[id]?.working = working
            tree.compare(id)
            return tree.nodes[id] != nil
        }
        guard isHung else {
            throw FileSystemError(.notFound, "its folder is no longer there")
        }
        if let working { try await followLeftBehind(working, of: record.inode.rawValue) }
    }

    /// The record, without a content that is no longer there; nil where nothing is left of it.
    private func withContent(
        _ record: InodeRecord
    ) async throws(FileSystemError) -> InodeRecord? {
        guard let name = record.contentFile else { return record }
        var status = stat()
        guard stat("\(store.contentFolder)/\(name)", &status) == 0 else {
            logger.error("unsent content is no longer there", metadata: ["name": "\(record.name)"])
            var known = record
            known.contentFile = nil
            known.missingContent = []
            let isNothing = known.server == nil
            try await store.commit(
                [isNothing ? .remove(known.inode) : .put(known)], durability: .normal)
            return isNothing ? nil : known
        }
        var known = record
        // A program may have cut it since it was journaled.
        known.size = min(record.size ?? 0, Int64(status.st_size))
        return known
    }

    private func workingCopy(
        from record: InodeRecord
    ) async throws(FileSystemError) -> WorkingCopy? {
        guard let name = record.contentFile else { return nil }
        var base: CachedContent?
        let known = contentBases.withLock { $0[record.inode.rawValue]?.base.server }
        if !record.missingContent.isEmpty, let server = known ?? record.server {
            base = try cachedContent(for: server, reference: server.reference)
        }
        let path = "\(store.contentFolder)/\(name)"
        let serial = nextSerial()
        let source = base
        return try await disk.run { () throws(FileSystemError) in
            let working = try WorkingCopy(
                serial: serial, adopting: path, size: record.size ?? 0,
                missing: record.missingContent, base: source)
            working.park()
            return working
        }
    }

    /// Hangs in the folders above, from the top down: as the state table knows them, or, where it
    /// does not, as the server lists them.
    func restoreAncestors(of parent: InodeNumber) async throws(FileSystemError) {
        var chain = [parent]
        var next = parent
        while next != .root, chain.count < 4096, let folder = try await store.record(next) {
            next = folder.parent
            chain.append(next)
        }
        for inode in chain.reversed() {
            var node = tree.withLock { $0.nodes[inode.rawValue] }
            if node == nil, let record = try await store.record(inode) {
                tree.withLock { tree in
                    tree.restore(record, makingRoomFor: options.hostName) {
                        self.store.allocateInode()
                    }
                }
                node = tree.withLock { $0.nodes[inode.rawValue] }
            }
            guard let node, node.isFolder, node.children == nil, !node.isRemoved else { continue }
            try await ensureListed(node.id)
        }
    }
}
