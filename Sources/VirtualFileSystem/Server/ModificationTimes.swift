import BlockCache
import CloudStorage
import FileSystemTypes
import FoundationEssentials
import Logging
import Reconciler
import StateStore
import Synchronization

/// The modification time that a program gave a file after the server had its content, on record
/// until the server has it too.
struct UnsentTime: Codable, Sendable, Hashable {
    static let intentKind = "time"

    var inode: UInt64
    /// Since 1970: servers keep whole seconds.
    var seconds: Int64
    /// The time that the server was asked to give it, and may have, unheard; perhaps an earlier one.
    var asked: Int64?
}

/// Sending modification times by themselves, to clouds that keep them. A time that is set before
/// the content has gone goes along with that.
extension VirtualFileSystem {
    /// What an upload of a file's content says of its time; nil where the cloud keeps none.
    func timeToSend(of id: UInt64) -> FileTime? {
        guard cloud.capabilities.setsModificationTime else { return nil }
        return tree.withLock { tree in tree.nodes[id].map { tree.modified(of: $0) } }
    }

    /// A program has set a file's time. Returns what is to be on record of it.
    func noteTime(of id: UInt64) -> [StateChange] {
        tree.withLock { tree in
            tree.noteLocalChange(of: id)
            tree.compare(id)
        }
        return timeRecord(of: id)
    }

    /// What is to be on record of a file's time, as things stand.
    func timeRecord(of id: UInt64) -> [StateChange] {
        let (inode, time, asked) = tree.withLock { tree in
            (
                tree.nodes[id]?.inode, tree.nodes[id].flatMap { tree.timeToRecord(of: $0) },
                tree.nodes[id]?.askedTime
            )
        }
        guard let inode else { return [] }
        guard let time else { return forgetTimeRecord(of: inode) }
        let intent = timeIntents.withLock { intents in
            let intent = intents[inode.rawValue] ?? store.allocateIntentID()
            intents[inode.rawValue] = intent
            return intent
        }
        do {
            let unsent = UnsentTime(
                inode: inode.rawValue, seconds: time.seconds, asked: asked)
            return [
                .putIntent(
                    Intent(
                        id: intent, kind: UnsentTime.intentKind,
                        payload: Array(try JSONEncoder().encode(unsent)),
                        createdAt: SystemClocks.now()))
            ]
        } catch {
            logger.error("can't record a time", metadata: ["error": "\(error)"])
            return []
        }
    }

    private func forgetTimeRecord(of inode: InodeNumber) -> [StateChange] {
        let intent = timeIntents.withLock { $0.removeValue(forKey: inode.rawValue) }
        return intent.map { [.removeIntent($0)] } ?? []
    }

    /// Takes up the records of an earlier run.
    func loadTimes() async throws(FileSystemError) {
        for intent in try await store.intents() where intent.kind == UnsentTime.intentKind {
            let unsent: UnsentTime
            do {
                unsent = try JSONDecoder().decode(UnsentTime.self, from: Data(intent.payload))
            } catch {
                throw FileSystemError(.inputOutput, "a recorded time can't be read: \(error)")
            }
            guard let record = try await store.record(InodeNumber(unsent.inode)),
                record.server != nil
            else {
                store.enqueue([.removeIntent(intent.id)])
                continue
            }
            if !record.isRemoved { try await restoreAncestors(of: record.parent) }
            timeIntents.withLock { $0[unsent.inode] = intent.id }
            tree.withLock { tree in
                tree.nodes[unsent.inode]?.askedTime = unsent.asked
                tree.nodes[unsent.inode]?.isTimeUnsent =
                    record.overlay.modified?.seconds == unsent.seconds
                tree.compare(unsent.inode)
            }
        }
    }

    /// Gives the server's file the time that this machine's has.
    func sendTime(of id: UInt64) async throws(JobFailure) {
        let plan = tree.withLock { tree -> (ServerSide, ItemReference, FileTime, Int64?)? in
            guard let node = tree.nodes[id], let server = node.server,
                let reference = tree.reference(of: id), let time = tree.unsentTime(of: node)
            else { return nil }
            return (server, reference, time, node.askedTime)
        }
        guard let (server, reference, time, asked) = plan, let revision = server.revision else {
            return giveUpTime(of: id)
        }
        if asked != nil, try await isTimeSettled(of: id, reference, revision) { return }
        tree.withLock { $0.nodes[id]?.askedTime = time.seconds }
        // On record before anything goes: after a crash the new revision is known as our own.
        try await asLocalJob { () async throws(FileSystemError) in
            try await self.store.commit(self.timeRecord(of: id), durability: .normal)
        }
        let item: CloudItem
        do throws(CloudStorageError) {
            item = try await cloud.setModificationTime(time, of: reference, revision: revision)
        } catch {
            guard let done = try await timeSet(of: id, reference, after: error) else {
                return giveUpTime(of: id)
            }
            item = done
        }
        noteTimeSet(of: id, item, insteadOf: server)
    }

    /// The server has the time, under a revision of its own.
    private func noteTimeSet(of id: UInt64, _ item: CloudItem, insteadOf old: ServerSide) {
        cache.rename(old.contentKey, to: ServerSide(item).contentKey)
        let changes = tree.withLock { tree in
            // Another client's change may have been seen meanwhile.
            guard tree.nodes[id]?.server?.revision == old.revision else {
                return [] as [StateChange]
            }
            return tree.acknowledgeTime(of: id, item)
        }
        store.enqueue(changes + timeRecord(of: id))
    }

