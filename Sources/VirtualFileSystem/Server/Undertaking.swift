import CloudStorage
package import FileSystemTypes
import FoundationEssentials
import Reconciler
import StateStore
import Synchronization

/// A change of the server that takes several calls, as it stands in the state table before the
/// first of them, so that a crash between any two leaves the job to be finished.
struct Undertaking: Codable, Sendable {
    static let intentKind = "converge"

    var convergence: Convergence
    /// Where the items were at first, to put them back if the job can't be done.
    var origins: [Placement?]
    /// A temporary name under which content is uploaded first; nil where all items exist.
    var uploadName: String?
    var uploadFolder: ItemReference?

    /// Throws only for values that no JSON can hold, which these never have.
    func payload() throws(FileSystemError) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(self))
        } catch {
            throw FileSystemError(.inputOutput, "can't record a server change: \(error)")
        }
    }

    init(convergence: Convergence, origins: [Placement?]) {
        self.convergence = convergence
        self.origins = origins
    }

    init(payload: [UInt8]) throws(FileSystemError) {
        do {
            self = try JSONDecoder().decode(Undertaking.self, from: Data(payload))
        } catch {
            throw FileSystemError(.inputOutput, "a recorded server change can't be read: \(error)")
        }
    }
}

/// Carrying out server changes of several calls (DESIGN section 4, rules 1 and 3).
extension VirtualFileSystem {
    /// Moves items to their goals and returns each as it is then, nil for deleted ones.
    ///
    /// One call needs no record. If the job fails for good everything is put back; if the server
    /// can't be reached the record stays, and `finishUndertakings` goes on.
    ///
    /// - Parameter earlier: a record that this one takes the place of.
    func undertake(
        _ undertaking: Undertaking, inPlaceOf earlier: RecordedUpload? = nil
    ) async throws(CloudStorageError) -> [CloudItem?] {
        let current = undertaking.origins.map { origin in
            origin.map { Convergence.Whereabouts.at($0) } ?? .deleted
        }
        let intent = try await record(undertaking, inPlaceOf: earlier)
        do throws(CloudStorageError) {
            let items = try await converge(undertaking.convergence, current: current)
            closeUndertaking(intent, undertaking)
            return items
        } catch {
            guard error.failureClass == .giveUp || error.failureClass == .wait else {
                unfinished.withLock { $0[intent] = undertaking }
                throw error
            }
            do throws(CloudStorageError) {
                try await putBack(undertaking, intent: intent)
            } catch {
                unfinished.withLock { $0[intent] = undertaking }
                throw error
            }
            throw error
        }
    }

    /// Makes the calls one by one until every goal is reached.
    private func converge(
        _ convergence: Convergence, current start: [Convergence.Whereabouts]
    ) async throws(CloudStorageError) -> [CloudItem?] {
        var current = start
        var items: [CloudItem?] = convergence.goals.map { _ in nil }
        var calls = 0
        while let step = convergence.nextStep(
            current: current, relocatesInOneCall: cloud.capabilities.relocatesInOneCall,
            isTaken: { place in tree.withLock { $0.isTaken(place) } })
        {
            calls += 1
            guard calls < 32 else {
                throw CloudStorageError(.invalidAnswer, "the server's names keep changing")
            }
            let goal = step.goal
            let reference = items[goal]?.reference ?? convergence.goals[goal].item
            do throws(CloudStorageError) {
                items[goal] = try await carryOut(step, on: reference)
                current[goal] = step.result(from: current[goal])
            } catch {
                guard error.mayHaveHappened || error.kind == .notFound else { throw error }
                (items[goal], current[goal]) = try await inspect(reference)
            }
        }
        return items
    }

    private func carryOut(
        _ step: ConvergenceStep, on item: ItemReference
    ) async throws(CloudStorageError) -> CloudItem? {
        switch step {
        case .rename(_, let name):
            return try await cloud.relocate(item, to: RelocationTarget(name: name))
        case .move(_, let folder):
            return try await cloud.relocate(
                item, to: RelocationTarget(folder: ItemReference(folder)))
        case .relocate(_, let place):
            return try await cloud.relocate(
                item, to: RelocationTarget(folder: ItemReference(place.folder), name: place.name))
        case .delete:
            try await cloud.delete(item)
            return nil
        }
    }

