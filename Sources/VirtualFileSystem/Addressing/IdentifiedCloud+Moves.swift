import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore
import Synchronization

// The calls that take items elsewhere, and what is found out about those that were not answered.
extension IdentifiedCloud {
    func relocate(
        _ item: ItemReference, to destination: RelocationTarget
    ) async throws(CloudStorageError) -> CloudItem {
        let key = try await known(item)
        var target: ItemKey?
        if let folder = destination.folder { target = try await known(folder) }
        try await resolveMoves()
        guard let from = state.withLock({ $0.table.entries[key]?.place }) else {
            throw CloudStorageError(.notFound, "the server no longer has \(item.path)")
        }
        let folder = target ?? from.folder
        let place = PathTable.Place(
            folder: folder, name: destination.name.map { NameKey($0) } ?? from.name)
        let wish = PathClaims.Wish(
            items: [from.folder, folder], exclusive: key, isPatient: true)
        return try await inTurn(wish) { () async throws(CloudStorageError) -> CloudItem in
            let record = try await record(moveOf: key, from: from, to: place)
            state.withLock { $0.begin(record) }
            defer { state.withLock { $0.end(record) } }
            let unlocked = await unlock(below: key)
            do throws(CloudStorageError) {
                let moved = try await base.relocate(
                    try baseReference(key),
                    to: RelocationTarget(
                        folder: target == nil ? nil : try baseReference(folder),
                        name: destination.name))
                let item = state.withLock { $0.arrived(record, moved) }
                await lockAgain(unlocked)
                return item
            } catch {
                await lockAgain(unlocked)
                if error.mayHaveHappened {
                    state.withLock { $0.unresolved.append(record) }
                } else {
                    try forget(record)
                }
                throw error
            }
        }
    }

    func delete(_ item: ItemReference) async throws(CloudStorageError) {
        try await delete(item, revision: nil)
    }

    func delete(_ item: ItemReference, revision: String?) async throws(CloudStorageError) {
        let key = try await known(item)
        try await resolveMoves()
        let parent = state.withLock { $0.table.entries[key]?.place.folder }
        let wish = PathClaims.Wish(
            items: parent.map { [$0] } ?? [], exclusive: key, isPatient: true)
        try await inTurn(wish) { () async throws(CloudStorageError) in
            state.withLock { _ = $0.table.departures.insert(key) }
            defer { state.withLock { _ = $0.table.departures.remove(key) } }
            try await base.delete(try baseReference(key), revision: revision)
            state.withLock { state in
                state.table.remove(key)
                state.locked[key] = nil
            }
        }
    }

    /// A move ends the locks of what is moved, but some servers (wsgidav) then leave them with the
    /// old paths, in everybody's way: they are given back before. Returns whose they were.
    private func unlock(below key: ItemKey) async -> [(key: ItemKey, seconds: Int)] {
        let locks = state.withLock { state in
            state.locked.filter { state.table.chain(of: $0.key)?.contains(key) ?? false }
                .sorted { $0.key.id < $1.key.id }
                .map { (key: $0.key, seconds: $0.value) }
        }
        for (key, _) in locks {
            do throws(CloudStorageError) { try await base.unlock(try baseReference(key)) } catch {
                // Then the move ends it, or is refused as long as it lasts.
                continue
            }
        }
        return locks
    }

    private func lockAgain(_ locks: [(key: ItemKey, seconds: Int)]) async {
        for (key, seconds) in locks {
            do throws(CloudStorageError) {
                try await base.lock(try baseReference(key), seconds: seconds)
            } catch {
                // Its holder finds out when the lock is to be renewed; until then the comparison
                // of revisions keeps what others store.
                continue
            }
        }
    }

    // MARK: Records

    private func record(
        moveOf key: ItemKey, from: PathTable.Place, to: PathTable.Place
    ) async throws(CloudStorageError) -> MoveRecord {
        let ends = state.withLock { state -> (ItemReference, ItemReference, ItemReference)? in
            guard let item = state.table.reference(to: key),
                let source = state.table.reference(to: from.folder),
                let target = state.table.reference(to: to.folder)
            else { return nil }
            return (item, source, target)
        }
        guard let (item, source, target) = ends else {
            throw CloudStorageError(.notFound, "the folder is not there")
        }
        let record = MoveRecord(
            item: item, from: .init(folder: source, name: from.name.name),
            to: .init(folder: target, name: to.name.name))
        try changeRecords { records in
            records = Array((records + [record]).suffix(MoveRecord.limit))
        }
        do throws(FileSystemError) {
            try await store.commit([], durability: .normal)
        } catch {
            throw CloudStorageError(.localFile, error.message)
        }
        return record
    }

