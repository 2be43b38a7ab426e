import Synchronization

/// The messages that a server with a mail system would send: the newest thousand, until the server
/// stops. They hold passwords that the server made up, so that they are in memory only.
final class Outbox: Sendable {
    private static let maximum = 1_000

    private let kept = Mutex<[EmbeddedCloud.Message]>([])

    var messages: [EmbeddedCloud.Message] { kept.withLock { $0 } }

    /// Takes over what a call has written, once its change is durable.
    func send(_ letters: Letters) {
        let new = letters.take()
        if new.isEmpty { return }
        kept.withLock { kept in
            kept += new
            kept.removeFirst(max(0, kept.count - Self.maximum))
        }
    }
}

/// What one call has to tell people, if it succeeds.
final class Letters: Sendable {
    private let written = Mutex<[EmbeddedCloud.Message]>([])

    func write(_ message: EmbeddedCloud.Message) { written.withLock { $0.append(message) } }

    func take() -> [EmbeddedCloud.Message] {
        written.withLock { written in
            defer { written = [] }
            return written
        }
    }
}
