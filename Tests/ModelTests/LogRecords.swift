import Logging
import Synchronization

/// The last lines of a driver's log, for the message of a failed run.
final class LogRecords: LogHandler {
    private let lines = Mutex<[String]>([])

    var last: [String] { lines.withLock { $0 } }

    func add(_ line: String) {
        lines.withLock { lines in
            lines.append(line)
            if lines.count > 20_000 { lines.removeFirst(10_000) }
        }
    }

    func log(event: LogEvent) {
        let details = (event.metadata ?? [:]).sorted { $0.key < $1.key }
            .map { "\($0.key): \($0.value)" }
        add("    \(event.level) \(event.message) \(details.joined(separator: ", "))")
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    var logLevel: Logger.Level {
        get { .debug }
        set {}
    }
}
