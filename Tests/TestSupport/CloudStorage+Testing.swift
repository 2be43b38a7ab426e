package import CloudStorage
package import FileSystemTypes

/// Shortcuts for tests over any cloud.
extension CloudStorage {
    /// Uploads bytes by way of a file in `folder`.
    package func upload(
        _ bytes: [UInt8], name: String, to parent: ItemReference, from folder: TemporaryFolder
    ) async throws -> CloudItem {
        let path = try folder.write(bytes, to: "upload-\(UInt64.random(in: 0 ... .max))")
        return try await upload(
            LocalContent(path: path, size: Int64(bytes.count)), name: name, to: parent)
    }

    /// All bytes, or those of a range as the server sends them.
    package func bytes(
        of item: CloudItem, range: ByteRange? = nil
    ) async throws -> [UInt8] {
        let sink = RecordingSink()
        try await download(item.reference, range: range, to: sink)
        return sink.bytes
    }

    /// The entries of a folder by name.
    package func entries(of folder: ItemReference) async throws -> [String: CloudItem] {
        guard case .entries(let items, _, _) = try await list(folder, validator: nil) else {
            throw CloudStorageError(.invalidAnswer, "no entries")
        }
        return Dictionary(items.map { ($0.name, $0) }) { first, _ in first }
    }
}

/// The kind of error that `body` throws; nil where it throws none.
package func failureKind(
    _ body: () async throws -> Void
) async throws -> CloudStorageError.Kind? {
    do {
        try await body()
        return nil
    } catch let error as CloudStorageError {
        return error.kind
    }
}
