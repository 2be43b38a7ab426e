import CloudStorage
import FileSystemTypes
import StateStore
import Synchronization

/// A path-addressed cloud as one whose items have ids that stay over renames and moves, which the
/// reconciler, the cache and the state table count on.
///
/// An item is known by the place where it was last seen. Our own moves carry it along, with all
/// below it; what another client moves is gone here, and new there. Paths are made at the moment of
/// the call, and no folder is moved while a call with a path below it is under way.
final class IdentifiedCloud: CloudStorage {
    typealias Turn = CheckedContinuation<PathClaims.Ticket, Never>

    struct State {
        var table: PathTable
        var claims = PathClaims()
        var turns: [PathClaims.Ticket: Turn] = [:]
        /// Moves whose outcome is not known, the oldest first.
        var unresolved: [MoveRecord] = []
        /// The latest moves, the oldest first, whatever became of them.
        var recorded: [MoveRecord] = []
        /// Items whose lock this account holds, which a move ends, and the seconds it was asked for.
        var locked: [ItemKey: Int] = [:]
        /// Folders with files that only the state table knows, each as of when that came about.
        var incomplete: [ItemKey: UInt64] = [:]
        var lastIncomplete: UInt64 = 0
    }

    let base: any CloudStorage
    let store: StateStore
    let state: Mutex<State>

    /// - Parameter uniqueText: what ids are made of.
    init(
        _ base: any CloudStorage, store: StateStore, uniqueText: @escaping @Sendable () -> String
    ) {
        self.base = base
        self.store = store
        state = Mutex(State(table: PathTable(uniqueText: uniqueText)))
    }

    var capabilities: Capabilities { base.capabilities }

    /// Takes up what an earlier run knew of items and moves. Asks no server.
    func load() async throws(FileSystemError) {
        let items = try await store.serverFolders()
        let text = try await store.value(forKey: MoveRecord.stateKey)
        let records = try text.map { text throws(FileSystemError) in
            try MoveRecord.list(in: text)
        }
        state.withLock { state in
            state.table.takeUp { $0.fill(items) }
            for item in items where item.reference.kind != .file {
                state.markIncomplete(ItemKey(item.reference))
            }
            state.recorded = records ?? []
        }
        for record in records ?? [] {
            for folder in [record.from.folder, record.to.folder] {
                try await completeFromTable(ItemKey(folder))
            }
        }
        state.withLock { state in
            // What became of a move is known where the item was moved again.
            var latest: [ItemKey: Int] = [:]
            for (index, record) in state.recorded.enumerated() { latest[record.key] = index }
            state.unresolved = latest.values.sorted().map { state.recorded[$0] }.filter { record in
                state.table.entries[record.key]?.place == record.from.place
            }
        }
    }

    // MARK: Items

    /// The key of an item, once all is known of the folder it is in, and, of a folder, of what is
    /// in it.
    func known(_ reference: ItemReference) async throws(CloudStorageError) -> ItemKey {
        try await takeBack(ItemKey(reference))
        let key = try key(of: reference)
        if let folder = state.withLock({ $0.table.entries[key]?.place.folder }) {
            try await complete(folder)
        }
        if key.kind != .file { try await complete(key) }
        return key
    }

    /// Has the table know an item, where the state table does.
    func takeBack(_ key: ItemKey) async throws(CloudStorageError) {
        guard key.kind != .root, state.withLock({ $0.table.entries[key] == nil }) else { return }
        let folder: ItemKey?
        do throws(FileSystemError) {
            folder = try await store.serverFolder(of: key)
        } catch {
            throw CloudStorageError(.localFile, error.message)
        }
        if let folder { try await complete(folder) }
    }

    /// Has the table know all that the state table knows of a folder.
    func complete(_ folder: ItemKey) async throws(CloudStorageError) {
        do throws(FileSystemError) { try await completeFromTable(folder) } catch {
            throw CloudStorageError(.localFile, error.message)
        }
    }

    private func completeFromTable(_ folder: ItemKey) async throws(FileSystemError) {
        guard let mark = state.withLock({ $0.incomplete[folder] }) else { return }
        let items = try await store.serverItems(in: folder)
        state.withLock { state in
            guard state.incomplete[folder] == mark else { return }
            state.incomplete[folder] = nil
            state.table.add(items, to: folder)
        }
    }

    /// Items, and their folders, of moves whose outcome is not known.
    var itemsOnTheirWay: Set<ItemKey> {
        state.withLock { state in
            Set(
                state.unresolved.flatMap {
                    [$0.key, ItemKey($0.from.folder), ItemKey($0.to.folder)]
                })
        }
    }

