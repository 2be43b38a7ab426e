import CloudStorage
import FileSystemTypes
import FoundationEssentials
import Logging
import Reconciler
import StateStore
import Synchronization

/// Uploads whose answer nobody heard, of files that were removed or moved here since: what arrived
/// is not shown, and is taken off the server.
extension VirtualFileSystem {
    /// Takes up the records of an earlier run. What was removed here while it was on its way is
    /// removed on the server, if it has arrived; until then it is not shown.
    func loadSent() async throws(FileSystemError) {
        for intent in try await store.intents() where intent.kind == SentContent.intentKind {
            let sent: SentContent
            do {
                sent = try JSONDecoder().decode(SentContent.self, from: Data(intent.payload))
            } catch {
                throw FileSystemError(.inputOutput, "a recorded upload can't be read: \(error)")
            }
            sentContents.withLock {
                $0[sent.inode, default: []].append(SentRecord(intent: intent.id, sent: sent))
            }
        }
        if sentContents.withLock({ !$0.isEmpty }) { clearOrphansLater(after: 0) }
    }

    /// A server may still be at work on an upload when whoever sent it has gone.
    private static let lateSeconds = 60.0
    private static let lookSeconds = 5.0

    /// Returns whether something may still arrive. After a failure a job or a listing asks again.
    private func tryToClearOrphans() async -> Bool {
        do throws(JobFailure) {
            return try await clearOrphans()
        } catch {
            logger.info(
                "a removed file may be on the server", metadata: ["error": "\(error.error)"])
            return false
        }
    }

    /// Removes from the server what arrived there of files that were removed here before the
    /// server's answer was heard: nobody else knows them, and their names are wanted.
    ///
    /// - Parameter id: a file about to be stored; only for it a name that it has by now is cleared.
    /// - Returns: whether something may still arrive.
    @discardableResult
    func clearOrphans(before id: UInt64? = nil) async throws(JobFailure) -> Bool {
        let sent = sentContents.withLock { $0.keys.sorted() }
        var isExpected = false
        for inode in sent where isOrphan(inode) {
            let isRecorded = try await asLocalJob { () async throws(FileSystemError) in
                try await self.store.record(InodeNumber(inode)) != nil
            }
            guard !isRecorded, isOrphan(inode) else { continue }
            for record in sentContents.withLock({ $0[inode] }) ?? [] {
                let isOver: Bool
                do throws(CloudStorageError) {
                    isOver = try await clear(record, before: id)
                } catch {
                    guard error.isFinal else { throw JobFailure(error) }
                    isOver = true
                }
                if isOver { endSent(record) } else { isExpected = true }
            }
        }
        if isExpected { clearOrphansLater(after: Self.lookSeconds) }
        return isExpected
    }

