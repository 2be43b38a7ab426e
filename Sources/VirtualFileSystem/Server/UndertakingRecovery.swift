import BlockCache
import CloudStorage
package import FileSystemTypes
import Logging
import Reconciler
import StateStore
import Synchronization

/// Ending what a failure or a crash left half done: forward where it can be, else back.
extension VirtualFileSystem {
    /// Goes on with what an earlier failure left half done; throws where it still can't be done.
    package func finishUndertakings() async throws(FileSystemError) {
        do throws(JobFailure) { try await clearOrphans() } catch { throw error.error }
        guard unfinished.withLock({ !$0.isEmpty }) else { return }
        let result: Result<Void, FileSystemError> = await gate.enter([0]) {
            do throws(FileSystemError) {
                for (intent, undertaking) in unfinished.withLock({ $0 }).sorted(by: {
                    $0.key < $1.key
                }) {
                    try await ask { () async throws(CloudStorageError) in
                        try await self.finish(undertaking, intent: intent)
                    }
                    _ = unfinished.withLock { $0.removeValue(forKey: intent) }
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// As `finishUndertakings`; what still can't be ended waits for the next time, since it must
    /// not keep other files from being stored.
    func tryToFinishUndertakings() async {
        do throws(FileSystemError) {
            try await finishUndertakings()
        } catch {
            logger.warning(
                "a change of the server is still half done", metadata: ["error": "\(error)"])
        }
    }

    /// Ends what is half done with the items, before something else is begun with them; throws
    /// where that can't be done now.
    func settleUndertakings(of ids: [UInt64]) async throws(JobFailure) {
        let items = tree.withLock { tree in
            Set(ids.compactMap { tree.nodes[$0]?.server.map { ItemKey($0.reference) } })
        }
        guard isHalfDone(items) else { return }
        await tryToFinishUndertakings()
        guard isHalfDone(items) else { return }
        throw JobFailure(
            FileSystemError(.inputOutput, "an earlier change of it is still half done"),
            .retry(after: nil))
    }

    private func isHalfDone(_ items: Set<ItemKey>) -> Bool {
        unfinished.withLock { unfinished in
            unfinished.values.contains { undertaking in
                let goals = undertaking.convergence.goals.map(\.item)
                return (goals + [undertaking.heir].compactMap(\.self)).contains {
                    items.contains(ItemKey($0))
                }
            }
        }
    }

    /// Takes up the records of an earlier run.
    func loadUndertakings() async throws(FileSystemError) {
        for intent in try await store.intents() where intent.kind == Undertaking.intentKind {
            let undertaking = try Undertaking(payload: intent.payload)
            hideTemporaryNames(of: undertaking)
            if undertaking.isCopy == true {
                expectLateCopy(undertaking, intent: intent.id)
            } else {
                unfinished.withLock { $0[intent.id] = undertaking }
            }
        }
    }

    func finish(
        _ undertaking: Undertaking, intent: Int64
    ) async throws(CloudStorageError) {
        if let name = undertaking.uploadName, let folder = undertaking.uploadFolder {
            // The upload may have arrived; its content is still here and will be sent again.
            do throws(CloudStorageError) {
                if let left = try await entry(named: name, in: folder) {
                    try await deleteItem(left.reference)
                }
            } catch {
                // Gone with its folder.
                guard error.kind == .notFound else { throw error }
            }
            closeUndertaking(intent, undertaking)
            return
        }
        var current: [Convergence.Whereabouts] = []
        var found: [CloudItem?] = []
        var isOutdated = false
        for (index, goal) in undertaking.convergence.goals.enumerated() {
            let (item, whereabouts) = try await inspect(goal.item)
            current.append(whereabouts)
            found.append(item)
            if goal.place == nil, let item, let seen = undertaking.seen?[index] {
                isOutdated = isOutdated || seen.isOther(than: item)
            }
        }
        // What was to be deleted has become something this machine has not seen (rule 4).
        if isOutdated { return try await putBack(undertaking, intent: intent) }
        let origins = undertaking.origins.map { origin in
            origin.map { Convergence.Whereabouts.at($0) } ?? .deleted
        }
        // Nothing was done yet, and whoever asked for it was told that it failed.
        let isUntouched = current == origins && undertaking.convergence.goals.count > 0
        if isUntouched, !undertaking.convergence.goals.allSatisfy({ $0.place == nil }) {
            return try await abandon(undertaking, intent: intent)
        }
        do throws(CloudStorageError) {
            let items = try await converge(
                undertaking.convergence, current: current, found: found)
            try await acknowledge(undertaking, items)
            closeUndertaking(intent, undertaking)
        } catch {
            guard error.isFinal else { throw error }
            try await putBack(undertaking, intent: intent)
        }
    }

    /// Undoes what a failed undertaking did; what can't go back gets a conflict name.
    func putBack(
        _ undertaking: Undertaking, intent: Int64
    ) async throws(CloudStorageError) {
        var current: [Convergence.Whereabouts] = []
        var found: [CloudItem?] = []
        for goal in undertaking.convergence.goals {
            let (item, whereabouts) = try await inspect(goal.item)
            current.append(whereabouts)
            found.append(item)
        }
        let goals = zip(undertaking.convergence.goals, zip(undertaking.origins, current)).map {
            goal, places in
            var goal = goal
            goal.place = places.1 == .deleted ? nil : places.0
            return goal
        }
        do throws(CloudStorageError) {
            let items = try await converge(
                Convergence(goals: goals), current: current, found: found)
            acknowledgePlaces(goals, items)
        } catch {
            // Another client has the name, or has deleted the folder.
            guard error.kind == .nameConflict || error.kind == .notFound else { throw error }
            try await giveConflictNames(goals)
        }
        try await abandon(undertaking, intent: intent)
    }

    /// Ends a job that was given up: what was uploaded for it goes.
    func abandon(
        _ undertaking: Undertaking, intent: Int64
    ) async throws(CloudStorageError) {
        if let uploaded = undertaking.uploaded {
            do throws(CloudStorageError) {
                try await deleteItem(undertaking.convergence.goals[uploaded].item)
            } catch {
                guard error.kind == .notFound else { throw error }
            }
        }
        closeUndertaking(intent, undertaking)
    }

    /// Gives items that still have a temporary name one that a person recognises.
    func giveConflictNames(_ goals: [Goal]) async throws(CloudStorageError) {
        for goal in goals {
            guard case .at(let place) = try await inspect(goal.item).1,
                TemporaryName.matches(place.name), let wanted = goal.place?.name
            else { continue }
            let name = ConflictName.make(
                for: wanted, host: options.hostName, date: options.chance.nameStamp(), attempt: 1)
            _ = try await cloud.relocate(goal.item, to: RelocationTarget(name: name))
        }
    }

    /// A file has become the next version of the one it has replaced, as `replaceAsRevision` does.
    private func acknowledge(
        heir: ItemReference, of undertaking: Undertaking
    ) async throws(CloudStorageError) {
        guard let file = undertaking.convergence.goals.first?.item else { return }
        let item = try await inspect(heir).0
        var replaced: InodeNumber?
        var passed: (from: ServerSide, to: ServerSide)?
        let (changes, gone) = tree.withLock { tree -> ([StateChange], UInt64?) in
            guard let id = tree.byKey[ItemKey(file)], let removed = tree.byKey[ItemKey(heir)],
                let old = tree.nodes[removed], old.isRemoved, let home = tree.home(of: old)
            else { return ([], nil) }
            tree.recordDeparture(of: file)
            tree.acknowledge(removed, nil)
            tree.compare(removed)
            replaced = old.inode
            var changes = [tree.removal(of: old)]
            tree.dropIfUnused(removed)
            guard let item else { return (changes, id) }
            var server = ServerSide(item)
            if let seen = undertaking.heirSeen {
                (server.revision, server.size) = (seen.revision, seen.size)
                tree.nodes[id]?.working?.markUnsaved()
            } else {
                if let stored = undertaking.heirStored {
                    // What is done here meanwhile is based on what was stored (rule 4); what else
                    // the server has by now a listing shows.
                    (server.revision, server.size) = (stored.revision, stored.size)
                    server.modified = stored.modified
                    if let old = tree.nodes[id]?.server,
                        undertaking.seen?.first == SeenVersion(old)
                    {
                        passed = (old, server)
                    }
                }
                if tree.nodes[id]?.overlay.revision == tree.nodes[id]?.server?.revision {
                    tree.nodes[id]?.overlay.revision = server.revision
                }
            }
            tree.acknowledge(id, server, at: home)
            tree.compare(id)
            changes += tree.recordChanges(of: [id])
            return (changes, nil)
        }
        if let passed { cache.rename(passed.from.contentKey, to: passed.to.contentKey) }
        store.enqueue(changes + (replaced.map { endSent($0) } ?? []))
        if let gone { forgetGone(gone) }
    }

    /// The generation of a file's content that an item of the server has, if it has that.
    private func contentOnServer(
        of file: ItemReference, _ item: CloudItem?
    ) async throws(CloudStorageError) -> UInt64? {
        let working = tree.withLock { tree in
            tree.byKey[ItemKey(file)].flatMap { tree.nodes[$0]?.working }
        }
        guard let item, let working, !working.isSaved, working.isComplete else { return nil }
        let generation = working.generation
        let content = LocalContent(path: working.path, size: working.size)
        do throws(CloudStorageError) {
            return try await isContent(content, equalTo: item) ? generation : nil
        } catch {
            guard error.kind == .localFile else { throw error }
            return nil
        }
    }

    /// The generation of a file's content that was uploaded from a file of this machine, if it has
    /// not been changed since.
    private func generation(of working: WorkingCopy?, uploadedFrom file: String?) -> UInt64? {
        guard let working, let file, !working.isSaved else { return nil }
        let generation = working.generation
        let path = "\(store.contentFolder)/\(file)"
        // Larger ones are changed in place, which a restart does not tell.
        guard let kept = working.kept, kept.path == path, working.path == path,
            kept.generation == generation, kept.size <= WorkingCopy.largestCopy
        else { return nil }
        return generation
    }

    /// A file lives on in the item that was uploaded for it. What another client has stored there
    /// since is none that this machine has seen (rule 4).
    private func acknowledgeUpload(
        _ undertaking: Undertaking, _ items: [CloudItem?]
    ) async throws(CloudStorageError) {
        guard let uploaded = undertaking.uploaded, let replaced = undertaking.replaced,
            let file = tree.withLock({ tree in
                tree.byKey[ItemKey(replaced)].flatMap { tree.nodes[$0] }
            })
        else { return }
        var current = items[uploaded]
        if current == nil {
            current = try await cloud.item(undertaking.convergence.goals[uploaded].item)
        }
        guard let item = current else { return }
        var server = ServerSide(item)
        let saved: UInt64?
        let sent = undertaking.seen?[uploaded]
        var isSent = sent.map { $0.revision == item.revision } ?? false
        if !isSent { isSent = try await isOurs(item, file.inode) }
        if isSent {
            saved = try await contentOnServer(of: replaced, item)
        } else {
            server.revision = sent?.revision
            server.size = sent?.size ?? item.size
            saved = generation(of: file.working, uploadedFrom: undertaking.uploadedFile)
        }
        let known = server
        tree.withLock { tree in
            guard let node = tree.byKey[ItemKey(replaced)] else { return }
            tree.acknowledge(node, known)
            if let saved { tree.nodes[node]?.working?.markSaved(saved) }
            tree.compare(node)
            tree.recordDeparture(of: replaced)
            if let record = tree.record(of: node) { store.enqueue([.put(record)]) }
        }
    }

    /// Takes over what a job that was finished later has changed.
    func acknowledge(
        _ undertaking: Undertaking, _ items: [CloudItem?]
    ) async throws(CloudStorageError) {
        try await acknowledgeUpload(undertaking, items)
        if let heir = undertaking.heir { try await acknowledge(heir: heir, of: undertaking) }
        let stored = undertaking.uploaded.map { undertaking.convergence.goals[$0].item }
        if let node = tree.withLock({ tree in stored.flatMap { tree.byKey[ItemKey($0)] } }),
            tree.withLock({ $0.nodes[node]?.busy == 0 && $0.nodes[node]?.working?.isSaved == true })
        {
            await retireWorkingCopy(of: node)
        }
        acknowledgePlaces(undertaking.convergence.goals, items)
        let places =
            undertaking.convergence.goals.compactMap(\.place)
            + undertaking.origins.compactMap { $0 }
        let folders = tree.withLock { tree in
            Set(places.compactMap { tree.byKey[ItemKey(ItemReference($0.folder))] })
        }
        for folder in folders.sorted() { refreshLater(folder) }
    }

    /// The items are at their goals, or gone: what comes next starts from there.
    private func acknowledgePlaces(_ goals: [Goal], _ items: [CloudItem?]) {
        var gone: [UInt64] = []
        let changes = tree.withLock { tree -> [StateChange] in
            var changes: [StateChange] = []
            for (goal, item) in zip(goals, items) {
                guard let place = goal.place, let id = tree.byKey[ItemKey(goal.item)] else {
                    continue
                }
                guard var item else {
                    gone.append(id)
                    continue
                }
                if let seen = SeenVersion(tree.nodes[id]?.server), seen.isOther(than: item) {
                    // What another client has stored meanwhile a listing shows.
                    (item.revision, item.size) = (seen.revision, seen.size)
                    item.modified = seen.modified
                }
                guard let folder = tree.byKey[ItemKey(ItemReference(place.folder))] else {
                    continue
                }
                tree.acknowledgeMove(of: id, item, at: NodePlace(folder: folder, name: place.name))
                tree.compare(id)
                changes += tree.recordChanges(of: [id])
            }
            return changes
        }
        store.enqueue(changes)
        for id in gone { forgetGone(id) }
    }
}
