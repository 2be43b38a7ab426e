import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore
import Synchronization

/// Replacing a file's content on clouds that refuse an upload onto an existing name, and storing
/// new files without overwriting on those that don't (DESIGN section 4, rules 3 and 4).
extension VirtualFileSystem {
    /// What the server does with an upload onto an existing name, as far as it is known.
    var uploadOntoName: Capabilities.UploadOntoName? {
        cloud.capabilities.uploadOntoName ?? learnedUploadBehaviour.withLock { $0 }
    }

    /// Whether the server itself holds an upload against what this machine has seen.
    var checksTargets: Bool { cloud.capabilities.checksUploadTarget }

    /// What an upload may find where this machine has seen a revision.
    func target(_ revision: String?) -> UploadTarget {
        guard checksTargets, let revision else { return .anything }
        return .revision(revision)
    }

    /// Upload under a temporary name, old one aside, new one in its place, old one deleted.
    func replace(
        _ current: CloudItem, with content: LocalContent, of id: UInt64, at place: ServerPlace
    ) async throws(CloudStorageError) -> CloudItem {
        let old = current.reference
        let temporary = temporaryName(for: place.name)
        let (uploaded, upload) = try await uploadAside(content, as: temporary, in: place.folder)
        var undertaking = Undertaking(
            convergence: Convergence(goals: [
                Goal(item: uploaded.reference, place: place.placement, temporaryName: temporary),
                Goal(item: old, place: nil, temporaryName: temporaryName(for: place.name)),
            ]),
            origins: [
                Placement(folder: FolderKey(place.folder), name: temporary), place.placement,
            ])
        undertaking.uploaded = 0
        undertaking.replaced = old
        undertaking.uploadedFile = content.path.lastPathComponent
        let sent = SeenVersion(ServerSide(uploaded))
        undertaking.seen = [sent, SeenVersion(ServerSide(current))]
        let items: [CloudItem?]
        do throws(CloudStorageError) {
            items = try await undertake(undertaking, of: id, inPlaceOf: upload)
        } catch {
            // The content has arrived, whatever became of the rest.
            throw CloudStorageError(
                error.kind, error.message, retryAfter: error.retryAfter, mayHaveHappened: true)
        }
        tree.withLock { $0.recordDeparture(of: old) }
        moveLock(of: id, from: old, to: uploaded.reference)
        guard var item = items[0] else { return uploaded }
        if sent?.isOther(than: item) ?? false {
            // Another client has changed it just now, which this machine has not seen.
            (item.revision, item.size, item.modified) =
                (uploaded.revision, uploaded.size, uploaded.modified)
        }
        return item
    }

    /// Stores a new file so that an upload can't make a revision of a file nobody here has seen:
    /// under a temporary name first, since renames never replace.
    func storeWithoutOverwriting(
        _ content: LocalContent, of id: UInt64, at place: ServerPlace
    ) async throws(CloudStorageError) -> CloudItem {
        let temporary = temporaryName(for: place.name)
        let (uploaded, upload) = try await uploadAside(content, as: temporary, in: place.folder)
        do throws(CloudStorageError) {
            if uploadOntoName == nil, content.size <= 1 << 20 {
                try await learnUploadBehaviour(content, uploaded, in: place.folder)
            }
            let item = try await rename(uploaded, to: place.name)
            closeUndertaking(upload.intent, upload.undertaking, withRowsOf: id)
            return item
        } catch {
            await removeLeftover(uploaded.reference, upload)
            throw error
        }
    }

    func rename(
        _ item: CloudItem, to name: String
    ) async throws(CloudStorageError) -> CloudItem {
        do throws(CloudStorageError) {
            return try await cloud.relocate(item.reference, to: RelocationTarget(name: name))
        } catch {
            guard error.mayHaveHappened else { throw error }
            let current = try await after(error) { () async throws(CloudStorageError) in
                try await self.cloud.item(item.reference)
            }
            guard current.name.hasSameBytes(as: name) else { throw error }
            return current
        }
    }

    /// Uploads the content onto a name that is our own, to see what the server makes of it.
    private func learnUploadBehaviour(
        _ content: LocalContent, _ uploaded: CloudItem, in folder: ItemReference
    ) async throws(CloudStorageError) {
        do throws(CloudStorageError) {
            let again = try await cloud.upload(content, name: uploaded.name, to: folder)
            guard again.reference.id == uploaded.reference.id else {
                return try await deleteItem(again.reference)
            }
            learnedUploadBehaviour.withLock { $0 = .revision }
        } catch {
            guard error.kind == .nameConflict else { throw error }
            learnedUploadBehaviour.withLock { $0 = .conflict }
        }
    }

    /// Uploads under a temporary name that is on record first; the caller ends the record.
    private func uploadAside(
        _ content: LocalContent, as temporary: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> (CloudItem, RecordedUpload) {
        let upload = try await recordUpload(of: temporary, to: folder)
        do throws(CloudStorageError) {
            return (try await cloud.upload(content, name: temporary, to: folder), upload)
        } catch {
            guard error.mayHaveHappened else {
                closeUndertaking(upload.intent, upload.undertaking)
                throw error
            }
            do throws(CloudStorageError) {
                if let item = try await entry(named: temporary, in: folder),
                    item.size == content.size
                {
                    return (item, upload)
                }
                closeUndertaking(upload.intent, upload.undertaking)
            } catch {
                unfinished.withLock { $0[upload.intent] = upload.undertaking }
            }
            throw error
        }
    }

    /// Removes a temporary upload of our own, later where that can't be done now.
    func removeLeftover(_ item: ItemReference, _ upload: RecordedUpload) async {
        do throws(CloudStorageError) {
            try await deleteItem(item)
        } catch {
            guard error.kind == .notFound else {
                unfinished.withLock { $0[upload.intent] = upload.undertaking }
                return
            }
        }
        closeUndertaking(upload.intent, upload.undertaking)
    }
}
