package import CloudStorage
package import FileSystemTypes

/// A row of the state table as far as it speaks of the server.
package struct StoredServerItem: Sendable, Hashable {
    package var inode: InodeNumber
    /// The inode of the folder that the server has it in.
    package var folder: InodeNumber
    package var reference: ItemReference
    package var revision: String?
    /// Bytes; 0 for folders.
    package var size: Int64
}
