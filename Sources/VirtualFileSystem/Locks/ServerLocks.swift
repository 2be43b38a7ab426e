import CloudStorage
import FileSystemTypes
import FoundationEssentials
import LockManager
import Logging
import StateStore
import Synchronization

/// The server's locks around files that are open for writing (DESIGN section 6).
extension VirtualFileSystem {
    /// Takes the lock of a file about to be written. Throws `locked` where somebody else has it.
    ///
    /// - Parameter readsFirst: whether the program is likely to read before it writes.
    func takeLock(_ id: UInt64, readsFirst: Bool = false) async throws(FileSystemError) {
        guard options.locking != .off else { return try checkKnownLock(of: id) }
        for attempt in 0..<4 {
            guard let reference = try itemToLock(id) else { return }
            if readsFirst, attempt == 0 { fetchWhileLocking(id) }
            do throws(CloudStorageError) {
                try await acquire(reference)
            } catch {
                if error.kind == .locked { noteForeignLock(on: id) }
                // A save may have put another item in the place of the one that was asked for.
                let isKnownHere = error.kind == .notFound && isBeingReplaced(reference, of: id)
                if isKnownHere, attempt < 3 { continue }
                try judge(error, isKnownHere: isKnownHere)
                return try checkKnownLock(of: id)
            }
            switch tree.withLock({ $0.noteLock(of: id, on: reference) }) {
            case .first: return
            case .surplus: return await locks.release(reference)
            case .ofAnother: await locks.release(reference)
            }
        }
        if options.locking == .require {
            throw FileSystemError(.inputOutput, "it kept becoming another file on the server")
        }
    }

    /// Refuses to write, without a lock, what somebody else is known to have locked.
    private func checkKnownLock(of id: UInt64) throws(FileSystemError) {
        try tree.withLock { tree throws(FileSystemError) in
            guard let node = tree.nodes[id], node.server != nil else { return }
            try tree.checkLock(of: node)
        }
    }

    /// What the server is to lock; nil where nothing is, or can't be.
    private func itemToLock(_ id: UInt64) throws(FileSystemError) -> ItemReference? {
        let (reference, holdsLock, allowsLocks) = tree.withLock { tree in
            (
                tree.reference(of: id), tree.nodes[id].map { tree.holdsLock($0) } ?? false,
                tree.account?.policy.allowsLocks ?? true
            )
        }
        guard let reference, !holdsLock else { return nil }
        guard allowsLocks, cloud.capabilities.lockSeconds != nil else {
            if options.locking == .require {
                throw FileSystemError(.accessDenied, "the account may not lock files")
            }
            try checkKnownLock(of: id)
            noteGoingOn("there are no locks here", details: "the cloud or its policy has none")
            return nil
        }
        guard isServerSilent, options.locking == .open else { return reference }
        try checkKnownLock(of: id)
        return nil
    }

    /// Says once for each reason that files are written without locks.
    private func noteGoingOn(_ reason: String, details: String) {
        let isNew = reasonsWithoutLock.withLock { $0.insert(reason).inserted }
        logger.log(
            level: isNew ? .notice : .debug, "going on without the server's lock",
            metadata: ["reason": "\(details)"])
    }

    /// Whether the file is another item than it was, is becoming one, or has content that will make
    /// it one.
    private func isBeingReplaced(_ reference: ItemReference, of id: UInt64) -> Bool {
        tree.withLock { tree in
            guard let node = tree.nodes[id] else { return false }
            return tree.reference(of: id) != reference || node.busy > 0
                || node.working?.isSaved == false
        }
    }

    /// Waits for a lock; a server that does not answer in time counts as out of reach.
    func acquire(_ reference: ItemReference) async throws(CloudStorageError) {
        let attempt = Task { () -> CloudStorageError? in
            do throws(CloudStorageError) {
                try await self.locks.acquire(reference)
                return nil
            } catch {
                return error
            }
        }
        let limit = Task {
            // Cancelled when the answer came in time.
            do { try await Task.sleep(for: .seconds(self.options.lockAnswerSeconds)) } catch {
                return false
            }
            attempt.cancel()
            return true
        }
        let error = await attempt.value
        limit.cancel()
        guard let error else { return }
        if error.kind == .cancelled, await limit.value {
            serverIsSilent()
            throw CloudStorageError(.timedOut, "the server did not answer the request for a lock")
        }
        throw error
    }

    /// Whether a refused lock lets the program go on.
    private func judge(
        _ error: CloudStorageError, isKnownHere: Bool
    ) throws(FileSystemError) {
        switch error.kind {
        case .notFound where isKnownHere && options.locking == .open:
            logger.debug("the server is about to have the file; it is not locked")
        case .locked, .notFound, .rootDeleted, .cancelled: throw FileSystemError(error)
        default:
            if options.locking == .require { throw FileSystemError(error) }
            noteGoingOn("\(error.kind)", details: "\(error)")
        }
    }

    /// Gives the lock back once nobody writes the file and its content is on the server.
    func giveLockBack(_ id: UInt64) async {
        let reference: ItemReference? = tree.withLock { tree in
            guard let node = tree.nodes[id], node.holdsLock, !node.isBeingWritten,
                node.working?.isSaved ?? true
            else { return nil }
            tree.nodes[id]?.holdsLock = false
            return tree.reference(of: id)
        }
        guard let reference else { return }
        await locks.release(reference)
    }

