import Synchronization

/// How many requests of each kind arrived, by `METHOD kind`.
final class RequestCounts: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    /// Methods outside the known ones share one entry, so that the table stays bounded.
    func add(method: String, kind: String) {
        let known = ["GET", "POST", "PUT", "DELETE", "HEAD"].contains(method) ? method : "OTHER"
        counts.withLock { $0["\(known) \(kind)", default: 0] += 1 }
    }

    var all: [String: Int] { counts.withLock { $0 } }

    func reset() { counts.withLock { $0 = [:] } }
}