    /// The item is where it was, for certain: a later start must not look for it elsewhere, where
    /// by then something else may be.
    private func forget(_ record: MoveRecord) throws(CloudStorageError) {
        try changeRecords { records in
            if let index = records.lastIndex(of: record) { records.remove(at: index) }
        }
    }

    /// Changes the list of records here, and later in the state table.
    private func changeRecords(
        _ change: (inout [MoveRecord]) -> Void
    ) throws(CloudStorageError) {
        do throws(FileSystemError) {
            // In the order of the lists, so that an older one never replaces a newer one.
            try state.withLock { state throws(FileSystemError) in
                change(&state.recorded)
                let text = try MoveRecord.text(of: state.recorded)
                store.enqueue([.setValue(key: MoveRecord.stateKey, value: text)])
            }
        } catch {
            throw CloudStorageError(.localFile, error.message)
        }
    }

    /// Temporary names that items were given here lately, with the names they had before.
    var temporaryNames: [String: String] {
        state.withLock { state in
            var names: [String: String] = [:]
            for record in state.recorded where TemporaryName.matches(record.to.name) {
                names[record.to.name] = names[record.from.name] ?? record.from.name
            }
            return names
        }
    }

    /// Finds out about moves whose outcome is not known, before anything else is asked.
    func resolveMoves() async throws(CloudStorageError) {
        while let record = state.withLock({ $0.unresolved.first }) {
            let wish = PathClaims.Wish(
                items: [ItemKey(record.from.folder), ItemKey(record.to.folder)],
                exclusive: record.key, isPatient: true)
            try await inTurn(wish) { () async throws(CloudStorageError) in
                guard state.withLock({ $0.unresolved.first == record }) else { return }
                let moved = try await outcome(of: record)
                state.withLock { state in
                    state.unresolved.removeFirst()
                    if let moved { _ = state.arrived(record, moved) }
                }
            }
        }
    }

    /// The item where it was to go; nil where it isn't there.
    private func outcome(of record: MoveRecord) async throws(CloudStorageError) -> CloudItem? {
        let (known, other) = state.withLock { state in
            let other = state.table.key(at: record.to.place)
            return (state.table.entries[record.key], other.flatMap { state.table.entries[$0] })
        }
        guard let known, known.place == record.from.place else { return nil }
        do throws(CloudStorageError) {
            let there = try await found(try reference(to: record.to, of: record.key))
            // A temporary name is given once, and by nobody else.
            if let there, TemporaryName.matches(record.to.name) { return there }
            // A move never replaces what is known there.
            if let there, other?.revision == nil || other?.revision != there.revision {
                let here = try await found(try reference(to: record.from, of: record.key))
                // What it holds may be a revision that nobody here has seen.
                if here == nil { return there }
                let isKnownThere = there.revision != nil && there.revision == known.revision
                if isKnownThere, here?.revision != known.revision { return there }
            }
            if TemporaryName.matches(record.to.name),
                try await found(try reference(to: record.from, of: record.key)) == nil
            {
                // Its folder may have another name: where it turns up, it is known by the record.
                return nil
            }
        } catch {
            // Where the server can't tell, nothing is known but the old place.
            guard error.isFinal else { throw error }
            return nil
        }
        try forget(record)
        return nil
    }

    private func reference(
        to end: MoveRecord.End, of key: ItemKey
    ) throws(CloudStorageError) -> ItemReference {
        let folder = try baseReference(ItemKey(end.folder))
        let prefix = folder.path == "/" ? "" : folder.path
        return ItemReference(
            root: key.root, kind: key.kind, id: PathTable.isOwn(key.id) ? nil : key.id,
            path: prefix + "/" + end.name)
    }
}

extension IdentifiedCloud.State {
    fileprivate mutating func begin(_ record: MoveRecord) {
        table.arrivals[record.to.place] = record.key
        table.departures.insert(record.key)
    }

    fileprivate mutating func end(_ record: MoveRecord) {
        if table.arrivals[record.to.place] == record.key { table.arrivals[record.to.place] = nil }
        table.departures.remove(record.key)
    }

    /// The item is at its new place, under the name the server has given it there.
    fileprivate mutating func arrived(_ record: MoveRecord, _ moved: CloudItem) -> CloudItem {
        table.arrivals[record.to.place] = nil
        var item = moved
        let key = record.key
        let name = PathTable.lastName(of: moved.reference.path) ?? NameKey(moved.name)
        table.put(key, at: PathTable.Place(folder: record.to.place.folder, name: name))
        table.describe(key, revision: moved.revision, size: moved.size)
        item.reference.id = key.id
        return item
    }
}