    /// The server was asked before, and its answer was not heard. Returns whether it has another
    /// version by now, which is then taken for what it is; a later time goes with the next job.
    private func isTimeSettled(
        of id: UInt64, _ reference: ItemReference, _ revision: String
    ) async throws(JobFailure) -> Bool {
        do throws(CloudStorageError) {
            let current = try await cloud.item(reference)
            guard current.revision != revision else { return false }
            let old = tree.withLock { $0.nodes[id]?.server }
            if let old, try await isTimeOnly(current, of: id) {
                noteTimeSet(of: id, current, insteadOf: old)
                return true
            }
        } catch {
            guard error.kind == .notFound else { throw JobFailure(error) }
        }
        lookAtFolder(of: id)
        giveUpTime(of: id)
        return true
    }

    /// What became of a call that failed: the file, where it has the time all the same; nil where
    /// the time is not to be sent any more.
    private func timeSet(
        of id: UInt64, _ reference: ItemReference, after error: CloudStorageError
    ) async throws(JobFailure) -> CloudItem? {
        guard error.kind == .revisionChanged || error.mayHaveHappened else {
            if error.failureClass != .giveUp || error.kind == .cancelled {
                throw JobFailure(error)
            }
            logger.info(
                "the server keeps its own time of a file", metadata: ["error": "\(error)"])
            if error.kind == .notFound { lookAtFolder(of: id) }
            return nil
        }
        let current: CloudItem
        do throws(CloudStorageError) {
            current = try await cloud.item(reference)
        } catch {
            guard error.kind == .notFound else { throw JobFailure(error) }
            lookAtFolder(of: id)
            return nil
        }
        do throws(CloudStorageError) {
            if try await isTimeOnly(current, of: id) { return current }
        } catch {
            throw JobFailure(error)
        }
        guard error.kind == .revisionChanged else { throw JobFailure(error) }
        // The time was that of a content which is no longer there.
        lookAtFolder(of: id)
        return nil
    }

    /// Whether an item is what the server has of a node, under the time that it was asked to give it:
    /// it looks like that, and has the bytes that the cache holds. What is not all in the cache counts
    /// as another client's.
    func isTimeOnly(
        _ item: CloudItem, of id: UInt64
    ) async throws(CloudStorageError) -> Bool {
        let known = tree.withLock { tree in
            tree.mayBeTimeOnly(item, of: id) ? tree.nodes[id]?.server : nil
        }
        guard let known else { return false }
        return try await isCached(known, as: item)
    }

    private func lookAtFolder(of id: UInt64) {
        let folder = tree.withLock { tree in tree.nodes[id].flatMap { tree.home(of: $0)?.folder } }
        if let folder { refreshLater(folder) }
    }

    private func giveUpTime(of id: UInt64) {
        tree.withLock { tree in
            tree.nodes[id]?.isTimeUnsent = false
            tree.nodes[id]?.askedTime = nil
        }
        store.enqueue(timeRecord(of: id))
    }
}

extension Tree {
    /// The time that a program gave a file and that the server, which has its content, has not.
    func unsentTime(of node: Node) -> FileTime? {
        guard node.isTimeUnsent, node.kind == .file, !node.isRemoved, node.working?.isSaved ?? true,
            let server = node.server, server.revision != nil,
            node.overlay.revision == server.revision, let time = node.overlay.modified,
            time.seconds != server.modified?.seconds
        else { return nil }
        return time
    }

    /// As above, and also that of a content which is still to be sent: a crash may lose the content of
    /// an open file, and keep its time.
    func timeToRecord(of node: Node) -> FileTime? {
        guard node.isTimeUnsent, node.kind == .file, !node.isRemoved, let server = node.server,
            let time = node.overlay.modified, time.seconds != server.modified?.seconds
        else { return nil }
        return time
    }

    /// Whether an item may be what the server has of a node, with the time that it was asked to give
    /// it: another client's version of that size and second looks the same.
    func mayBeTimeOnly(_ item: CloudItem, of id: UInt64) -> Bool {
        guard let node = nodes[id], let server = node.server, let asked = node.askedTime else {
            return false
        }
        return item.reference.kind == .file && item.modified?.seconds == asked
            && item.size == server.size
    }

    /// The server has a node's content under another time, and a revision that stands for both.
    mutating func acknowledgeTime(of id: UInt64, _ item: CloudItem) -> [StateChange] {
        guard let node = nodes[id], let old = node.server, let home = home(of: node) else {
            return []
        }
        let pagesAreCurrent = node.pagesOf == node.contentVersion
        if node.overlay.revision == old.revision { nodes[id]?.overlay.revision = item.revision }
        acknowledge(id, ServerSide(item), at: home)
        let version = nodes[id]?.contentVersion
        if pagesAreCurrent { nodes[id]?.pagesOf = version }
        noteServerTime(of: id)
        compare(id)
        return recordChanges(of: [id])
    }

    /// The server's answer says which time it has.
    mutating func noteServerTime(of id: UInt64) {
        guard let node = nodes[id] else { return }
        nodes[id]?.askedTime = nil
        if node.overlay.modified?.seconds == node.server?.modified?.seconds {
            nodes[id]?.isTimeUnsent = false
        }
    }
}
