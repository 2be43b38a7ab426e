package import FileSystemTypes

/// Keeps every driver off one account's state, without opening it, for as long as this object lives.
package final class StateOwnership: Sendable {
    private let folder: StateFolder

    /// Bytes that no server has yet are in here.
    package var contentFolder: String { folder.contentPath }

    /// Takes the state in `folder`, made (0700) where needed. Blocks on the disk. `locked` where
    /// another process uses it.
    package init(folder path: String) throws(FileSystemError) {
        folder = try StateFolder(path: path)
    }

    /// Where the lock of the state in a folder is.
    package static func lockFile(of folder: String) -> String { StateFolder.lockPath(in: folder) }
}
