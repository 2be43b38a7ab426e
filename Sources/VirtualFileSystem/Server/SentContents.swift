import CloudStorage
import FileSystemTypes
import FoundationEssentials
import Glibc
import Logging
import Reconciler
import StateStore
import Synchronization

/// Content that is on its way to the server, on record until the server's answer is: what is found
/// on the server after a crash or a lost answer is then known as our own.
struct SentContent: Codable, Sendable, Hashable {
    static let intentKind = "store"
    /// More are not kept of one file; the oldest goes.
    static let limit = 4

    var inode: UInt64
    /// Name of the file in the state's folder of contents.
    var file: String
    var size: Int64
    var folder: ItemReference
    var name: String
}

extension VirtualFileSystem {
    private func path(of sent: SentContent) -> String { "\(store.contentFolder)/\(sent.file)" }

    /// Records that content is about to be sent. The record stays until `forgetSent`.
    /// - Returns: whether it is new; where not, an earlier try may have arrived.
    func noteSending(
        _ content: LocalContent, of inode: InodeNumber, to place: ServerPlace
    ) async throws(JobFailure) -> Bool {
        let sent = SentContent(
            inode: inode.rawValue,
            file: content.path.lastPathComponent,
            size: content.size, folder: place.folder, name: place.name)
        let id = store.allocateIntentID()
        let old = sentContents.withLock { all -> [Int64] in
            var list = all[inode.rawValue] ?? []
            if list.contains(where: { $0.sent == sent }) { return [] }
            list.append((id, sent))
            let surplus = list.prefix(max(0, list.count - SentContent.limit)).map(\.intent)
            all[inode.rawValue] = list.suffix(SentContent.limit)
            return surplus + [-1]
        }
        guard !old.isEmpty else { return false }
        try await asLocalJob { () async throws(FileSystemError) in
            let payload: [UInt8]
            do { payload = Array(try JSONEncoder().encode(sent)) } catch {
                throw FileSystemError(.inputOutput, "can't record an upload: \(error)")
            }
            let intent = Intent(
                id: id, kind: SentContent.intentKind, payload: payload,
                createdAt: SystemClocks.now())
            let surplus = old.filter { $0 >= 0 }
            try await self.store.commit(
                [.putIntent(intent)] + surplus.map { .removeIntent($0) }, durability: .normal)
        }
        return true
    }

    /// The server's answer is known: nothing of the file is on its way any more.
    func forgetSent(_ inode: InodeNumber) -> [StateChange] {
        let list = sentContents.withLock { $0.removeValue(forKey: inode.rawValue) } ?? []
        return list.map { .removeIntent($0.intent) }
    }

    /// This content, for certain, has not reached the server.
    func forgetSent(_ inode: InodeNumber, _ contentPath: String) -> [StateChange] {
        sentContents.withLock { all in
            let list = all[inode.rawValue] ?? []
            let gone = list.filter { path(of: $0.sent) == contentPath }
            all[inode.rawValue] =
                list.count == gone.count
                ? nil : list.filter { path(of: $0.sent) != contentPath }
            return gone.map { .removeIntent($0.intent) }
        }
    }

    /// Files that must stay, since something on the server may have their content.
    func sentPaths(of inode: InodeNumber) -> Set<String> {
        sentContents.withLock { all in
            Set((all[inode.rawValue] ?? []).map { "\(store.contentFolder)/\($0.sent.file)" })
        }
    }

    /// Whether an item of the server is what was sent of a file without an answer.
    func isOurs(_ item: CloudItem, _ inode: InodeNumber) async throws(CloudStorageError) -> Bool {
        let list = sentContents.withLock { $0[inode.rawValue] } ?? []
        for (_, sent) in list.reversed() where sent.size == item.size {
            let content = LocalContent(path: path(of: sent), size: sent.size)
            do throws(CloudStorageError) {
                if try await isContent(content, equalTo: item) { return true }
            } catch {
                guard error.kind == .localFile else { throw error }
            }
        }
        return false
    }

    /// As `forgetSent`, of a file that is no more: its contents go too.
    func endSent(_ inode: InodeNumber) -> [StateChange] {
        let list = sentContents.withLock { $0.removeValue(forKey: inode.rawValue) } ?? []
        for (_, sent) in list { Glibc.unlink(path(of: sent)) }
        return list.map { .removeIntent($0.intent) }
    }

