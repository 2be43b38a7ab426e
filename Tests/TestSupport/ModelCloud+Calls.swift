package import CloudStorage
package import FileSystemTypes
import FoundationEssentials
import Synchronization

/// The calls of the seam.
extension ModelCloud {
    package var capabilities: Capabilities {
        let (isByPath, setsTimes) = state.withLock { ($0.addressesByPath, $0.setsTimes) }
        var capabilities = Capabilities(
            supportsRanges: true, uploadOntoName: isByPath ? .revision : nil,
            relocatesInOneCall: isByPath, setsModificationTime: setsTimes,
            movesBetweenRoots: false, isCaseSensitive: true, lockSeconds: 1_800)
        capabilities.addressesByPath = isByPath
        capabilities.checksUploadTarget = isByPath
        capabilities.copiesOnServer = isByPath
        capabilities.keepsPartialUploads = state.withLock { $0.keepsPartialUploads }
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
        let events = state.withLock { state in
            defer {
                state.beforeListingIsMade = nil
                state.beforeListingIsAnswered = nil
            }
            return (state.beforeListingIsMade, state.beforeListingIsAnswered)
        }
        do {
            try await events.0?()
            let listing = try listNow(folder, validator: validator)
            try await events.1?()
            return listing
        } catch let error as CloudStorageError {
            throw error
        } catch {
            throw CloudStorageError(.invalidAnswer, "\(error)")
        }
    }

    private func listNow(
        _ folder: ItemReference, validator: String?
    ) throws(CloudStorageError) -> FolderListing {
        try perform(.list) { state throws(CloudStorageError) in
            let id = try state.resolve(folder)
            let entries = state.entries.values.filter { $0.parent == id }
                .sorted { $0.name < $1.name }
            let children = entries.map { state.item($0) }
            var hasher = Hasher()
            hasher.combine(children)
            // Another item under the same name is a change, also where ids are not shown.
            hasher.combine(entries.map(\.id))
            hasher.combine(state.lockedByOthers.contains(id))
            let current = String(hasher.finalize())
            if validator == current { return .notModified }
            var description = CloudItem(
                reference: folder, name: "", size: 0, revision: nil, modified: nil)
            description.permissions = state.permissions
            description.isLocked = state.lockedByOthers.contains(id)
            description.lockHolder = state.lockHolders[id]
            return .entries(children, validator: current, folder: description)
        }
    }

    package func item(_ reference: ItemReference) async throws(CloudStorageError) -> CloudItem {
        try perform(.item) { state throws(CloudStorageError) in
            guard let entry = state.entries[try state.resolve(reference)] else {
                throw CloudStorageError(.notFound, "no item")
            }
            return state.item(entry)
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
            let id = try state.resolve(file)
            if state.addressesByPath { try state.check(revision, of: id) }
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
            let parent = try state.resolve(folder)
            let existing = state.entries.values.first {
                $0.parent == parent && $0.name.utf8.elementsEqual(name.utf8)
            }
            try state.check(target, existing)
            if let existing {
                guard state.behaviour == .revision, !existing.isFolder else {
                    throw CloudStorageError(.nameConflict, "taken")
                }
                try state.checkLock(existing.id)
            }
            if state.isLosingAnswer {
                state.unanswered.insert(Array(bytes.prefix(Int(content.size))))
            }
            let id = existing?.id ?? state.add(name, parent, isFolder: false)
            state.setContent(Array(bytes.prefix(Int(content.size))), of: id)
            if state.setsTimes, let time = content.modified {
                state.entries[id]?.modified = time.seconds
            }
            return try state.describe(id)
        }
    }

    package func createFolder(
        name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        try perform(.createFolder) { state throws(CloudStorageError) in
            let parent = try state.resolve(folder)
            try state.checkFree(name, parent)
            let id = state.add(name, parent, isFolder: true)
            return try state.describe(id)
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
            let id = try state.resolve(item)
            guard let entry = state.entries[id] else {
                throw CloudStorageError(.notFound, "no item")
            }
            try state.checkLock(id)
            let parent = try destination.folder.map { folder throws(CloudStorageError) in
                try state.resolve(folder)
            }
            try state.checkFree(destination.name ?? entry.name, parent ?? entry.parent)
            if state.isLosingAnswer, entry.name.hasPrefix(".ordner-") {
                state.unansweredArrivals.insert(entry.content)
            }
            state.entries[id]?.parent = parent ?? entry.parent
            state.entries[id]?.name = destination.name ?? entry.name
            state.note(id, isDeleted: false)
            return try state.describe(id)
        }
    }

    package func copy(
        _ file: ItemReference, revision: String, to folder: ItemReference, name: String
    ) async throws(CloudStorageError) -> CloudItem {
        try perform(.copy) { state throws(CloudStorageError) in
            let source = try state.resolve(file)
            try state.check(revision, of: source)
            let parent = try state.resolve(folder)
            try state.checkFree(name, parent)
            let id = state.add(name, parent, isFolder: false)
            state.setContent(state.entries[source]?.content ?? [], of: id)
            return try state.describe(id)
        }
    }

    /// A new time is a new revision, as with Nextcloud.
    package func setModificationTime(
        _ time: FileTime, of file: ItemReference, revision: String
    ) async throws(CloudStorageError) -> CloudItem {
        try perform(.setModificationTime) { state throws(CloudStorageError) in
            let id = try state.resolve(file)
            try state.check(revision, of: id)
            try state.checkLock(id)
            state.nextRevision += 1
            state.entries[id]?.revision = state.nextRevision
            state.entries[id]?.modified = time.seconds
            state.note(id, isDeleted: false)
            return try state.describe(id)
        }
    }

    package func delete(_ item: ItemReference) async throws(CloudStorageError) {
        try await delete(item, revision: nil)
    }

    package func delete(
        _ item: ItemReference, revision: String?
    ) async throws(CloudStorageError) {
        try perform(.delete) { state throws(CloudStorageError) in
            let id = try state.resolve(item)
            if state.addressesByPath { try state.check(revision, of: id) }
            try state.checkLock(id)
            state.remove(id)
        }
    }

    package func lock(_ item: ItemReference, seconds: Int) async throws(CloudStorageError) {
        try perform(.lock) { state throws(CloudStorageError) in
            let id = try state.resolve(item)
            try state.checkLock(id)
            state.ownLocks.insert(id)
            state.lockSeconds.append(seconds)
        }
    }

    package func unlock(_ item: ItemReference) async throws(CloudStorageError) {
        try perform(.unlock) { state throws(CloudStorageError) in
            if let id = try? state.resolve(item) { state.ownLocks.remove(id) }
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
                return state.item(entry)
            }
            return ChangePage(items: items, cursor: String(state.time))
        }
    }

    // MARK: Inside

    private func perform<Value>(
        _ call: Call, _ work: (inout ModelCloudState) throws(CloudStorageError) -> Value
    ) throws(CloudStorageError) -> Value {
        try state.withLock { state throws(CloudStorageError) in
            state.counts[call, default: 0] += 1
            state.time += 1
            let fault = state.takeFault(call)
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
}
