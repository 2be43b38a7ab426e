package import CloudStorage
package import FileSystemTypes

/// What the server has acknowledged of one inode.
package struct ServerSide: Sendable, Hashable {
    package var reference: ItemReference
    /// Of the content the server holds; nil for folders.
    package var revision: String?
    /// Bytes; 0 for folders.
    package var size: Int64
    /// The server's time of the last change; nil where it keeps none.
    package var modified: FileTime?
    package var permissions: ItemPermissions
    /// By somebody else.
    package var isLocked: Bool
    /// Who holds that lock, as far as the server says.
    package var lockHolder: String?
    /// When it ends by itself, as far as the server says.
    package var lockExpires: FileTime?

    package init(
        reference: ItemReference, revision: String? = nil, size: Int64 = 0,
        modified: FileTime? = nil, permissions: ItemPermissions = .all, isLocked: Bool = false,
        lockHolder: String? = nil, lockExpires: FileTime? = nil
    ) {
        self.reference = reference
        self.revision = revision
        self.size = size
        self.modified = modified
        self.permissions = permissions
        self.isLocked = isLocked
        self.lockHolder = lockHolder
        self.lockExpires = lockExpires
    }
}
