package import FileSystemTypes

/// A server change of several steps, recorded before each step so that a crash can't lose it.
package struct Intent: Sendable, Hashable {
    /// From `StateStore.allocateIntentID()`; ascends with the order in which intents were made.
    package var id: Int64
    /// What the owner of the intent calls this sort of change.
    package var kind: String
    /// JSON, known to the owner only.
    package var payload: [UInt8]
    package var createdAt: FileTime

    package init(id: Int64, kind: String, payload: [UInt8], createdAt: FileTime) {
        self.id = id
        self.kind = kind
        self.payload = payload
        self.createdAt = createdAt
    }
}