    /// Where an item is on the server now.
    private func inspect(
        _ reference: ItemReference
    ) async throws(CloudStorageError) -> (CloudItem?, Convergence.Whereabouts) {
        let item: CloudItem
        do throws(CloudStorageError) {
            item = try await cloud.item(reference)
        } catch {
            guard error.kind == .notFound else { throw error }
            return (nil, .deleted)
        }
        return (item, .at(try await placement(of: item)))
    }

    /// The folder and name an item's path says it has.
    private func placement(of item: CloudItem) async throws(CloudStorageError) -> Placement {
        let path = item.reference.path
        let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let root = item.reference.root
        if parent.isEmpty {
            return Placement(folder: FolderKey(root: root, id: nil), name: item.name)
        }
        var folder = ItemReference.top(of: root)
        for part in parent.split(separator: "/") {
            guard let next = try await entry(named: String(part), in: folder) else {
                throw CloudStorageError(.notFound, "the folder of \(item.name) is gone")
            }
            folder = next.reference
        }
        return Placement(folder: FolderKey(folder), name: item.name)
    }

    /// Undoes what a failed undertaking did; what can't go back gets a conflict name.
    private func putBack(
        _ undertaking: Undertaking, intent: Int64
    ) async throws(CloudStorageError) {
        var current: [Convergence.Whereabouts] = []
        for goal in undertaking.convergence.goals { current.append(try await inspect(goal.item).1) }
        let goals = zip(undertaking.convergence.goals, zip(undertaking.origins, current)).map {
            goal, places in
            var goal = goal
            goal.place = places.1 == .deleted ? nil : places.0
            return goal
        }
        do throws(CloudStorageError) {
            _ = try await converge(Convergence(goals: goals), current: current)
        } catch {
            guard error.kind == .nameConflict else { throw error }
            try await giveConflictNames(goals)
        }
        closeUndertaking(intent, undertaking)
    }

    /// Gives items that still have a temporary name one that a person recognises.
    private func giveConflictNames(_ goals: [Goal]) async throws(CloudStorageError) {
        for goal in goals {
            guard case .at(let place) = try await inspect(goal.item).1,
                TemporaryName.matches(place.name), let wanted = goal.place?.name
            else { continue }
            let name = ConflictName.make(
                for: wanted, host: options.hostName, date: SystemClocks.nameStamp(), attempt: 1)
            _ = try await cloud.relocate(goal.item, to: RelocationTarget(name: name))
        }
    }

