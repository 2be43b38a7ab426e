import Synchronization

/// How many requests of each kind arrived, by `METHOD kind`, how many there were at a time, and
/// which came last.
final class RequestCounts: Sendable {
    private struct State {
        var counts: [String: Int] = [:]
        var running: [String: Int] = [:]
        var peaks: [String: Int] = [:]
        var latest: [String] = []
    }

    /// As many of the last requests are remembered, and up to twice as many.
    private static let remembered = 1_024

    private static let methods: Set<String> = [
        "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PROPFIND", "PROPPATCH", "MKCOL", "MOVE",
        "COPY", "LOCK", "UNLOCK",
    ]

    private let state = Mutex(State())

    /// A request begins. Methods outside the known ones share one entry, so that the table stays
    /// bounded. Returns the entry, for `end`.
    func begin(method: String, kind: String, path: String) -> String {
        let known = Self.methods.contains(method) ? method : "OTHER"
        let entry = "\(known) \(kind)"
        state.withLock { state in
            state.counts[entry, default: 0] += 1
            let now = (state.running[entry] ?? 0) + 1
            state.running[entry] = now
            state.peaks[entry] = max(state.peaks[entry] ?? 0, now)
            state.latest.append("\(known) \(path)")
            if state.latest.count > Self.remembered * 2 {
                state.latest.removeFirst(Self.remembered)
            }
        }
        return entry
    }

    func end(_ entry: String) { state.withLock { $0.running[entry, default: 1] -= 1 } }

    func running(_ entry: String) -> Int { state.withLock { $0.running[entry] ?? 0 } }

    var all: [String: Int] { state.withLock { $0.counts } }

    /// The most requests of each kind that were under way at the same time.
    var peaks: [String: Int] { state.withLock { $0.peaks } }

    /// The last requests as `METHOD path`, in the order in which they arrived.
    var latest: [String] { state.withLock { $0.latest } }

    func reset() {
        state.withLock { state in
            state.counts = [:]
            state.peaks = [:]
            state.latest = []
        }
    }
}
