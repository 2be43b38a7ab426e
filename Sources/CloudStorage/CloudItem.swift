package import FileSystemTypes

/// The server's name for one root (a tree of its own: a person's files, a team share).
package struct RootIdentifier: Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String

    package init(_ rawValue: String) { self.rawValue = rawValue }

    package var description: String { rawValue }
}

/// Points at one item of a cloud: by the server's stable id where there is one, and by its path.
///
/// Id-addressed clouds use `id` and ignore `path`; path-addressed ones do the reverse.
package struct ItemReference: Hashable, Sendable, Codable {
    /// What the server holds under the reference.
    package enum Kind: UInt8, Sendable, Codable {
        /// The top folder of a root; `id` is nil.
        case root = 0
        case folder = 1
        case file = 2
    }

    package var root: RootIdentifier
    package var kind: Kind
    /// Stable over rename and move; ids of files and of folders are spaces of their own.
    package var id: String?
    /// Absolute within the root, `/` for its top, as the server spells it.
    package var path: String

    package init(root: RootIdentifier, kind: Kind, id: String?, path: String) {
        self.root = root
        self.kind = kind
        self.id = id
        self.path = path
    }

    /// The top folder of a root.
    package static func top(of root: RootIdentifier) -> ItemReference {
        ItemReference(root: root, kind: .root, id: nil, path: "/")
    }

    package var isFolder: Bool { kind != .file }
}

/// What the signed-in person may do with an item.
package struct ItemPermissions: OptionSet, Hashable, Sendable, Codable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let read = ItemPermissions(rawValue: 1)
    package static let write = ItemPermissions(rawValue: 2)

    package static let all: ItemPermissions = [.read, .write]
}

/// One file or folder as the server last described it.
package struct CloudItem: Hashable, Sendable {
    package var reference: ItemReference
    /// The last part of the path; checked at the seam: not empty, no `/`, no NUL, not `.` or `..`.
    package var name: String
    /// Bytes; 0 for folders.
    package var size: Int64
    /// Changes with every new content; nil for folders.
    package var revision: String?
    /// The server's time of the last change; nil where it keeps none.
    package var modified: FileTime?
    package var permissions: ItemPermissions
    package var isLocked: Bool
    /// Who holds the lock, as far as the server says.
    package var lockHolder: String?
    /// When the lock ends by itself, as far as the server says.
    package var lockExpires: FileTime?
    /// True in answers that include deleted items.
    package var isDeleted: Bool

    package init(
        reference: ItemReference, name: String, size: Int64, revision: String?,
        modified: FileTime?, permissions: ItemPermissions = .all, isLocked: Bool = false,
        lockHolder: String? = nil, lockExpires: FileTime? = nil, isDeleted: Bool = false
    ) {
        self.reference = reference
        self.name = name
        self.size = size
        self.revision = revision
        self.modified = modified
        self.permissions = permissions
        self.isLocked = isLocked
        self.lockHolder = lockHolder
        self.lockExpires = lockExpires
        self.isDeleted = isDeleted
    }
}

/// One root of the account.
package struct CloudRoot: Hashable, Sendable, Codable {
    package var id: RootIdentifier
    package var name: String
    package var permissions: ItemPermissions
    package var isLocked: Bool

    package init(
        id: RootIdentifier, name: String, permissions: ItemPermissions = .all,
        isLocked: Bool = false
    ) {
        self.id = id
        self.name = name
        self.permissions = permissions
        self.isLocked = isLocked
    }
}