    /// Takes up the records of an earlier run. What was removed here while it was on its way is
    /// removed on the server, if it has arrived: at once where the server answers.
    func loadSent() async throws(FileSystemError) {
        for intent in try await store.intents() where intent.kind == SentContent.intentKind {
            let sent: SentContent
            do {
                sent = try JSONDecoder().decode(SentContent.self, from: Data(intent.payload))
            } catch {
                throw FileSystemError(.inputOutput, "a recorded upload can't be read: \(error)")
            }
            sentContents.withLock { $0[sent.inode, default: []].append((intent.id, sent)) }
        }
        guard sentContents.withLock({ !$0.isEmpty }) else { return }
        let work = Task {
            do throws(JobFailure) {
                try await clearOrphans()
            } catch {
                logger.info(
                    "a removed file may be on the server", metadata: ["error": "\(error.error)"])
            }
        }
        let limit = Task {
            // Cancelled when the work was done in time.
            do { try await Task.sleep(for: .seconds(Self.orphanSeconds)) } catch { return }
            work.cancel()
        }
        await work.value
        limit.cancel()
    }

    private static let orphanSeconds = 5.0

    /// Removes from the server what arrived there of files that were removed here before the
    /// server's answer was heard: nobody else knows them, and their names are wanted.
    func clearOrphans() async throws(JobFailure) {
        let sent = sentContents.withLock { $0.keys.sorted() }
        for inode in sent where isOrphan(inode) {
            let isRecorded = try await asLocalJob { () async throws(FileSystemError) in
                try await self.store.record(InodeNumber(inode)) != nil
            }
            guard !isRecorded, isOrphan(inode) else { continue }
            for item in sentContents.withLock({ $0[inode] }) ?? [] {
                do throws(CloudStorageError) {
                    try await removeOrphan(item.sent)
                } catch {
                    guard error.failureClass == .giveUp else { throw JobFailure(error) }
                }
            }
            store.enqueue(endSent(InodeNumber(inode)))
        }
    }

    /// Whether nothing here stands for the file any more.
    private func isOrphan(_ inode: UInt64) -> Bool {
        tree.withLock { tree in
            let isAlive = { (node: Node) in
                node.busy > 0 || !(node.isRemoved && node.server == nil)
            }
            if let node = tree.nodes[inode], isAlive(node) { return false }
            return !tree.nodes.values.contains { $0.inode.rawValue == inode && isAlive($0) }
        }
    }

    /// Removes from the server what arrived there of a file while it was to have another place.
    func clearSent(of id: UInt64, elsewhereThan place: NodePlace) async throws(JobFailure) {
        let target = tree.withLock { $0.serverPlace(at: place) }
        let inode = inodeNumber(of: id)
        let list = sentContents.withLock { $0[inode.rawValue] } ?? []
        guard let target else { return }
        let folder = ItemKey(target.folder)
        for (_, sent) in list
        where ItemKey(sent.folder) != folder || !sent.name.hasSameBytes(as: target.name) {
            do throws(CloudStorageError) {
                try await removeOrphan(sent, of: id)
            } catch {
                // What can't be removed stays; the content is stored all the same.
                guard error.failureClass == .giveUp || error.failureClass == .wait else {
                    throw JobFailure(error)
                }
            }
        }
    }

    /// - Parameter id: the file that it was sent of, where there is one still.
    private func removeOrphan(
        _ sent: SentContent, of id: UInt64? = nil
    ) async throws(CloudStorageError) {
        let content = LocalContent(path: path(of: sent), size: sent.size)
        do throws(CloudStorageError) {
            guard let found = try await entry(named: sent.name, in: sent.folder),
                try await isContent(content, equalTo: found)
            else { return }
            if let id {
                // What another file here has since, or everybody may have, stays.
                guard sent.size > 0, isUnclaimed(found), take(found, for: id) else { return }
            }
            try await cloud.delete(found.reference)
        } catch {
            guard error.kind == .localFile || error.kind == .notFound else { throw error }
        }
    }
}
