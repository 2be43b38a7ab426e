/// What a command asks of a running driver: one line of JSON.
package struct ControlRequest: Codable, Sendable, Hashable {
    /// The commands.
    package enum Command: String, Codable, Sendable, Hashable {
        case status
        case unmount
    }

    package var command: Command
    /// With `unmount`: detach even where programs use the mount.
    package var lazily: Bool?

    package init(_ command: Command, lazily: Bool? = nil) {
        self.command = command
        self.lazily = lazily
    }

    /// Bytes of the longest request line.
    static let limit = 4096
}

/// The driver's answer: one line of JSON.
package struct ControlAnswer: Codable, Sendable, Hashable {
    package var status: MountReport?
    /// Why the request failed; nil where it didn't.
    package var failure: String?
    package var remedy: String?
    /// The driver is about to end; the connection ends with it.
    package var isEnding: Bool?

    package init(
        status: MountReport? = nil, failure: ServiceFailure? = nil, isEnding: Bool? = nil
    ) {
        self.status = status
        self.failure = failure?.message
        remedy = failure?.remedy
        self.isEnding = isEnding
    }

    /// Bytes of the longest answer line: a status with its bounded lists.
    static let limit = 1 << 20

    enum CodingKeys: String, CodingKey {
        case status, failure, remedy
        case isEnding = "is_ending"
    }
}
