package import CloudStorage

/// Where the feed's cursors outlive the process.
package struct CursorStorage: Sendable {
    /// Where each root's feed goes on; a root without one starts from now.
    package var initial: [RootIdentifier: String]
    /// Told of each new cursor after the receiver has handled what came before it; nil: the server
    /// no longer takes the old one. Must not block.
    package var store: @Sendable (RootIdentifier, String?) -> Void

    package init(
        initial: [RootIdentifier: String] = [:],
        store: @escaping @Sendable (RootIdentifier, String?) -> Void = { _, _ in }
    ) {
        self.initial = initial
        self.store = store
    }
}
