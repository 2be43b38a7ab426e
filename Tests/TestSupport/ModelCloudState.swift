import CloudStorage
import FileSystemTypes

/// What a `ModelCloud` holds, and what its calls do with it.
struct ModelCloudState {
    var entries: [Int: Entry] = [:]
    var nextID = 1
    var nextRevision = 1
    var time: Int64 = 1_700_000_000
    var behaviour = Capabilities.UploadOntoName.conflict
    var addressesByPath = false
    var keepsPartialUploads = false
    var setsTimes = false
    var counts: [ModelCloud.Call: Int] = [:]
    var faults: [(call: ModelCloud.Call, skip: Int, fault: ModelCloud.Fault)] = []
    var lockedByOthers: Set<Int> = []
    var lockHolders: [Int: String] = [:]
    var ownLocks: Set<Int> = []
    var lockSeconds: [Int] = []
    var quota: StorageQuota?
    var policy = StoragePolicy()
    var permissions = ItemPermissions.all
    var isLosingAnswer = false
    var unanswered: Set<[UInt8]> = []
    var unansweredArrivals: Set<[UInt8]> = []
    var beforeListingIsMade: (@Sendable () async throws -> Void)?
    var beforeListingIsAnswered: (@Sendable () async throws -> Void)?
    var log: [(time: Int64, id: Int, isDeleted: Bool)] = []

    struct Entry {
        var id: Int
        var parent: Int
        var name: String
        var isFolder: Bool
        var content: [UInt8] = []
        var revision = 0
        var modified: Int64 = 0
    }

    mutating func takeFault(_ call: ModelCloud.Call) -> ModelCloud.Fault? {
        guard let index = faults.firstIndex(where: { $0.call == call }) else { return nil }
        if faults[index].skip > 0 {
            faults[index].skip -= 1
            return nil
        }
        return faults.remove(at: index).fault
    }

    func resolve(
        _ reference: ItemReference
    ) throws(CloudStorageError) -> Int {
        if reference.kind == .root { return 0 }
        if addressesByPath {
            guard let id = find(reference.path), let entry = entries[id],
                entry.isFolder == reference.isFolder
            else { throw CloudStorageError(.notFound, "no item \(reference.path)") }
            return id
        }
        guard let id = reference.id.flatMap(Int.init), entries[id] != nil else {
            throw CloudStorageError(.notFound, "no item \(reference.path)")
        }
        return id
    }

    func describe(
        _ id: Int
    ) throws(CloudStorageError) -> CloudItem {
        guard let entry = entries[id] else { throw CloudStorageError(.notFound, "no item") }
        return item(entry)
    }

    func item(_ entry: Entry) -> CloudItem {
        CloudItem(
            reference: ItemReference(
                root: ModelCloud.root, kind: entry.isFolder ? .folder : .file,
                id: addressesByPath ? nil : String(entry.id), path: path(entry)),
            name: entry.name, size: Int64(entry.content.count),
            revision: entry.isFolder ? nil : String(entry.revision),
            modified: entry.isFolder ? nil : FileTime(seconds: entry.modified),
            permissions: permissions, isLocked: lockedByOthers.contains(entry.id),
            lockHolder: lockHolders[entry.id])
    }

    func path(_ entry: Entry) -> String {
        (entries[entry.parent].map { path($0) } ?? "") + "/" + entry.name
    }

    func find(_ path: String) -> Int? {
        var current = 0
        for part in path.split(separator: "/") {
            guard
                let next = entries.values.first(where: {
                    $0.parent == current && $0.name.utf8.elementsEqual(part.utf8)
                })
            else { return nil }
            current = next.id
        }
        return current
    }

    func split(_ path: String) -> (parent: Int, name: String) {
        let parts = path.split(separator: "/")
        let parent = "/" + parts.dropLast().joined(separator: "/")
        return (find(parent) ?? 0, String(parts.last ?? ""))
    }

    mutating func add(
        _ name: String, _ parent: Int, isFolder: Bool
    ) -> Int {
        let id = nextID
        nextID += 1
        entries[id] = Entry(id: id, parent: parent, name: name, isFolder: isFolder)
        return id
    }

    mutating func setContent(_ content: [UInt8], of id: Int) {
        nextRevision += 1
        entries[id]?.content = content
        entries[id]?.revision = nextRevision
        entries[id]?.modified = time
        note(id, isDeleted: false)
    }

    mutating func note(_ id: Int, isDeleted: Bool) {
        time += 1
        log.append((time, id, isDeleted))
    }

    mutating func remove(_ id: Int) {
        for child in entries.values where child.parent == id { remove(child.id) }
        entries[id] = nil
        ownLocks.remove(id)
        note(id, isDeleted: true)
    }

    func checkFree(
        _ name: String, _ parent: Int
    ) throws(CloudStorageError) {
        if entries.values.contains(where: {
            $0.parent == parent && $0.name.utf8.elementsEqual(name.utf8)
        }) {
            throw CloudStorageError(.nameConflict, "\(name) is taken")
        }
    }

    func check(_ revision: String?, of id: Int) throws(CloudStorageError) {
        guard let revision, let entry = entries[id], !entry.isFolder else { return }
        if String(entry.revision) != revision {
            throw CloudStorageError(.revisionChanged, "another revision")
        }
    }

    func check(_ target: UploadTarget, _ existing: Entry?) throws(CloudStorageError) {
        switch target {
        case .anything: return
        case .nothing:
            if existing != nil { throw CloudStorageError(.nameConflict, "taken") }
        case .revision(let revision):
            guard let existing, !existing.isFolder else {
                throw CloudStorageError(.revisionChanged, "the file is no longer there")
            }
            try check(revision, of: existing.id)
        }
    }

    func checkLock(_ id: Int) throws(CloudStorageError) {
        if lockedByOthers.contains(id) { throw CloudStorageError(.locked, "locked") }
    }
}
