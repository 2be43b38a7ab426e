package import CloudStorage
package import FileSystemTypes
import FoundationEssentials
import Synchronization

/// A cloud in memory that behaves as API v2 does, or, where it addresses its items by path, as a
/// WebDAV server: names are unique in a folder, nothing is ever replaced by a rename, deletes are
/// recursive.
///
/// Every call can be made to fail, before or after its work was done.
package final class ModelCloud: CloudStorage {
    /// One call of the seam, for counting and for faults.
    package enum Call: String, Sendable, CaseIterable {
        case account, list, item, download, upload, createFolder, relocate, delete, lock, unlock
        case changes
    }

    /// What goes wrong with a call.
    package enum Fault: Sendable {
        /// Nothing was done.
        case before(CloudStorageError.Kind)
        /// The work was done, the answer lost.
        case answerLost
    }

    private struct Entry {
        var id: Int
        var parent: Int
        var name: String
        var isFolder: Bool
        var content: [UInt8] = []
        var revision = 0
        var modified: Int64 = 0
    }

    private struct State {
        var entries: [Int: Entry] = [:]
        var nextID = 1
        var nextRevision = 1
        var time: Int64 = 1_700_000_000
        var behaviour = Capabilities.UploadOntoName.conflict
        var addressesByPath = false
        var counts: [Call: Int] = [:]
        var faults: [(call: Call, skip: Int, fault: Fault)] = []
        var lockedByOthers: Set<Int> = []
        var ownLocks: Set<Int> = []
        var quota: StorageQuota?
        var policy = StoragePolicy()
        var permissions = ItemPermissions.all
        var isLosingAnswer = false
        var unanswered: Set<[UInt8]> = []
        var log: [(time: Int64, id: Int, isDeleted: Bool)] = []
    }

    package static let root = RootIdentifier("1")

    private let state = Mutex(State())

    package init(behaviour: Capabilities.UploadOntoName = .conflict) {
        state.withLock { $0.behaviour = behaviour }
    }

    /// A cloud without ids: items are found by path, and uploads checked against what they replace.
    package static func addressingByPath() -> ModelCloud {
        let cloud = ModelCloud(behaviour: .revision)
        cloud.state.withLock { $0.addressesByPath = true }
        return cloud
    }

    // MARK: What tests change and look at

    /// Makes the call after the next `skip` calls of its kind fail once.
    package func fail(_ call: Call, skip: Int = 0, _ fault: Fault) {
        state.withLock { $0.faults.append((call, skip, fault)) }
    }

    package func removeFaults() { state.withLock { $0.faults.removeAll() } }

    package func count(of call: Call) -> Int { state.withLock { $0.counts[call] ?? 0 } }

    package func totalCount() -> Int { state.withLock { $0.counts.values.reduce(0, +) } }

    package func resetCounts() { state.withLock { $0.counts.removeAll() } }

    package func set(quota: StorageQuota?, policy: StoragePolicy = StoragePolicy()) {
        state.withLock { state in
            state.quota = quota
            state.policy = policy
        }
    }

    package func set(permissions: ItemPermissions) {
        state.withLock { $0.permissions = permissions }
    }

    /// Another client locks, or unlocks, a path.
    package func setForeignLock(_ isLocked: Bool, on path: String) {
        state.withLock { state in
            guard let id = Self.find(path, state) else { return }
            if isLocked { state.lockedByOthers.insert(id) } else { state.lockedByOthers.remove(id) }
        }
    }

    package var ownLockCount: Int { state.withLock { $0.ownLocks.count } }

    /// Paths with their contents, folders as nil.
    package func snapshot() -> [String: [UInt8]?] {
        state.withLock { state in
            var result: [String: [UInt8]?] = [:]
            for entry in state.entries.values {
                result[Self.path(entry, state)] = entry.isFolder ? .some(nil) : entry.content
            }
            return result
        }
    }

    package func content(at path: String) -> [UInt8]? {
        state.withLock { state in Self.find(path, state).flatMap { state.entries[$0]?.content } }
    }

    package func content(of item: CloudItem) -> [UInt8]? {
        state.withLock { state in
            let id =
                state.addressesByPath
                ? Self.find(item.reference.path, state) : item.reference.id.flatMap(Int.init)
            return id.flatMap { state.entries[$0]?.content }
        }
    }

    package func id(at path: String) -> String? {
        state.withLock { state in Self.find(path, state).map(String.init) }
    }

    /// Another client stores content: a new file, or the next revision of an existing one.
    package func storeByOther(_ content: [UInt8], at path: String) {
        state.withLock { state in
            if let id = Self.find(path, state) {
                Self.setContent(content, of: id, &state)
                return
            }
            let (parent, name) = Self.split(path, state)
            let id = Self.add(name, parent, isFolder: false, &state)
            Self.setContent(content, of: id, &state)
        }
    }

    package func makeFolderByOther(at path: String) {
        state.withLock { state in
            let (parent, name) = Self.split(path, state)
            _ = Self.add(name, parent, isFolder: true, &state)
        }
    }

    package func deleteByOther(at path: String) {
        state.withLock { state in
            if let id = Self.find(path, state) { Self.remove(id, &state) }
        }
    }

    package func renameByOther(from path: String, to name: String) {
        state.withLock { state in
            guard let id = Self.find(path, state) else { return }
            state.entries[id]?.name = name
            Self.note(id, isDeleted: false, &state)
        }
    }

    /// Contents of uploads that were done although their answer was lost.
    package var unansweredContents: Set<[UInt8]> { state.withLock { $0.unanswered } }

    /// Notes that nobody heard of an upload of a content.
    package func noteUnanswered(_ content: [UInt8]) {
        state.withLock { _ = $0.unanswered.insert(content) }
    }

    // MARK: CloudStorage

    package var capabilities: Capabilities {
        let isByPath = state.withLock { $0.addressesByPath }
        var capabilities = Capabilities(
            supportsRanges: true, uploadOntoName: isByPath ? .revision : nil,
            relocatesInOneCall: isByPath, setsModificationTime: false, movesBetweenRoots: false,
            isCaseSensitive: true, lockSeconds: 1_800)
        capabilities.addressesByPath = isByPath
        capabilities.checksUploadTarget = isByPath
        return capabilities
    }

    package func account() async throws(CloudStorageError) -> AccountDescription {
        try perform(.account) { state in
            AccountDescription(
                displayName: "Model",
                roots: [CloudRoot(id: Self.root, name: "Files", permissions: state.permissions)],
                quota: state.quota, policy: state.policy)
        }
    }

    package func list(
        _ folder: ItemReference, validator: String?
    ) async throws(CloudStorageError) -> FolderListing {
        try perform(.list) { state throws(CloudStorageError) in
            let id = try Self.resolve(folder, state)
            let entries = state.entries.values.filter { $0.parent == id }
                .sorted { $0.name < $1.name }
            let children = entries.map { Self.item($0, state) }
            var hasher = Hasher()
            hasher.combine(children)
            // Another item under the same name is a change, also where ids are not shown.
            hasher.combine(entries.map(\.id))
            let current = String(hasher.finalize())
            if validator == current { return .notModified }
            var description = CloudItem(
                reference: folder, name: "", size: 0, revision: nil, modified: nil)
            description.permissions = state.permissions
            return .entries(children, validator: current, folder: description)
        }
    }

    package func item(_ reference: ItemReference) async throws(CloudStorageError) -> CloudItem {
        try perform(.item) { state throws(CloudStorageError) in
            guard let entry = state.entries[try Self.resolve(reference, state)] else {
                throw CloudStorageError(.notFound, "no item")
            }
            return Self.item(entry, state)
        }
    }

    package func download(
        _ file: ItemReference, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        try await download(file, revision: nil, range: range, to: sink)
    }

    package func download(
        _ file: ItemReference, revision: String?, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        let content = try perform(.download) { state throws(CloudStorageError) in
            let id = try Self.resolve(file, state)
            if state.addressesByPath { try Self.check(revision, of: id, state) }
            return state.entries[id]?.content ?? []
        }
        let wanted = range ?? ByteRange(0, Int64(content.count))
        let upper = min(Int(wanted.upperBound), content.count)
        let lower = min(Int(wanted.lowerBound), upper)
        try sink.begin(offset: Int64(lower), totalSize: Int64(content.count))
        let result: Result<Void, CloudStorageError> = content.withUnsafeBytes { bytes in
            do throws(CloudStorageError) {
                try sink.receive(UnsafeRawBufferPointer(rebasing: bytes[lower..<upper]))
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    package func upload(
        _ content: LocalContent, name: String, to folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        try await upload(content, name: name, to: folder, onto: .anything)
    }

    package func upload(
        _ content: LocalContent, name: String, to folder: ItemReference, onto target: UploadTarget
    ) async throws(CloudStorageError) -> CloudItem {
        let bytes: [UInt8]
        do {
            bytes = Array(try Data(contentsOf: URL(fileURLWithPath: content.path)))
        } catch {
            throw CloudStorageError(.localFile, "\(error)")
        }
        guard bytes.count >= content.size else {
            throw CloudStorageError(.localFile, "the file became shorter")
        }
        return try perform(.upload) { state throws(CloudStorageError) in
            let parent = try Self.resolve(folder, state)
            let existing = state.entries.values.first {
                $0.parent == parent && $0.name.utf8.elementsEqual(name.utf8)
            }
            try Self.check(target, existing, state)
            if let existing {
                guard state.behaviour == .revision, !existing.isFolder else {
                    throw CloudStorageError(.nameConflict, "taken")
                }
                try Self.checkLock(existing.id, state)
            }
            if state.isLosingAnswer {
                state.unanswered.insert(Array(bytes.prefix(Int(content.size))))
            }
            let id = existing?.id ?? Self.add(name, parent, isFolder: false, &state)
            Self.setContent(Array(bytes.prefix(Int(content.size))), of: id, &state)
            return try Self.describe(id, state)
        }
    }

    package func createFolder(
        name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        try perform(.createFolder) { state throws(CloudStorageError) in
            let parent = try Self.resolve(folder, state)
            try Self.checkFree(name, parent, state)
            return try Self.describe(Self.add(name, parent, isFolder: true, &state), state)
        }
    }

    package func relocate(
        _ item: ItemReference, to destination: RelocationTarget
    ) async throws(CloudStorageError) -> CloudItem {
        try perform(.relocate) { state throws(CloudStorageError) in
            guard
                state.addressesByPath
                    || (destination.folder == nil) != (destination.name == nil)
            else {
                throw CloudStorageError(.invalidRequest, "one change a call")
            }
            let id = try Self.resolve(item, state)
            guard let entry = state.entries[id] else {
                throw CloudStorageError(.notFound, "no item")
            }
            try Self.checkLock(id, state)
            let parent = try destination.folder.map { folder throws(CloudStorageError) in
                try Self.resolve(folder, state)
            }
            try Self.checkFree(destination.name ?? entry.name, parent ?? entry.parent, state)
            state.entries[id]?.parent = parent ?? entry.parent
            state.entries[id]?.name = destination.name ?? entry.name
            Self.note(id, isDeleted: false, &state)
            return try Self.describe(id, state)
        }
    }

    package func delete(_ item: ItemReference) async throws(CloudStorageError) {
        try await delete(item, revision: nil)
    }

    package func delete(
        _ item: ItemReference, revision: String?
    ) async throws(CloudStorageError) {
        try perform(.delete) { state throws(CloudStorageError) in
            let id = try Self.resolve(item, state)
            if state.addressesByPath { try Self.check(revision, of: id, state) }
            try Self.checkLock(id, state)
            Self.remove(id, &state)
        }
    }

    package func lock(_ item: ItemReference, seconds: Int) async throws(CloudStorageError) {
        try perform(.lock) { state throws(CloudStorageError) in
            let id = try Self.resolve(item, state)
            try Self.checkLock(id, state)
            state.ownLocks.insert(id)
        }
    }

    package func unlock(_ item: ItemReference) async throws(CloudStorageError) {
        try perform(.unlock) { state throws(CloudStorageError) in
            if let id = try? Self.resolve(item, state) { state.ownLocks.remove(id) }
        }
    }

    package func changes(
        in root: RootIdentifier, since cursor: String?
    ) async throws(CloudStorageError) -> ChangePage {
        try perform(.changes) { state throws(CloudStorageError) in
            if state.addressesByPath {
                throw CloudStorageError(.unsupported, "no list of changes")
            }
            let since = cursor.flatMap { Int64($0) } ?? state.time
            let items = state.log.filter { $0.time > since }.compactMap { change -> CloudItem? in
                guard let entry = state.entries[change.id], !entry.isFolder else { return nil }
                return Self.item(entry, state)
            }
            return ChangePage(items: items, cursor: String(state.time))
        }
    }

    // MARK: Inside

    private func perform<Value>(
        _ call: Call, _ work: (inout State) throws(CloudStorageError) -> Value
    ) throws(CloudStorageError) -> Value {
        try state.withLock { state throws(CloudStorageError) in
            state.counts[call, default: 0] += 1
            state.time += 1
            let fault = Self.takeFault(call, &state)
            if case .before(let kind) = fault {
                throw CloudStorageError(kind, "injected")
            }
            if case .answerLost = fault { state.isLosingAnswer = true }
            defer { state.isLosingAnswer = false }
            let value = try work(&state)
            if case .answerLost = fault {
                throw CloudStorageError(.unreachable, "answer lost", mayHaveHappened: true)
            }
            return value
        }
    }

    private static func takeFault(_ call: Call, _ state: inout State) -> Fault? {
        guard let index = state.faults.firstIndex(where: { $0.call == call }) else { return nil }
        if state.faults[index].skip > 0 {
            state.faults[index].skip -= 1
            return nil
        }
        return state.faults.remove(at: index).fault
    }

    private static func resolve(
        _ reference: ItemReference, _ state: State
    ) throws(CloudStorageError) -> Int {
        if reference.kind == .root { return 0 }
        if state.addressesByPath {
            guard let id = find(reference.path, state), let entry = state.entries[id],
                entry.isFolder == reference.isFolder
            else { throw CloudStorageError(.notFound, "no item \(reference.path)") }
            return id
        }
        guard let id = reference.id.flatMap(Int.init), state.entries[id] != nil else {
            throw CloudStorageError(.notFound, "no item \(reference.path)")
        }
        return id
    }

    private static func describe(
        _ id: Int, _ state: State
    ) throws(CloudStorageError) -> CloudItem {
        guard let entry = state.entries[id] else { throw CloudStorageError(.notFound, "no item") }
        return item(entry, state)
    }

    private static func item(_ entry: Entry, _ state: State) -> CloudItem {
        CloudItem(
            reference: ItemReference(
                root: root, kind: entry.isFolder ? .folder : .file,
                id: state.addressesByPath ? nil : String(entry.id), path: path(entry, state)),
            name: entry.name, size: Int64(entry.content.count),
            revision: entry.isFolder ? nil : String(entry.revision),
            modified: entry.isFolder ? nil : FileTime(seconds: entry.modified),
            permissions: state.permissions, isLocked: state.lockedByOthers.contains(entry.id))
    }

    private static func path(_ entry: Entry, _ state: State) -> String {
        (state.entries[entry.parent].map { path($0, state) } ?? "") + "/" + entry.name
    }

    private static func find(_ path: String, _ state: State) -> Int? {
        var current = 0
        for part in path.split(separator: "/") {
            guard
                let next = state.entries.values.first(where: {
                    $0.parent == current && $0.name.utf8.elementsEqual(part.utf8)
                })
            else { return nil }
            current = next.id
        }
        return current
    }

    private static func split(_ path: String, _ state: State) -> (parent: Int, name: String) {
        let parts = path.split(separator: "/")
        let parent = "/" + parts.dropLast().joined(separator: "/")
        return (find(parent, state) ?? 0, String(parts.last ?? ""))
    }

    private static func add(
        _ name: String, _ parent: Int, isFolder: Bool, _ state: inout State
    ) -> Int {
        let id = state.nextID
        state.nextID += 1
        state.entries[id] = Entry(id: id, parent: parent, name: name, isFolder: isFolder)
        return id
    }

    private static func setContent(_ content: [UInt8], of id: Int, _ state: inout State) {
        state.nextRevision += 1
        state.entries[id]?.content = content
        state.entries[id]?.revision = state.nextRevision
        state.entries[id]?.modified = state.time
        note(id, isDeleted: false, &state)
    }

    private static func note(_ id: Int, isDeleted: Bool, _ state: inout State) {
        state.time += 1
        state.log.append((state.time, id, isDeleted))
    }

    private static func remove(_ id: Int, _ state: inout State) {
        for child in state.entries.values where child.parent == id { remove(child.id, &state) }
        state.entries[id] = nil
        state.ownLocks.remove(id)
        note(id, isDeleted: true, &state)
    }

    private static func checkFree(
        _ name: String, _ parent: Int, _ state: State
    ) throws(CloudStorageError) {
        if state.entries.values.contains(where: {
            $0.parent == parent && $0.name.utf8.elementsEqual(name.utf8)
        }) {
            throw CloudStorageError(.nameConflict, "\(name) is taken")
        }
    }

    private static func check(
        _ revision: String?, of id: Int, _ state: State
    ) throws(CloudStorageError) {
        guard let revision, let entry = state.entries[id], !entry.isFolder else { return }
        if String(entry.revision) != revision {
            throw CloudStorageError(.revisionChanged, "another revision")
        }
    }

    private static func check(
        _ target: UploadTarget, _ existing: Entry?, _ state: State
    ) throws(CloudStorageError) {
        switch target {
        case .anything: return
        case .nothing:
            if existing != nil { throw CloudStorageError(.nameConflict, "taken") }
        case .revision(let revision):
            guard let existing, !existing.isFolder else {
                throw CloudStorageError(.revisionChanged, "the file is no longer there")
            }
            try check(revision, of: existing.id, state)
        }
    }

    private static func checkLock(_ id: Int, _ state: State) throws(CloudStorageError) {
        if state.lockedByOthers.contains(id) { throw CloudStorageError(.locked, "locked") }
    }
}
