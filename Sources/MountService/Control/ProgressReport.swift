/// How far sending has come, for a part of a mount or all of it.
package struct ProgressReport: Codable, Sendable, Hashable {
    /// Changes that the server doesn't have yet.
    package var remaining: Int
    package var remainingBytes: Int64
    /// Of `remaining`, those that failed, with the reasons; at most `MountReport.listLimit`.
    package var failed: [MountReport.Unsent]
    package var failedCount: Int

    /// Whether there is nothing to wait for: everything is sent, or what is left failed.
    package var isOver: Bool { remaining <= failedCount }

    enum CodingKeys: String, CodingKey {
        case remaining, failed
        case remainingBytes = "remaining_bytes"
        case failedCount = "failed_count"
    }
}
