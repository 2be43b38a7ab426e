import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import Reconciler
import StateStore
import Synchronization

/// Copies of files that the server makes.
extension VirtualFileSystem {
    /// Seconds before each look for a copy whose answer was lost: large ones take their time, and
    /// what stands between may not have the patience.
    private static let pausesBeforeLooks: [Double] = [0.5, 1, 2, 4, 8, 15, 15, 15]
    /// So many looks in vain for want of a connection are enough.
    private static let failedLooks = 3

    /// Has the server copy a file that is not on this machine. When this answers true, the server has
    /// the whole copy, and the target is a file of the server, with nothing of it here. It is made
    /// under a temporary name that is on record, so that no crash leaves a part of it.
    func copyOnServer(
        _ plan: CopyPlan, _ request: CopyRequest
    ) async throws(FileSystemError) -> Bool {
        guard !isServerSilent, await hasFolder(plan.folder) else { return false }
        let result: Result<Bool, FileSystemError> = await gate.enter([plan.source, plan.target]) {
            // It may have changed before its turn came.
            guard let plan = copyPlan(for: request), !plan.isHere, let goal = beginCopy(plan) else {
                return .success(false)
            }
            defer { endCopy(plan) }
            do throws(FileSystemError) {
                return .success(try await copy(plan, to: goal))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Whether the server has a folder, where it is new here once it has been made.
    private func hasFolder(_ id: UInt64) async -> Bool {
        if tree.withLock({ $0.reference(of: id) != nil }) { return true }
        do throws(FileSystemError) {
            try await settle([id])
        } catch {
            return false
        }
        return tree.withLock { $0.reference(of: id) != nil }
    }

    /// Where a copy is to go and what it is made from.
    private struct CopyGoal: Sendable {
        var place: NodePlace
        var target: ServerPlace
        var source: ItemReference
        var inode: InodeNumber
    }

    private func beginCopy(_ plan: CopyPlan) -> CopyGoal? {
        tree.withLock { tree -> CopyGoal? in
            guard let node = tree.nodes[plan.target], let place = tree.goal(of: node),
                let target = tree.serverPlace(at: place),
                let source = tree.reference(of: plan.source)
            else { return nil }
            tree.nodes[plan.target]?.busy += 1
            return CopyGoal(place: place, target: target, source: source, inode: node.inode)
        }
    }

    private func endCopy(_ plan: CopyPlan) {
        tree.withLock { tree in
            tree.nodes[plan.target]?.busy -= 1
            tree.stamp(plan.target)
            tree.compare(plan.target)
        }
        wake()
    }

    private func copy(
        _ plan: CopyPlan, to goal: CopyGoal
    ) async throws(FileSystemError) -> Bool {
        let (item, upload): (CloudItem, RecordedUpload)
        do throws(CloudStorageError) {
            (item, upload) = try await copyAside(plan, to: goal)
        } catch {
            logger.info("the server does not copy a file", metadata: ["error": "\(error)"])
            return false
        }
        guard let changes = try await take(item, as: plan, at: goal) else {
            await removeLeftover(item.reference, upload)
            return false
        }
        plan.working.discard()
        try await store.commit(changes, durability: .normal)
        closeUndertaking(upload.intent, upload.undertaking)
        return true
    }

    /// Makes the copy under a temporary name, and gives it its own when it is whole.
    private func copyAside(
        _ plan: CopyPlan, to goal: CopyGoal
    ) async throws(CloudStorageError) -> (CloudItem, RecordedUpload) {
        let name = temporaryName(for: goal.target.name)
        let upload = try await recordUpload(of: name, to: goal.target.folder, isCopy: true)
        let copy: CloudItem
        do throws(CloudStorageError) {
            copy = try await cloud.copy(
                goal.source, revision: plan.revision, to: goal.target.folder, name: name)
        } catch {
            guard error.mayHaveHappened else {
                closeUndertaking(upload.intent, upload.undertaking)
                throw error
            }
            guard let found = await lookForCopy(plan, named: name, goal) else {
                expectLateCopy(upload.undertaking, intent: upload.intent)
                throw error
            }
            copy = found
        }
        do throws(CloudStorageError) {
            guard copy.size == plan.size, copy.revision != nil else {
                throw CloudStorageError(.invalidAnswer, "the copy is not as long as the file")
            }
            return (try await rename(copy, to: goal.target.name), upload)
        } catch {
            await removeLeftover(copy.reference, upload)
            throw error
        }
    }

    /// A copy whose answer was lost, once it is whole: nobody else knows its name.
    private func lookForCopy(
        _ plan: CopyPlan, named name: String, _ goal: CopyGoal
    ) async -> CloudItem? {
        var failures = 0
        for pause in Self.pausesBeforeLooks {
            // Cancelled at the end of the mount.
            do { try await Task.sleep(for: .seconds(pause)) } catch { return nil }
            do throws(CloudStorageError) {
                guard let copy = try await entry(named: name, in: goal.target.folder),
                    copy.size == plan.size
                else { continue }
                return try await cloud.item(goal.source).revision == plan.revision ? copy : nil
            } catch {
                failures += 1
                guard error.failureClass == .retry, failures < Self.failedLooks else { return nil }
            }
        }
        return nil
    }

    /// The target becomes the server's copy. Returns its rows; nil where it has changed meanwhile.
    private func take(
        _ item: CloudItem, as plan: CopyPlan, at goal: CopyGoal
    ) async throws(FileSystemError) -> [StateChange]? {
        let server = ServerSide(item)
        let base = try cachedContent(for: server, reference: item.reference)
        let working = try await newWorkingCopy(of: goal.inode, base: base)
        let now = SystemClocks.now()
        let changes = tree.withLock { tree -> [StateChange]? in
            guard let node = tree.nodes[plan.target], node.parent != nil, !node.isRemoved,
                node.server == nil, node.working === plan.working,
                plan.working.generation == plan.generation
            else { return nil }
            tree.acknowledge(plan.target, server, at: goal.place)
            tree.nodes[plan.target]?.working = working
            tree.nodes[plan.target]?.copied = CopiedContent(
                plan, in: working, generation: working.generation)
            tree.nodes[plan.target]?.overlay.revision = server.revision
            tree.nodes[plan.target]?.overlay.modified = now
            tree.nodes[plan.target]?.overlay.changed = now
            tree.bytesSinceAccount += plan.size
            tree.compare(plan.target)
            return tree.recordChanges(of: [plan.target])
        }
        if changes == nil { working.discard() }
        return changes
    }

    /// Has the server copy what a new file was copied from, in place of an upload. Nil where it has
    /// to be uploaded; throws where the server may hold the copy, or the name is taken.
    func copyInstead(
        of content: LocalContent, for id: UInt64, to place: ServerPlace
    ) async throws(CloudStorageError) -> CloudItem? {
        let known = tree.withLock { tree -> (ItemReference, String)? in
            guard let node = tree.nodes[id], let copied = node.copied else { return nil }
            // It is tried once.
            tree.nodes[id]?.copied = nil
            guard copied.isContent(of: node.working), copied.size == content.size,
                let source = tree.byKey[copied.source],
                tree.nodes[source]?.server?.revision == copied.revision,
                let reference = tree.reference(of: source)
            else { return nil }
            return (reference, copied.revision)
        }
        guard let (source, revision) = known, cloud.capabilities.copiesOnServer else { return nil }
        do throws(CloudStorageError) {
            return try await cloud.copy(
                source, revision: revision, to: place.folder, name: place.name)
        } catch {
            guard error.mayHaveHappened || error.kind == .nameConflict else { return nil }
            throw error
        }
    }
}