    /// Takes the lock of a file that has just become an item of the server while a program writes it.
    /// Nobody waits for that.
    func lockWhileWritten(_ id: UInt64) {
        let isWritten = tree.withLock { tree in
            guard options.locking != .off, tree.nodes[id]?.isBeingWritten == true else {
                return false
            }
            tree.nodes[id]?.lockClaims += 1
            return true
        }
        guard isWritten else { return }
        Task {
            do throws(FileSystemError) {
                try await takeLock(id)
            } catch {
                // What is written is compared with what the server has by then (rule 4).
                logger.info("an open file has no lock", metadata: ["error": "\(error)"])
            }
            tree.withLock { $0.nodes[id]?.lockClaims -= 1 }
            // The last close may have come first.
            await giveLockBack(id)
            await finishClosing(id)
        }
    }

    /// The lock of a file whose content became another item of the server goes to that item.
    func moveLock(of id: UInt64, from old: ItemReference, to new: ItemReference) {
        let isKept = keptLocks.withLock { $0.move(from: old, to: new) }
        if isKept { recordLocksByHand() }
        let (holds, isStillWritten) = tree.withLock { tree in
            (tree.nodes[id]?.holdsLock ?? false, tree.nodes[id]?.isBeingWritten ?? false)
        }
        guard holds || isKept else { return }
        locks.rekey(from: old, to: isStillWritten || isKept ? new : nil)
        guard holds, !isStillWritten else { return }
        tree.withLock { $0.nodes[id]?.holdsLock = false }
        if isKept { Task { await locks.release(new) } }
    }
}

extension Tree {
    enum TakenLock {
        /// The file's only one.
        case first
        /// The file had it already.
        case surplus
        /// The file has become another item meanwhile.
        case ofAnother
    }

    /// The server has locked an item for a file.
    fileprivate mutating func noteLock(of id: UInt64, on item: ItemReference) -> TakenLock {
        guard nodes[id]?.holdsLock == false else { return .surplus }
        guard let current = reference(of: id), ItemKey(current) == ItemKey(item) else {
            return .ofAnother
        }
        nodes[id]?.holdsLock = true
        return .first
    }

    /// A file is no longer the item whose lock it may have. Returns that lock, which nobody holds
    /// from now on.
    mutating func leaveLock(of id: UInt64, on item: ItemReference) -> ItemReference? {
        guard nodes[id]?.holdsLock == true, let current = reference(of: id),
            ItemKey(current) != ItemKey(item)
        else { return nil }
        nodes[id]?.holdsLock = false
        return item
    }

    /// Whether the server holds a file's lock for this mount: one that was lost since is not held.
    func holdsLock(_ node: Node) -> Bool {
        guard node.holdsLock, let item = node.server?.reference else { return node.holdsLock }
        return !leases.isLost(item)
    }
}

/// Keeps the leases held in the state table, so that a crash does not leave them on the server.
final class LeaseJournal: LeaseObserver {
    private static let key = "leases"

    private let store: StateStore
    private struct State {
        var held: [ItemReference] = []
        /// Why a lock that is wanted is not held.
        var problems: [ItemKey: String] = [:]
        var gone: Set<ItemKey> = []
    }

    private let state = Mutex(State())

    init(store: StateStore) { self.store = store }

    func leaseChanged(_ change: LeaseChange) {
        let list = state.withLock { state in
            switch change {
            case .taken(let item):
                state.held.removeAll { ItemKey($0) == ItemKey(item) }
                state.held.append(item)
                state.problems[ItemKey(item)] = nil
            case .givenBack(let item):
                state.held.removeAll { ItemKey($0) == ItemKey(item) }
                state.problems[ItemKey(item)] = nil
            case .lost(let item, let error):
                state.held.removeAll { ItemKey($0) == ItemKey(item) }
                state.problems[ItemKey(item)] = error.message
                if error.kind == .notFound || error.kind == .rootDeleted {
                    state.gone.insert(ItemKey(item))
                }
            }
            return state.held
        }
        let text: Data
        do {
            text = try JSONEncoder().encode(list)
        } catch {
            // References hold nothing that JSON can't. Without the record a lock that a crash
            // leaves behind ends by itself, when its time is over.
            return
        }
        store.enqueue([.setValue(key: Self.key, value: String(decoding: text, as: UTF8.self))])
    }

    /// Why locks that are still wanted are gone.
    var problems: [ItemKey: String] { state.withLock { $0.problems } }

    /// Whether a lock that is still wanted is gone.
    func isLost(_ item: ItemReference) -> Bool {
        state.withLock { $0.problems[ItemKey(item)] != nil }
    }

    /// Items that the server no longer has, whose locks were lost with them since the last call.
    func takeGone() -> Set<ItemKey> {
        state.withLock { state in
            defer { state.gone = [] }
            return state.gone
        }
    }

    /// The locks an earlier run held when it ended; nil where the record of them can't be read.
    func leftOver() async throws(FileSystemError) -> [ItemReference]? {
        guard let text = try await store.value(forKey: Self.key) else { return [] }
        do {
            let left = try JSONDecoder().decode([ItemReference].self, from: Data(text.utf8))
            // On record until each is given back.
            state.withLock { state in
                let held = Set(state.held.map { ItemKey($0) })
                state.held += left.filter { !held.contains(ItemKey($0)) }
            }
            return left
        } catch {
            return nil
        }
    }
}
