import CloudStorage
import FileSystemTypes
import LockManager
import StateStore

/// The server's locks around files that are open for writing (DESIGN section 6).
extension VirtualFileSystem {
    /// Takes the lock of a file about to be written. Throws `locked` where somebody else has it.
    func takeLock(_ id: UInt64) async throws(FileSystemError) {
        guard options.locking != .off else { return }
        let (reference, holdsLock, allowsLocks) = tree.withLock { tree in
            (
                tree.reference(of: id), tree.nodes[id]?.holdsLock ?? false,
                tree.account?.policy.allowsLocks ?? true
            )
        }
        guard let reference, !holdsLock else { return }
        guard allowsLocks, cloud.capabilities.lockSeconds != nil else {
            if options.locking == .require {
                throw FileSystemError(.accessDenied, "the account may not lock files")
            }
            return
        }
        do throws(CloudStorageError) {
            try await locks.acquire(reference)
        } catch {
            try judge(error)
            return
        }
        let isSurplus = tree.withLock { tree in
            guard tree.nodes[id]?.holdsLock == false else { return true }
            tree.nodes[id]?.holdsLock = true
            return false
        }
        if isSurplus { await locks.release(reference) }
    }

    /// Whether a refused lock lets the program go on.
    private func judge(_ error: CloudStorageError) throws(FileSystemError) {
        switch error.kind {
        case .locked, .notFound, .rootDeleted, .cancelled: throw FileSystemError(error)
        default:
            if options.locking == .require { throw FileSystemError(error) }
            logger.info("going on without the server's lock", metadata: ["error": "\(error)"])
        }
    }

    /// Gives the lock back once nobody writes the file and its content is on the server.
    func giveLockBack(_ id: UInt64) async {
        let reference: ItemReference? = tree.withLock { tree in
            guard let node = tree.nodes[id], node.holdsLock, node.writeHandles == 0,
                node.working?.isSaved ?? true
            else { return nil }
            tree.nodes[id]?.holdsLock = false
            return tree.reference(of: id)
        }
        guard let reference else { return }
        await locks.release(reference)
    }

    /// The lock of a file whose content became another item of the server goes to that item.
    func moveLock(of id: UInt64, from old: ItemReference, to new: ItemReference) async {
        guard tree.withLock({ $0.nodes[id]?.holdsLock ?? false }) else { return }
        let isStillWritten = tree.withLock { ($0.nodes[id]?.writeHandles ?? 0) > 0 }
        locks.rekey(from: old, to: nil)
        tree.withLock { $0.nodes[id]?.holdsLock = false }
        guard isStillWritten else { return }
        do throws(FileSystemError) {
            try await takeLock(id)
        } catch {
            logger.warning("the stored file could not be locked again", metadata: ["error": "\(error)"])
        }
    }
}

/// Writes the leases held into the state table, so that a crash does not leave them for ever.
final class LeaseJournal: LeaseObserver {
    private let store: StateStore

    init(store: StateStore) { self.store = store }
}
