package import CloudStorage

/// Where an item is on the server: a folder and a name in it.
package struct Placement: Hashable, Sendable, Codable {
    /// The folder, by what identifies it on the server.
    package var folder: FolderKey
    package var name: String

    package init(folder: FolderKey, name: String) {
        self.folder = folder
        self.name = name
    }
}

/// What identifies a folder on the server: its id where it has one, else its path.
package struct FolderKey: Hashable, Sendable, Codable {
    package var root: RootIdentifier
    /// Nil for the top of the root.
    package var id: String?

    package init(root: RootIdentifier, id: String?) {
        self.root = root
        self.id = id
    }

    package init(_ folder: ItemReference) {
        root = folder.root
        switch folder.kind {
        case .root: id = nil
        case .folder, .file: id = folder.id ?? folder.path
        }
    }
}
