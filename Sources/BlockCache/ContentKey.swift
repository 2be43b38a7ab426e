package import CloudStorage

/// Names one content version: what the server held for one item under one revision.
package struct ContentKey: Hashable, Sendable {
    package let root: RootIdentifier
    /// The server's id of the file, or its path where the cloud has no ids.
    package let item: String
    /// The server's name for the version; never reused for other bytes.
    package let revision: String

    package init(root: RootIdentifier, item: String, revision: String) {
        self.root = root
        self.item = item
        self.revision = revision
    }
}
