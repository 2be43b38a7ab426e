package import FileSystemTypes

/// Attributes that the cloud can't keep (DESIGN section 8); nil where nobody has set one.
package struct LocalOverlay: Sendable, Hashable {
    /// Permission bits only (0o7777).
    package var mode: UInt16?
    package var userID: UInt32?
    package var groupID: UInt32?
    package var modified: FileTime?
    package var changed: FileTime?
    package var accessed: FileTime?
    /// The times hold for this revision only; nil for folders and for what is only on this machine.
    package var revision: String?

    package init(
        mode: UInt16? = nil, userID: UInt32? = nil, groupID: UInt32? = nil,
        modified: FileTime? = nil, changed: FileTime? = nil, accessed: FileTime? = nil,
        revision: String? = nil
    ) {
        self.mode = mode
        self.userID = userID
        self.groupID = groupID
        self.modified = modified
        self.changed = changed
        self.accessed = accessed
        self.revision = revision
    }
}
