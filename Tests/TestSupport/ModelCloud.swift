package import CloudStorage
import FileSystemTypes
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
        case changes, copy, setModificationTime
    }

    /// What goes wrong with a call.
    package enum Fault: Sendable {
        /// Nothing was done.
        case before(CloudStorageError.Kind)
        /// The work was done, the answer lost.
        case answerLost
    }

    package static let root = RootIdentifier("1")

    let state = Mutex(ModelCloudState())

    package init(behaviour: Capabilities.UploadOntoName = .conflict) {
        state.withLock { $0.behaviour = behaviour }
    }

    /// A cloud without ids: items are found by path, and uploads checked against what they replace.
    package static func addressingByPath(
        keepsPartialUploads: Bool = false, setsTimes: Bool = false
    ) -> ModelCloud {
        let cloud = ModelCloud(behaviour: .revision)
        cloud.state.withLock { state in
            state.addressesByPath = true
            state.keepsPartialUploads = keepsPartialUploads
            state.setsTimes = setsTimes
        }
        return cloud
    }

    // MARK: What tests change and look at

    /// Makes the call after the next `skip` calls of its kind fail once.
    package func fail(_ call: Call, skip: Int = 0, _ fault: Fault) {
        state.withLock { $0.faults.append((call, skip, fault)) }
    }

    package func removeFaults() { state.withLock { $0.faults.removeAll() } }

    /// Has something happen between the call of the next listing and its making.
    package func beforeNextListingIsMade(_ event: @escaping @Sendable () async throws -> Void) {
        state.withLock { $0.beforeListingIsMade = event }
    }

    /// Has something happen after the next listing was made, and before it is answered.
    package func beforeNextListingIsAnswered(_ event: @escaping @Sendable () async throws -> Void) {
        state.withLock { $0.beforeListingIsAnswered = event }
    }

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
    ///
    /// - Parameter holder: who it is; nil where the server does not tell it.
    package func setForeignLock(_ isLocked: Bool, on path: String, holder: String? = nil) {
        state.withLock { state in
            guard let id = state.find(path) else { return }
            if isLocked { state.lockedByOthers.insert(id) } else { state.lockedByOthers.remove(id) }
            state.lockHolders[id] = isLocked ? holder : nil
        }
    }

    /// For how long each lock, or its renewal, was asked for.
    package var lockSeconds: [Int] { state.withLock { $0.lockSeconds } }

    /// The time of all our locks is over.
    package func endOwnLocks() { state.withLock { $0.ownLocks.removeAll() } }

    package var ownLockCount: Int { state.withLock { $0.ownLocks.count } }

    /// Where our own locks are, sorted.
    package var ownLockPaths: [String] {
        state.withLock { state in
            state.ownLocks.compactMap { state.entries[$0] }.map { state.path($0) }.sorted()
        }
    }

    /// Paths with their contents, folders as nil.
    package func snapshot() -> [String: [UInt8]?] {
        state.withLock { state in
            var result: [String: [UInt8]?] = [:]
            for entry in state.entries.values {
                result[state.path(entry)] = entry.isFolder ? .some(nil) : entry.content
            }
            return result
        }
    }

    package func content(at path: String) -> [UInt8]? {
        state.withLock { state in state.find(path).flatMap { state.entries[$0]?.content } }
    }

    /// Seconds since 1970; nil where nothing is.
    package func modified(at path: String) -> Int64? {
        state.withLock { state in state.find(path).flatMap { state.entries[$0]?.modified } }
    }

    package func content(of item: CloudItem) -> [UInt8]? {
        state.withLock { state in
            let id =
                state.addressesByPath
                ? state.find(item.reference.path) : item.reference.id.flatMap(Int.init)
            return id.flatMap { state.entries[$0]?.content }
        }
    }

    package func id(at path: String) -> String? {
        state.withLock { state in state.find(path).map(String.init) }
    }

    /// Another client stores content: a new file, or the next revision of an existing one.
    ///
    /// - Parameter modified: the time that it gives the file, in seconds since 1970; nil for now.
    package func storeByOther(_ content: [UInt8], at path: String, modified: Int64? = nil) {
        state.withLock { state in
            let id: Int
            if let known = state.find(path) {
                id = known
            } else {
                let (parent, name) = state.split(path)
                id = state.add(name, parent, isFolder: false)
            }
            state.setContent(content, of: id)
            if let modified { state.entries[id]?.modified = modified }
        }
    }

    package func makeFolderByOther(at path: String) {
        state.withLock { state in
            let (parent, name) = state.split(path)
            _ = state.add(name, parent, isFolder: true)
        }
    }

    package func deleteByOther(at path: String) {
        state.withLock { state in
            if let id = state.find(path) { state.remove(id) }
        }
    }

    package func renameByOther(from path: String, to name: String) {
        state.withLock { state in
            guard let id = state.find(path) else { return }
            state.entries[id]?.name = name
            state.note(id, isDeleted: false)
        }
    }

    /// Contents of uploads that were done although their answer was lost.
    package var unansweredContents: Set<[UInt8]> { state.withLock { $0.unanswered } }

    /// Contents that were uploaded under a temporary name, and given their own name although the
    /// answer to that was lost.
    package var unansweredArrivals: Set<[UInt8]> { state.withLock { $0.unansweredArrivals } }

    /// Notes that nobody heard that a content has its name.
    package func noteUnansweredArrival(_ content: [UInt8]) {
        state.withLock { _ = $0.unansweredArrivals.insert(content) }
    }

    /// Notes that nobody heard of an upload of a content.
    package func noteUnanswered(_ content: [UInt8]) {
        state.withLock { _ = $0.unanswered.insert(content) }
    }
}
