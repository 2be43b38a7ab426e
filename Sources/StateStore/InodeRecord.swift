package import FileSystemTypes

/// The folder and name that the server has an item under.
package struct RecordedPlace: Sendable, Hashable {
    package var parent: InodeNumber
    /// As the server spells it.
    package var name: String

    package init(parent: InodeNumber, name: String) {
        self.parent = parent
        self.name = name
    }
}

/// One row of the inode table: what this machine wants of an inode, and what the server has of it.
package struct InodeRecord: Sendable, Hashable {
    package var inode: InodeNumber
    /// The top of the mount is its own parent.
    package var parent: InodeNumber
    package var name: String
    package var kind: FileKind
    /// Nil where the item is only on this machine.
    package var server: ServerSide?
    package var overlay: LocalOverlay
    /// Set for symbolic links.
    package var symlinkTarget: String?
    /// True for names that never go to the server (`--local-only`, symbolic links kept here).
    package var isLocalOnly: Bool
    /// Name of the file with unsent content in `StateStore.contentFolder`; nil where there is none.
    package var contentFile: String?
    /// Local size in bytes where `contentFile` is set.
    package var size: Int64?
    /// Byte ranges of `contentFile` that are still to come from the version in `server`.
    package var missingContent: [ByteRange]
    /// Where the server has the item, where that is not `parent` and `name`.
    package var serverPlace: RecordedPlace?
    /// Removed here, but not yet on the server; `parent` and `name` are those it had.
    package var isRemoved: Bool
    /// Folders: the validator of the last listing.
    package var listingValidator: String?
    /// Folders: the children in the table are the complete last listing.
    package var isListed: Bool
    /// Not stored: tells which of two descriptions of an inode is the newer one, where threads hand
    /// them over in another order than they were made in. 0 where that can't happen.
    package var version: UInt64 = 0

    package init(
        inode: InodeNumber, parent: InodeNumber, name: String, kind: FileKind,
        server: ServerSide? = nil, overlay: LocalOverlay = LocalOverlay(),
        symlinkTarget: String? = nil, isLocalOnly: Bool = false, contentFile: String? = nil,
        size: Int64? = nil, missingContent: [ByteRange] = [], serverPlace: RecordedPlace? = nil,
        isRemoved: Bool = false, listingValidator: String? = nil, isListed: Bool = false
    ) {
        self.inode = inode
        self.parent = parent
        self.name = name
        self.kind = kind
        self.server = server
        self.overlay = overlay
        self.symlinkTarget = symlinkTarget
        self.isLocalOnly = isLocalOnly
        self.contentFile = contentFile
        self.size = size
        self.missingContent = missingContent
        self.serverPlace = serverPlace
        self.isRemoved = isRemoved
        self.listingValidator = listingValidator
        self.isListed = isListed
    }

    /// Whether nothing but times of the overlay tells it from another row.
    package func differsInTimesOnly(from other: InodeRecord) -> Bool {
        var mine = self
        mine.version = other.version
        mine.overlay.modified = other.overlay.modified
        mine.overlay.changed = other.overlay.changed
        mine.overlay.accessed = other.overlay.accessed
        return mine == other
    }
}