    /// Looks again after a while: an upload may arrive late.
    private func clearOrphansLater(after seconds: Double) {
        guard options.synchronizesInBackground, !isClearingLater.exchange(true, ordering: .relaxed)
        else { return }
        let work = Task { [weak self] in
            defer { self?.isClearingLater.store(false, ordering: .relaxed) }
            var pause = seconds
            repeat {
                // Cancelled at the end of the mount.
                do { try await Task.sleep(for: .seconds(pause)) } catch { return }
                pause = Self.lookSeconds
            } while await self?.tryToClearOrphans() ?? false
        }
        orphanWork.withLock { $0 = work }
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

    /// Looks for an orphan's content and removes it. Returns whether that is settled.
    private func clear(
        _ record: SentRecord, before id: UInt64?
    ) async throws(CloudStorageError) -> Bool {
        let now = options.chance.monotonicSeconds()
        let sent = record.sent
        let holder = tree.withLock { $0.unsentFile(named: sent.name, in: sent.folder) }
        if let holder {
            // Only its own job knows that what is found is not its own upload, on its way.
            guard holder == id else { return false }
        } else {
            guard record.nextLook <= now else { return false }
        }
        do throws(CloudStorageError) {
            if let found = try await entry(named: sent.name, in: sent.folder) {
                guard try await isArrived(sent, as: found), try await isNobodys(found)
                else { return true }
                // A file of that name that was made since may have had it stored, in the same bytes.
                let present = tree.withLock { $0.unsentFile(named: sent.name, in: sent.folder) }
                guard present == holder else { return false }
                if let holder {
                    if try await isOurs(found, inodeNumber(of: holder)) { return true }
                    guard take(found, for: holder) else { return true }
                }
                try await deleteItem(found.reference, revision: found.revision)
                return true
            }
        } catch {
            guard error.kind == .localFile || error.kind == .notFound else { throw error }
            if error.kind == .localFile { return true }
        }
        return noteMissed(record, now: now)
    }

    /// Nothing has arrived so far. Returns whether nothing will any more.
    private func noteMissed(_ record: SentRecord, now: Double) -> Bool {
        let since = record.missedSince ?? now
        if now - since >= Self.lateSeconds { return true }
        sentContents.withLock { all in
            guard
                let index = all[record.sent.inode]?.firstIndex(where: { $0.intent == record.intent }
                )
            else { return }
            all[record.sent.inode]?[index].missedSince = since
            all[record.sent.inode]?[index].nextLook = now + Self.lookSeconds
        }
        return false
    }

    /// Whether the item is known to no file here; neither in memory, nor in the state table. What a
    /// file is known by may have come of the same upload: only what is nobody's may be removed.
    private func isNobodys(_ item: CloudItem) async throws(CloudStorageError) -> Bool {
        let key = ItemKey(item.reference)
        guard tree.withLock({ $0.byKey[key] == nil }) else { return false }
        return try await storedRecord(of: key) == nil
    }

    /// All that was sent and not answered yet.
    func unheardUploads() -> [SentContent] {
        sentContents.withLock { $0.values.flatMap { $0.map(\.sent) } }
    }

    /// A listing has names of files that are gone here: these are looked for at once.
    func lookForOrphans(named names: Set<NameKey>) {
        guard !names.isEmpty else { return }
        sentContents.withLock { all in
            for (inode, list) in all {
                for index in list.indices where names.contains(NameKey(list[index].sent.name)) {
                    all[inode]?[index].nextLook = -.infinity
                }
            }
        }
        clearOrphansLater(after: 0)
    }

    /// Removes from the server what arrived there of a file while it was to have another place.
    func clearSent(of id: UInt64, elsewhereThan place: NodePlace) async throws(JobFailure) {
        let target = tree.withLock { $0.serverPlace(at: place) }
        let inode = inodeNumber(of: id)
        let list = (sentContents.withLock { $0[inode.rawValue] } ?? []).map(\.sent)
        guard let target else { return }
        let folder = ItemKey(target.folder)
        for sent in list
        where ItemKey(sent.folder) != folder || !sent.name.hasSameBytes(as: target.name) {
            // What is found could be what the other one sends.
            if let other = keepFree(sent, for: id) {
                throw JobFailure(
                    FileSystemError(.locked, "another file takes its former name"), .after(other))
            }
            do throws(CloudStorageError) {
                try await removeStray(sent, of: id)
            } catch {
                // What can't be removed stays; the content is stored all the same.
                guard error.isFinal || error.failureClass == .wait else {
                    throw JobFailure(error)
                }
            }
        }
    }

    private func keepFree(_ sent: SentContent, for id: UInt64) -> UInt64? {
        tree.withLock { tree in
            guard let folder = tree.byKey[ItemKey(sent.folder)] else { return nil }
            let place = NodePlace(folder: folder, name: sent.name)
            return tree.work.keepFree(place, for: id)
        }
    }

    private func removeStray(
        _ sent: SentContent, of id: UInt64
    ) async throws(CloudStorageError) {
        do throws(CloudStorageError) {
            // What another file here has since stays. Of empty files all have the same bytes: only what is
            // nobody's is such a one.
            guard let found = try await entry(named: sent.name, in: sent.folder),
                try await isArrived(sent, as: found), try await isUnclaimed(found)
            else { return }
            if sent.size == 0 { guard try await isNobodys(found) else { return } }
            guard take(found, for: id) else { return }
            try await deleteItem(found.reference, revision: found.revision)
        } catch {
            guard error.kind == .localFile || error.kind == .notFound else { throw error }
        }
    }

    /// Whether an item of the server that nobody else knows is what was sent, unheard, of a file that
    /// has another place here by now.
    func isStray(_ item: CloudItem, at place: ServerPlace) async throws(CloudStorageError) -> Bool {
        let folder = ItemKey(place.folder)
        for sent in unheardUploads()
        where ItemKey(sent.folder) == folder && sent.name.hasSameBytes(as: place.name) {
            do throws(CloudStorageError) {
                if try await isArrived(sent, as: item), try await isNobodys(item) { return true }
            } catch {
                guard error.kind == .localFile else { throw error }
            }
        }
        return false
    }
}

extension Tree {
    /// The file of a name in a folder of the server that is only here so far.
    fileprivate func unsentFile(named name: String, in folder: ItemReference) -> UInt64? {
        guard let parent = byKey[ItemKey(folder)], let child = child(of: parent, named: name),
            child.kind == .file, child.server == nil
        else { return nil }
        return child.id
    }
}
