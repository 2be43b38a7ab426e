package import CloudStorage
package import FileSystemTypes

/// A cloud for tests of one part: each call that a test does not provide is refused as
/// `unsupported`.
package protocol PartialCloud: CloudStorage {}

extension PartialCloud {
    private var refusal: CloudStorageError {
        CloudStorageError(.unsupported, "this test's cloud has no such call")
    }

    package var capabilities: Capabilities {
        Capabilities(
            supportsRanges: nil, uploadOntoName: nil, relocatesInOneCall: true,
            setsModificationTime: false, movesBetweenRoots: false, isCaseSensitive: true,
            lockSeconds: nil)
    }

    package func account() async throws(CloudStorageError) -> AccountDescription { throw refusal }

    package func list(
        _ folder: ItemReference, validator: String?
    ) async throws(CloudStorageError) -> FolderListing { throw refusal }

    package func item(_ reference: ItemReference) async throws(CloudStorageError) -> CloudItem {
        throw refusal
    }

    package func download(
        _ file: ItemReference, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) { throw refusal }

    package func upload(
        _ content: LocalContent, name: String, to folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem { throw refusal }

    package func createFolder(
        name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem { throw refusal }

    package func relocate(
        _ item: ItemReference, to destination: RelocationTarget
    ) async throws(CloudStorageError) -> CloudItem { throw refusal }

    package func delete(_ item: ItemReference) async throws(CloudStorageError) { throw refusal }

    package func lock(
        _ item: ItemReference, seconds: Int
    ) async throws(CloudStorageError) { throw refusal }

    package func unlock(_ item: ItemReference) async throws(CloudStorageError) { throw refusal }

    package func changes(
        in root: RootIdentifier, since cursor: String?
    ) async throws(CloudStorageError) -> ChangePage { throw refusal }
}