    /// Files of a folder leave memory: the state table knows them.
    func unload(_ files: [ItemKey], of folder: ItemKey) {
        state.withLock { state in
            guard state.unresolved.isEmpty, !files.isEmpty else { return }
            state.markIncomplete(folder)
            for key in files
            where state.locked[key] == nil && !state.table.departures.contains(key) {
                state.table.unload(key)
            }
        }
    }

    private func key(of reference: ItemReference) throws(CloudStorageError) -> ItemKey {
        if reference.kind == .root { return ItemKey(reference) }
        let key = ItemKey(reference)
        // An id that was made here, and is no longer known, is that of an item that is gone: what
        // its path leads to now is another one.
        let isOwn = reference.id.map { PathTable.isOwn($0) } ?? false
        let known = state.withLock { state -> ItemKey? in
            if state.table.entries[key] != nil { return key }
            return isOwn ? nil : state.table.register(reference)
        }
        guard let known else {
            throw CloudStorageError(.notFound, "the server no longer has \(reference.path)")
        }
        return known
    }

    /// What the cloud below is told of an item: its path as it is now, and the server's own id.
    func baseReference(_ key: ItemKey) throws(CloudStorageError) -> ItemReference {
        guard var reference = state.withLock({ $0.table.reference(to: key) }) else {
            throw CloudStorageError(.notFound, "the server no longer has the item")
        }
        if let id = reference.id, PathTable.isOwn(id) { reference.id = nil }
        return reference
    }

    /// The folder an item is in, and the name it has there; nil where it is not known.
    func placement(of item: ItemReference) -> (folder: ItemReference, name: String)? {
        state.withLock { state in
            guard let place = state.table.entries[ItemKey(item)]?.place,
                let folder = state.table.reference(to: place.folder)
            else { return nil }
            return (folder, place.name.name)
        }
    }

    // MARK: Turns

    /// Makes a call while nothing it counts on is moved.
    func inTurn<Value: Sendable, Failure: Error>(
        _ wish: PathClaims.Wish, _ call: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let ticket = await enter(wish)
        defer { leave(ticket) }
        return try await call()
    }

    private func enter(_ wish: PathClaims.Wish) async -> PathClaims.Ticket {
        await withCheckedContinuation { (turn: Turn) in
            let next = state.withLock { state in
                state.turns[state.claims.enter(wish)] = turn
                return state.admitted()
            }
            for (ticket, turn) in next { turn.resume(returning: ticket) }
        }
    }

    private func leave(_ ticket: PathClaims.Ticket) {
        let next = state.withLock { state in
            state.claims.leave(ticket)
            return state.admitted()
        }
        for (ticket, turn) in next { turn.resume(returning: ticket) }
    }
}

extension IdentifiedCloud.State {
    fileprivate mutating func markIncomplete(_ folder: ItemKey) {
        lastIncomplete += 1
        incomplete[folder] = lastIncomplete
    }

    /// Those whose turn it is now.
    fileprivate mutating func admitted() -> [(PathClaims.Ticket, IdentifiedCloud.Turn)] {
        let table = table
        return claims.admit { table.chain(of: $0) ?? [$0] }.compactMap { ticket in
            turns.removeValue(forKey: ticket).map { (ticket, $0) }
        }
    }
}

extension PathTable {
    /// Adds what the state table knows of a folder, but for what is known better.
    fileprivate mutating func add(_ items: [StoredServerItem], to folder: ItemKey) {
        for item in items where item.reference.id != nil {
            let key = ItemKey(item.reference)
            guard let name = Self.lastName(of: item.reference.path), entries[key] == nil else {
                continue
            }
            let place = Place(folder: folder, name: name)
            if self.key(at: place) == nil {
                takeBack(key, at: place, revision: item.revision, size: item.size)
            }
        }
    }

    /// Takes up what the state table knows; the items' folders by the numbers of their rows.
    fileprivate mutating func fill(_ items: [StoredServerItem]) {
        var keys: [InodeNumber: ItemKey] = [:]
        keys.reserveCapacity(items.count)
        for item in items { keys[item.inode] = ItemKey(item.reference) }
        for item in items where item.reference.kind != .root && item.reference.id != nil {
            let key = ItemKey(item.reference)
            let isTop = item.inode == item.folder
            if !isTop, let folder = keys[item.folder], folder.kind != .file,
                let name = Self.lastName(of: item.reference.path)
            {
                put(key, at: Place(folder: folder, name: name))
            } else {
                _ = register(item.reference)
            }
            describe(key, revision: item.revision, size: item.size)
        }
    }
}
