import CloudStorage
import StateStore
import Synchronization

/// A look into folders before they are deleted with all that is in them (rule 4).
extension VirtualFileSystem {
    /// Folders looked into at a time.
    private static let checksAtOnce = 8

    /// Refuses to delete folders with entries that were not removed here.
    /// - Parameter removed: all that is to go, files among it.
    func checkContents(of removed: [UInt64]) async throws(CloudStorageError) {
        let all = Set(removed)
        let folders = tree.withLock { tree in
            removed.filter { tree.nodes[$0]?.isFolder == true && tree.reference(of: $0) != nil }
        }
        let failure = await withTaskGroup(of: CloudStorageError?.self) { group in
            var waiting = folders[...]
            var failure: CloudStorageError?
            for folder in waiting.prefix(Self.checksAtOnce) {
                waiting.removeFirst()
                group.addTask { await self.objection(to: folder, all) }
            }
            while let objection = await group.next() {
                failure = failure ?? objection
                guard failure == nil, let next = waiting.popFirst() else { continue }
                group.addTask { await self.objection(to: next, all) }
            }
            return failure
        }
        if let failure { throw failure }
    }

    /// Why a folder may not be deleted; nil where it may.
    private func objection(to id: UInt64, _ removed: Set<UInt64>) async -> CloudStorageError? {
        do throws(CloudStorageError) {
            try await checkContents(of: id, removed)
            return nil
        } catch {
            return error
        }
    }

    private func checkContents(
        of id: UInt64, _ removed: Set<UInt64>
    ) async throws(CloudStorageError) {
        let (node, reference) = tree.withLock { ($0.nodes[id], $0.reference(of: id)) }
        guard let node, let reference else { return }
        let listing = try await cloud.list(reference, validator: node.validator)
        let other = CloudStorageError(
            .revisionChanged, "another client has put something into \(node.name)")
        guard case .entries(let items, _, _) = listing else {
            // A listing since the removal may have shown something there.
            guard tree.withLock({ $0.nodes[id]?.children?.isEmpty ?? false }) else { throw other }
            return
        }
        for item in items {
            let child = tree.withLock { tree -> (id: UInt64, isUnchanged: Bool)? in
                guard let child = tree.byKey[ItemKey(item.reference)],
                    let known = tree.nodes[child], known.isRemoved, removed.contains(child)
                else { return nil }
                return (
                    child, item.reference.isFolder || known.server?.revision == item.revision
                )
            }
            guard let child else { throw other }
            if child.isUnchanged { continue }
            guard try await isTimeOnly(item, of: child.id) else { throw other }
        }
    }
}
