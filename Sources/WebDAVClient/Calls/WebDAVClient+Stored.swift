import CloudStorage
import FileSystemTypes
import HTTPTransport
import Logging
import Synchronization

/// What an upload has made of the server's file.
extension WebDAVClient {
    /// The item an upload has made, from the answer where that tells all, else from a look.
    func stored(
        _ upload: Upload, _ answer: HTTPAnswer
    ) async throws(CloudStorageError) -> CloudItem {
        if let item = described(upload, answer) {
            looks.end(in: upload.parent)
            return item
        }
        do throws(CloudStorageError) {
            let item = try await look(at: upload)
            let sent = answer.header("ETag").flatMap { EntityTag($0) }?.opaque
            let found = item.revision.flatMap { ContentRevision($0) }?.etag?.opaque
            let isOurs =
                !item.reference.isFolder && item.size == upload.content.size
                && !Self.isDifferent(found, sent)
            guard isOurs else {
                throw CloudStorageError(.revisionChanged, "somebody has replaced the upload")
            }
            return item
        } catch {
            throw CloudStorageError(
                error.kind, error.message, retryAfter: error.retryAfter, mayHaveHappened: true)
        }
    }

    /// What is under an upload's name now.
    private func look(at upload: Upload) async throws(CloudStorageError) -> CloudItem {
        switch await looks.turn(for: upload.path, in: upload.parent) {
        case .found(let item): return item
        case .lookAlone: break
        case .list(let others):
            if let item = await list(upload, for: others) { return item }
        }
        return try await properties(
            of: upload.path, isFolder: false, PropertyRequest.items(profile)
        ).item
    }

    /// Lists the folder of an upload and tells others what it has of theirs. Nil where it shows
    /// nothing of this one: some servers list no names that begin with a dot.
    private func list(_ upload: Upload, for others: [FolderLooks.Waiter]) async -> CloudItem? {
        do throws(CloudStorageError) {
            guard case .entries(let items, _, _) = try await list(upload.folder, validator: nil)
            else {
                looks.tell(others, [])
                return nil
            }
            looks.tell(others, items)
            let path = upload.path.text
            return items.first { $0.reference.path == path }
        } catch {
            options.logger.debug(
                "No listing after uploads", metadata: ["error": "\(error.kind)"])
            looks.tell(others, [])
            return nil
        }
    }

    /// Nextcloud's answer to a PUT, where it has all that an item consists of.
    private func described(_ upload: Upload, _ answer: HTTPAnswer) -> CloudItem? {
        guard profile.revisionIsETag, let modified = storedTime(of: upload.content),
            answer.header("X-OC-MTime") == "accepted",
            let etag = answer.header("ETag").flatMap({ EntityTag($0) }), !etag.isWeak,
            let id = Self.fileID(answer.header("OC-FileId")),
            let letters = answer.header("X-NC-Permissions"), letters.contains("W"),
            let name = upload.path.parts.last.flatMap({ ShownName.shown($0) })
        else { return nil }
        let revision = ContentRevision(
            etag: etag, size: upload.content.size, modified: modified)
        return CloudItem(
            reference: ItemReference(
                root: Self.root, kind: .file, id: id, path: upload.path.text),
            name: name, size: upload.content.size, revision: revision.text(byETagAlone: true),
            modified: FileTime(seconds: modified))
    }

    /// `oc:fileid` of an `OC-FileId` header: the id with zeros before it, and the instance's name,
    /// which begins with a letter, behind it.
    static func fileID(_ text: String?) -> String? {
        guard let digits = text?.prefix(while: { $0.isASCII && $0.isNumber }),
            digits.count >= 8, digits.count < text?.count ?? 0, let number = Int64(digits)
        else { return nil }
        return String(number)
    }
}
