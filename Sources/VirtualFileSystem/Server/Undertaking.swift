import CloudStorage
import FileSystemTypes
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
    /// The server makes what is to be under the temporary name by itself, and may go on with it when
    /// nobody listens any more.
    var isCopy: Bool?
    /// Of the goals, the item uploaded for this job alone: deleted if the job is given up.
    var uploaded: Int?
    /// The item whose file has the uploaded content from then on.
    var replaced: ItemReference?
    /// Name of the file in the state's folder of contents that was uploaded.
    var uploadedFile: String?

    /// The item that the first goal's file lives on in, where that is to be deleted for it.
    var heir: ItemReference?
    /// The heir's version that was looked at; nil where it has the file's content already.
    var heirSeen: SeenVersion?
    /// The heir's version that has the file's content.
    var heirStored: SeenVersion?
    /// Of the goals, what was uploaded, and of those to be deleted, the version that was looked at.
    var seen: [SeenVersion?]?

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

/// A version of a file that this machine knows, told apart from others without regard to what a
/// mere move may change.
struct SeenVersion: Codable, Sendable, Hashable {
    var revision: String?
    var size: Int64
    var modified: FileTime?

    init?(_ server: ServerSide?) {
        guard let server, server.reference.kind == .file else { return nil }
        (revision, size, modified) = (server.revision, server.size, server.modified)
    }

    func isOther(than item: CloudItem) -> Bool {
        item.revision != revision && (item.size != size || item.modified != modified)
    }
}

/// Carrying out server changes of several calls (DESIGN section 4, rules 1 and 3).
extension VirtualFileSystem {
    /// Moves items to their goals and returns each as it is then, nil for deleted ones.
    ///
    /// One call needs no record. If the job fails for good everything is put back; if the server
    /// can't be reached the record stays, and `finishUndertakings` goes on.
    ///
    /// - Parameters:
    ///   - id: the job's first item: the record goes with the rows that the job ends with.
    ///   - earlier: a record that this one takes the place of.
    func undertake(
        _ undertaking: Undertaking, of id: UInt64, inPlaceOf earlier: RecordedUpload? = nil
    ) async throws(CloudStorageError) -> [CloudItem?] {
        let current = undertaking.origins.map { origin in
            origin.map { Convergence.Whereabouts.at($0) } ?? .deleted
        }
        let intent = try await record(undertaking, inPlaceOf: earlier)
        do throws(CloudStorageError) {
            let items = try await converge(undertaking.convergence, current: current)
            closeUndertaking(intent, undertaking, withRowsOf: id)
            return items
        } catch {
            guard error.isFinal || error.failureClass == .wait else {
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

    /// Records that content is about to be uploaded under a temporary name.
    func recordUpload(
        of name: String, to folder: ItemReference, isCopy: Bool = false
    ) async throws(CloudStorageError) -> RecordedUpload {
        var undertaking = Undertaking(convergence: Convergence(goals: []), origins: [])
        undertaking.uploadName = name
        undertaking.uploadFolder = folder
        if isCopy { undertaking.isCopy = true }
        let intent = try await record(undertaking, inPlaceOf: nil)
        return RecordedUpload(intent: intent, undertaking: undertaking)
    }

    func record(
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

    /// Ends a record whose outcome, if any, is in the state table already, or waits to be.
    func closeUndertaking(_ intent: Int64, _ undertaking: Undertaking) {
        store.enqueue([.removeIntent(intent)])
        showTemporaryNames(of: undertaking)
    }

    /// Ends a record whose outcome the running job has yet to put into its items' rows: not before
    /// these, since a crash in between would leave an outcome that nobody knows of.
    func closeUndertaking(_ intent: Int64, _ undertaking: Undertaking, withRowsOf id: UInt64) {
        ended.withLock { $0[id, default: []].append(.removeIntent(intent)) }
        showTemporaryNames(of: undertaking)
    }

    /// The ends of records and rows that a job has done with, to be written with its items' rows.
    func endRecords(of job: ReconciliationJob) -> [StateChange] {
        ended.withLock { ended in
            job.items.flatMap { ended.removeValue(forKey: $0) ?? [] }
        }
    }

    private func showTemporaryNames(of undertaking: Undertaking) {
        let names = undertaking.temporaryNames
        tree.withLock { $0.temporaryNames.subtract(names) }
    }

    func hideTemporaryNames(of undertaking: Undertaking) {
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
        TemporaryName.make(for: name, unique: options.chance.uniqueText())
    }
}

/// An upload under a temporary name that is on record.
struct RecordedUpload: Sendable {
    let intent: Int64
    let undertaking: Undertaking
}

extension Undertaking {
    var temporaryNames: [String] {
        convergence.goals.map(\.temporaryName) + (uploadName.map { [$0] } ?? [])
    }
}

extension ConvergenceStep {
    /// Which goal's item the call is about.
    var goal: Int {
        switch self {
        case .rename(let goal, _), .move(let goal, _), .relocate(let goal, _), .delete(let goal):
            goal
        }
    }

    /// Where the item is after the call.
    func result(from before: Convergence.Whereabouts) -> Convergence.Whereabouts {
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
        if work.occupant(of: NodePlace(folder: folder, name: place.name)) != nil { return true }
        guard let child = child(of: folder, named: place.name) else { return false }
        return child.server != nil && child.displaced == nil
    }
}
