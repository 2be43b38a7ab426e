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

    /// Whether the same was sent to the same place, whatever path that had.
    func isSame(as other: SentContent) -> Bool {
        inode == other.inode && file == other.file && size == other.size
            && ItemKey(folder) == ItemKey(other.folder) && name.hasSameBytes(as: other.name)
    }

    /// Whether an item may be what was sent, by its size alone.
    /// - Parameter inPart: whether the server keeps the beginning of an upload that was cut off.
    func canBe(_ item: CloudItem, inPart: Bool) -> Bool {
        item.reference.kind == .file && (size == item.size || inPart && size > item.size)
    }
}

/// What was sent, as it is on record.
struct SentRecord: Sendable {
    var intent: Int64
    var sent: SentContent
    /// When it was first looked for in vain after its file was removed here; seconds of the clock
    /// that knows no date.
    var missedSince: Double?
    /// Not looked for again before.
    var nextLook = -Double.infinity
}

extension VirtualFileSystem {
    func path(of sent: SentContent) -> String { "\(store.contentFolder)/\(sent.file)" }

    /// Records that content is about to be sent. The record stays until `forgetSent`.
    /// - Returns: whether it is sent for the first time; where not, an earlier try may have arrived,
    ///   wherever it was sent to.
    func noteSending(
        _ content: LocalContent, of inode: InodeNumber, to place: ServerPlace
    ) async throws(JobFailure) -> Bool {
        let sent = SentContent(
            inode: inode.rawValue,
            file: content.path.lastPathComponent,
            size: content.size, folder: place.folder, name: place.name)
        let id = store.allocateIntentID()
        let (surplus, isFirst) = sentContents.withLock { all -> ([Int64]?, Bool) in
            var list = all[inode.rawValue] ?? []
            if list.contains(where: { $0.sent.isSame(as: sent) }) { return (nil, false) }
            let isFirst = !list.contains { $0.sent.file == sent.file }
            list.append(SentRecord(intent: id, sent: sent))
            let surplus = list.prefix(max(0, list.count - SentContent.limit)).map(\.intent)
            all[inode.rawValue] = list.suffix(SentContent.limit)
            return (surplus, isFirst)
        }
        guard let surplus else { return isFirst }
        try await asLocalJob { () async throws(FileSystemError) in
            try await self.store.commit(
                [try self.intent(id, sent)] + surplus.map { .removeIntent($0) },
                durability: .normal)
        }
        return isFirst
    }

    private func intent(
        _ id: Int64, _ sent: SentContent
    ) throws(FileSystemError) -> StateChange {
        do {
            return .putIntent(
                Intent(
                    id: id, kind: SentContent.intentKind,
                    payload: Array(try JSONEncoder().encode(sent)), createdAt: SystemClocks.now()))
        } catch {
            throw FileSystemError(.inputOutput, "can't record an upload: \(error)")
        }
    }

    /// The item of a removed file becomes another file's: what was sent to it counts as that one's.
    func inheritSent(
        from old: InodeNumber, to new: InodeNumber
    ) throws(FileSystemError) -> [StateChange] {
        let moved = sentContents.withLock { all -> [SentRecord] in
            let moved = (all.removeValue(forKey: old.rawValue) ?? []).map { record in
                var record = record
                record.sent.inode = new.rawValue
                return record
            }
            if !moved.isEmpty { all[new.rawValue, default: []].append(contentsOf: moved) }
            return moved
        }
        var changes: [StateChange] = []
        for record in moved { changes.append(try intent(record.intent, record.sent)) }
        return changes
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
        for sent in list.reversed().map(\.sent) {
            do throws(CloudStorageError) {
                if try await isArrived(sent, as: item) { return true }
            } catch {
                guard error.kind == .localFile else { throw error }
            }
        }
        return false
    }

    /// Whether an item has what was sent, or, where servers keep that, the part of it that arrived
    /// before the connection ended: nothing of it is lost with it.
    func isArrived(
        _ sent: SentContent, as item: CloudItem
    ) async throws(CloudStorageError) -> Bool {
        guard sent.canBe(item, inPart: cloud.capabilities.keepsPartialUploads) else { return false }
        return try await isContent(
            LocalContent(path: path(of: sent), size: item.size), equalTo: item)
    }

    /// It is known what became of one upload of a file that is no more.
    func endSent(_ record: SentRecord) {
        let isLast = sentContents.withLock { all in
            all[record.sent.inode]?.removeAll { $0.intent == record.intent }
            if all[record.sent.inode]?.isEmpty == true { all[record.sent.inode] = nil }
            return all[record.sent.inode]?.contains { $0.sent.file == record.sent.file } != true
        }
        if isLast { Glibc.unlink(path(of: record.sent)) }
        store.enqueue([.removeIntent(record.intent)])
    }

    /// As `forgetSent`, of a file that is no more: its contents go too.
    func endSent(_ inode: InodeNumber) -> [StateChange] {
        let list = sentContents.withLock { $0.removeValue(forKey: inode.rawValue) } ?? []
        for record in list { Glibc.unlink(path(of: record.sent)) }
        return list.map { .removeIntent($0.intent) }
    }
}
