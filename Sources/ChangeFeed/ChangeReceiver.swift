package import CloudStorage

/// What the feed asks and tells the file system. Calls may come in parallel, from any task.
package protocol ChangeReceiver: Sendable {
    /// Items that the server reports as changed; the cursor advances when this has returned.
    ///
    /// Items may be reported again, and may be deleted.
    func changed(_ items: [CloudItem], in root: RootIdentifier) async

    /// Asks for a conditional listing of a folder, which the receiver does and applies.
    func revalidate(_ folder: ItemReference) async throws(CloudStorageError)

    /// Folders recently used, most recent first.
    func foldersInUse() -> [ItemReference]

    /// The roots of which changes are wanted.
    func rootsInUse() -> [RootIdentifier]
}