    /// Goes on with what an earlier failure left half done; throws where it still can't be done.
    package func finishUndertakings() async throws(FileSystemError) {
        guard unfinished.withLock({ !$0.isEmpty }) else { return }
        let result: Result<Void, FileSystemError> = await gate.enter([0]) {
            do throws(FileSystemError) {
                for (intent, undertaking) in unfinished.withLock({ $0 }) {
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

    /// Takes up the records of an earlier run.
    func loadUndertakings() async throws(FileSystemError) {
        for intent in try await store.intents() where intent.kind == Undertaking.intentKind {
            let undertaking = try Undertaking(payload: intent.payload)
            hideTemporaryNames(of: undertaking)
            unfinished.withLock { $0[intent.id] = undertaking }
        }
    }

    private func finish(
        _ undertaking: Undertaking, intent: Int64
    ) async throws(CloudStorageError) {
        if let name = undertaking.uploadName, let folder = undertaking.uploadFolder {
            // The upload may have arrived; its content is still here and will be sent again.
            if let left = try await entry(named: name, in: folder) {
                try await cloud.delete(left.reference)
            }
            closeUndertaking(intent, undertaking)
            return
        }
        var current: [Convergence.Whereabouts] = []
        for goal in undertaking.convergence.goals { current.append(try await inspect(goal.item).1) }
        let origins = undertaking.origins.map { origin in
            origin.map { Convergence.Whereabouts.at($0) } ?? .deleted
        }
        // Nothing was done yet, and whoever asked for it was told that it failed.
        let isUntouched = current == origins && undertaking.convergence.goals.count > 0
        if isUntouched, !undertaking.convergence.goals.allSatisfy({ $0.place == nil }) {
            closeUndertaking(intent, undertaking)
            return
        }
        do throws(CloudStorageError) {
            _ = try await converge(undertaking.convergence, current: current)
            closeUndertaking(intent, undertaking)
        } catch {
            guard error.failureClass == .giveUp else { throw error }
            try await putBack(undertaking, intent: intent)
        }
    }

    /// Records that content is about to be uploaded under a temporary name.
    func recordUpload(
        of name: String, to folder: ItemReference
    ) async throws(CloudStorageError) -> RecordedUpload {
        var undertaking = Undertaking(convergence: Convergence(goals: []), origins: [])
        undertaking.uploadName = name
        undertaking.uploadFolder = folder
        let intent = try await record(undertaking, inPlaceOf: nil)
        return RecordedUpload(intent: intent, undertaking: undertaking)
    }

    private func record(
        _ undertaking: Undertaking, inPlaceOf earlier: RecordedUpload?
    ) async throws(CloudStorageError) -> Int64 {
        let intent = Intent(
            id: store.allocateIntentID(), kind: Undertaking.intentKind,
            payload: try local { () throws(FileSystemError) in try undertaking.payload() },
            createdAt: SystemClocks.now())
        var changes: [StateChange] = [.putIntent(intent)]
        if let earlier { changes.append(.removeIntent(earlier.intent)) }
        hideTemporaryNames(of: undertaking)
        let recorded = changes
        try await localAsync { () throws(FileSystemError) in
            try await self.store.commit(recorded, durability: .normal)
        }
        return intent.id
    }

    func closeUndertaking(_ intent: Int64, _ undertaking: Undertaking) {
        store.enqueue([.removeIntent(intent)])
        let names = undertaking.temporaryNames
        tree.withLock { $0.temporaryNames.subtract(names) }
    }

    private func hideTemporaryNames(of undertaking: Undertaking) {
        let names = undertaking.temporaryNames
        tree.withLock { $0.temporaryNames.formUnion(names) }
    }

    /// A failure of the local state, as the cloud's callers know failures.
    func local<Value>(
        _ body: () throws(FileSystemError) -> Value
    ) throws(CloudStorageError) -> Value {
        do throws(FileSystemError) {
            return try body()
        } catch {
            throw CloudStorageError(.localFile, error.message)
        }
    }

    func localAsync<Value: Sendable>(
        _ body: () async throws(FileSystemError) -> Value
    ) async throws(CloudStorageError) -> Value {
        do throws(FileSystemError) {
            return try await body()
        } catch {
            throw CloudStorageError(.localFile, error.message)
        }
    }

    /// A temporary name for an item of that name.
    func temporaryName(for name: String) -> String {
        let unique = String(UInt64.random(in: .min ... .max), radix: 36)
        return TemporaryName.make(for: name, unique: unique)
    }
}

/// An upload under a temporary name that is on record.
struct RecordedUpload: Sendable {
    let intent: Int64
    let undertaking: Undertaking
}

extension Undertaking {
    fileprivate var temporaryNames: [String] {
        convergence.goals.map(\.temporaryName) + (uploadName.map { [$0] } ?? [])
    }
}

extension ConvergenceStep {
    /// Which goal's item the call is about.
    fileprivate var goal: Int {
        switch self {
        case .rename(let goal, _), .move(let goal, _), .relocate(let goal, _), .delete(let goal):
            goal
        }
    }

    /// Where the item is after the call.
    fileprivate func result(from before: Convergence.Whereabouts) -> Convergence.Whereabouts {
        guard case .at(var place) = before else { return before }
        switch self {
        case .rename(_, let name): place.name = name
        case .move(_, let folder): place.folder = folder
        case .relocate(_, let target): place = target
        case .delete: return .deleted
        }
        return .at(place)
    }
}

extension ItemReference {
    /// The folder a key stands for.
    init(_ key: FolderKey) {
        if let id = key.id {
            self.init(root: key.root, kind: .folder, id: id, path: id)
        } else {
            self = .top(of: key.root)
        }
    }
}

extension Tree {
    /// Whether a known item has a place. What another client put there is found out by the server.
    func isTaken(_ place: Placement) -> Bool {
        guard let folder = byKey[ItemKey(ItemReference(place.folder))] else { return false }
        guard let child = child(of: folder, named: place.name) else { return false }
        return child.server != nil
    }
}
