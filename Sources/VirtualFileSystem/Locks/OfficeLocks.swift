import CloudStorage
import FileSystemTypes
import LockManager
import Logging
import StateStore
import Synchronization

/// Owner files that office programs write: with one the server's lock of its document is taken, and
/// given back when the owner file goes.
extension VirtualFileSystem {
    /// Whether a name is that of an owner file, which stands for a lock here.
    func isOwnerFile(_ name: String) -> Bool {
        bridgesOwnerFiles && OwnerFileName.isOwnerFile(name)
    }

    /// Makes a file; where it is an owner file, with the server's lock of its document.
    ///
    /// `exists` or `locked` where somebody else has the document open.
    func makeUnderLock(
        parent: UInt64, name: String, _ options: OpenOptions,
        _ make: () async throws(FileSystemError) -> CreatedFile
    ) async throws(FileSystemError) -> CreatedFile {
        guard let (document, reference) = document(ofOwnerFile: name, in: parent) else {
            return try await make()
        }
        do throws(CloudStorageError) {
            try await acquire(reference)
        } catch {
            guard error.kind == .locked else {
                logger.info("going on without the server's lock", metadata: ["error": "\(error)"])
                return try await make()
            }
            noteForeignLock(on: document)
            let isShown = tree.withLock { $0.child(of: parent, named: name) != nil }
            throw isShown && options.contains(.exclusive)
                ? FileSystemError(.exists, "\(name) exists") : FileSystemError(error)
        }
        let made: CreatedFile
        do throws(FileSystemError) {
            made = try await make()
        } catch {
            await locks.release(reference)
            throw error
        }
        await keep(reference, forOwnerFile: made.entry.node)
        return made
    }

    /// An owner file that is there is about to be written: one of before a crash, whose program goes
    /// on with it, has no lock yet.
    ///
    /// `locked` where somebody else has the document open by now.
    func takeLock(ofOwnerFile id: UInt64) async throws(FileSystemError) {
        let place = tree.withLock { tree -> (folder: UInt64, name: String)? in
            guard let node = tree.nodes[id], node.isLocalOnly, let folder = node.parent else {
                return nil
            }
            return (folder, node.name)
        }
        guard let place, keptLocks.withLock({ $0.documents[id] }) == nil,
            let (document, reference) = document(ofOwnerFile: place.name, in: place.folder)
        else { return }
        do throws(CloudStorageError) {
            try await acquire(reference)
        } catch {
            guard error.kind == .locked else {
                return logger.info(
                    "going on without the server's lock", metadata: ["error": "\(error)"])
            }
            noteForeignLock(on: document)
            throw FileSystemError(error)
        }
        await keep(reference, forOwnerFile: id)
    }

    /// Keeps a lock for as long as an owner file is there.
    private func keep(_ reference: ItemReference, forOwnerFile id: UInt64) async {
        let isFirst = keptLocks.withLock { kept in
            guard kept.documents[id] == nil else { return false }
            kept.documents[id] = reference
            return true
        }
        guard isFirst else { return await locks.release(reference) }
        // Removed, or renamed, while the server was asked.
        let isThere = tree.withLock { tree in
            tree.nodes[id].map { $0.parent != nil && OwnerFileName.isOwnerFile($0.name) } ?? false
        }
        if !isThere { ownerFileIsGone(id) }
    }

    /// The document of the server that an owner file is made for, where its lock can be had.
    func document(
        ofOwnerFile name: String, in parent: UInt64
    ) -> (node: UInt64, ItemReference)? {
        guard isOwnerFile(name), !isServerSilent else { return nil }
        return tree.withLock { tree in
            guard tree.account?.policy.allowsLocks ?? true,
                let names = tree.nodes[parent]?.children
            else { return nil }
            let document = OwnerFileName.document(
                of: name, among: names.keys.lazy.map(\.name),
                isThere: { names[NameKey($0)] != nil })
            guard let document, let node = tree.child(of: parent, named: document),
                node.kind == .file, let reference = tree.reference(of: node.id)
            else { return nil }
            return (node.id, reference)
        }
    }

    /// A file was removed or renamed: if it was an owner file, the document's lock is given back,
    /// once its content is on the server.
    func ownerFileIsGone(_ id: UInt64) {
        guard let item = keptLocks.withLock({ $0.documents.removeValue(forKey: id) }) else {
            return
        }
        let isStillNeeded = tree.withLock { tree in
            guard let document = tree.byKey[ItemKey(item)], let node = tree.nodes[document],
                !node.holdsLock, node.isRemoved || node.working?.isSaved == false
            else { return false }
            tree.nodes[document]?.holdsLock = true
            return true
        }
        if !isStillNeeded { Task { await locks.release(item) } }
    }
}
