package import FileSystemTypes
import Synchronization

/// One account of one cloud: the seam between the file system and every server protocol.
///
/// Every call has a deadline of its own and stops when its task is cancelled. Transient failures
/// were already retried inside; what is thrown is final for this call. Items that come back have
/// been checked as hostile (DESIGN section 3). Calls may be made from any task, in parallel.
package protocol CloudStorage: Sendable {
    /// What is known of the server so far; it may grow while the account is used.
    var capabilities: Capabilities { get }

    /// Roots, quota and policy of the signed-in person.
    func account() async throws(CloudStorageError) -> AccountDescription

    /// The live (not deleted) entries of a folder.
    /// - Parameter validator: that of the last listing; where it still holds, no entries are sent.
    func list(
        _ folder: ItemReference, validator: String?
    ) async throws(CloudStorageError) -> FolderListing

    /// One item as it is now. A deleted item throws `notFound`.
    func item(_ reference: ItemReference) async throws(CloudStorageError) -> CloudItem

    /// The revisions that files have now, in the order of the references, for as few requests as the
    /// cloud can do with; nil where the file is gone, or can't be asked about now.
    func revisions(of files: [ItemReference]) async -> [String?]

    /// Streams a file's current content to `sink`.
    ///
    /// The server may send more than `range` (all of it from byte 0); `sink.begin` hears what
    /// comes. When this returns, every byte that `begin` announced has been delivered.
    func download(
        _ file: ItemReference, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError)

    /// Stores a local file as `name` in `folder` and returns the new item.
    ///
    /// Where the name is taken the cloud does what `capabilities.uploadOntoName` says. When this
    /// throws with `mayHaveHappened`, the server may hold the file all the same.
    func upload(
        _ content: LocalContent, name: String, to folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem

    /// As `upload`, but only onto what the caller knows of: `nameConflict` where `target` says that
    /// nothing is there and something is, `revisionChanged` where it is not the revision named.
    ///
    /// Called only where `capabilities.checksUploadTarget`.
    func upload(
        _ content: LocalContent, name: String, to folder: ItemReference, onto target: UploadTarget
    ) async throws(CloudStorageError) -> CloudItem

    /// As `download`, but `revisionChanged` before the first byte where the server can be seen to
    /// have another revision than `revision`.
    func download(
        _ file: ItemReference, revision: String?, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError)

    /// As `delete`, but `revisionChanged` where a file is known to have another revision.
    func delete(_ item: ItemReference, revision: String?) async throws(CloudStorageError)

    /// Makes a folder; `nameConflict` where the name is taken.
    func createFolder(
        name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem

    /// Moves an item to another folder of its root, renames it, or (where
    /// `capabilities.relocatesInOneCall`) both. A taken name throws `nameConflict`; nothing is replaced.
    /// - Precondition: the item is in `source` under `item.path`'s last part before the call.
    func relocate(
        _ item: ItemReference, to destination: RelocationTarget
    ) async throws(CloudStorageError) -> CloudItem

    /// Has the server copy a file's content to a new file, and returns that. `nameConflict` where the
    /// name is taken; `revisionChanged` where the file no longer has the revision, and then nothing
    /// is left of the copy. When this throws with `mayHaveHappened`, the server may hold the copy,
    /// a part of it, or one of another revision.
    ///
    /// Called only where `capabilities.copiesOnServer`.
    func copy(
        _ file: ItemReference, revision: String, to folder: ItemReference, name: String
    ) async throws(CloudStorageError) -> CloudItem

    /// Gives a file another modification time, in whole seconds, and returns the file as it is now,
    /// under the revision that the change may have given it. `revisionChanged` where the file does
    /// not have the revision, or another client stored it meanwhile; `unsupported` where the server
    /// keeps another time.
    ///
    /// Called only where `capabilities.setsModificationTime`.
    func setModificationTime(
        _ time: FileTime, of file: ItemReference, revision: String
    ) async throws(CloudStorageError) -> CloudItem

    /// Deletes a file, or a folder with all that is in it.
    func delete(_ item: ItemReference) async throws(CloudStorageError)

    /// Takes or extends this account's lock. `locked` where somebody else has it.
    func lock(_ item: ItemReference, seconds: Int) async throws(CloudStorageError)

    /// Gives this account's lock back; not an error where there is none.
    func unlock(_ item: ItemReference) async throws(CloudStorageError)

    /// Files that the server changed since `cursor`; nil starts from now.
    ///
    /// Reported items may have been seen before, and may be deleted (`isDeleted`). Folders are not
    /// promised. Throws `unsupported` where the cloud has no such call.
    func changes(
        in root: RootIdentifier, since cursor: String?
    ) async throws(CloudStorageError) -> ChangePage

    /// Has the server tell of changes until the connection ends; then it throws why. `unsupported`
    /// where the server does not tell. What is told may be missing or without a reason: `changes`
    /// and `list` say what there is.
    func hearChanges(_ listener: any ChangeListener) async throws(CloudStorageError)
}

// What a cloud does that has no conditional calls, none for copies and times, and says nothing by
// itself.
extension CloudStorage {
    /// One question a file, a few at a time.
    package func revisions(of files: [ItemReference]) async -> [String?] {
        await together(files) { file in
            do throws(CloudStorageError) { return try await self.item(file).revision } catch {
                return nil
            }
        }
    }

    /// What `question` says of each file, in their order, with a few questions under way at a time.
    package func together(
        _ files: [ItemReference], _ question: @escaping @Sendable (ItemReference) async -> String?
    ) async -> [String?] {
        let answers = Answers(count: files.count)
        await withTaskGroup(of: Void.self) { group in
            for (index, file) in files.enumerated() {
                if index >= Self.questionsTogether { await group.next() }
                group.addTask {
                    let answer = await question(file)
                    answers.set(answer, at: index)
                }
            }
        }
        return answers.all
    }

    private static var questionsTogether: Int { 4 }

    package func setModificationTime(
        _ time: FileTime, of file: ItemReference, revision: String
    ) async throws(CloudStorageError) -> CloudItem {
        throw CloudStorageError(.unsupported, "this cloud gives files its own times")
    }

    package func hearChanges(_ listener: any ChangeListener) async throws(CloudStorageError) {
        throw CloudStorageError(.unsupported, "this cloud does not tell of changes")
    }

    package func copy(
        _ file: ItemReference, revision: String, to folder: ItemReference, name: String
    ) async throws(CloudStorageError) -> CloudItem {
        throw CloudStorageError(.unsupported, "this cloud does not copy files")
    }

    package func upload(
        _ content: LocalContent, name: String, to folder: ItemReference, onto target: UploadTarget
    ) async throws(CloudStorageError) -> CloudItem {
        guard target == .anything else {
            throw CloudStorageError(.unsupported, "this cloud does not check what it replaces")
        }
        return try await upload(content, name: name, to: folder)
    }

    package func download(
        _ file: ItemReference, revision: String?, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        try await download(file, range: range, to: sink)
    }

    package func delete(
        _ item: ItemReference, revision: String?
    ) async throws(CloudStorageError) {
        try await delete(item)
    }
}

/// What an upload may find under its name.
package enum UploadTarget: Hashable, Sendable {
    /// Whatever is there is replaced, as `capabilities.uploadOntoName` says.
    case anything
    /// Nothing.
    case nothing
    /// The file as it was when the server gave it this revision; it becomes the next one.
    case revision(String)
}

/// Where an item is to go: exactly one of the two set, unless the cloud relocates in one call.
package struct RelocationTarget: Hashable, Sendable {
    /// The new folder; nil keeps it.
    package var folder: ItemReference?
    /// The new name; nil keeps it.
    package var name: String?

    package init(folder: ItemReference? = nil, name: String? = nil) {
        self.folder = folder
        self.name = name
    }
}

/// The answer to a conditional listing.
package enum FolderListing: Sendable {
    /// The validator passed in still holds.
    case notModified
    /// All entries, the folder's own state, and the validator to pass next time (nil: none).
    case entries([CloudItem], validator: String?, folder: CloudItem)
}

/// One answer of the change feed.
package struct ChangePage: Sendable {
    package var items: [CloudItem]
    /// Pass it to the next call.
    package var cursor: String

    package init(items: [CloudItem], cursor: String) {
        self.items = items
        self.cursor = cursor
    }
}

/// A file on the local disk that is to be uploaded. It must not change until the upload ends.
package struct LocalContent: Hashable, Sendable {
    package var path: String
    /// Bytes, as they are sent; a file that has become shorter fails the upload with `localFile`.
    package var size: Int64
    /// The modification time the server is to keep, where `capabilities.setsModificationTime`.
    package var modified: FileTime?

    package init(path: String, size: Int64, modified: FileTime? = nil) {
        self.path = path
        self.size = size
        self.modified = modified
    }
}

/// Takes the bytes of a download as they arrive.
///
/// Calls come one after the other, on a thread of the transport that must not be kept waiting
/// longer than a disk write. Throwing ends the download with that error.
package protocol DownloadSink: AnyObject, Sendable {
    /// Called once before the first byte.
    /// - Parameters:
    ///   - offset: where in the file the bytes begin.
    ///   - totalSize: the whole file's size, where the server says it.
    func begin(offset: Int64, totalSize: Int64?) throws(CloudStorageError)

    /// The next bytes, in order, without gaps.
    func receive(_ bytes: UnsafeRawBufferPointer) throws(CloudStorageError)
}

/// What several questions are answered with, in their order.
private final class Answers: Sendable {
    private let values: Mutex<[String?]>

    init(count: Int) { values = Mutex([String?](repeating: nil, count: count)) }

    func set(_ answer: String?, at index: Int) { values.withLock { $0[index] = answer } }

    var all: [String?] { values.withLock { $0 } }
}
