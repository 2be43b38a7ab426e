/// How many things to fetch before a program asks for them: grows while what was fetched is used,
/// shrinks when the program goes another way.
///
/// A value without clock: times are seconds of any fixed clock that only goes forward.
struct AheadWindow: Sendable {
    /// Seconds after which what was fetched and not used no longer counts.
    static let forgetsAfter: Double = 30

    private let first: Int
    private let limit: Int
    /// How many may be fetched and not yet used; none until a walk was recognised.
    private(set) var size = 0
    /// Fetched, or being fetched, and not used yet.
    private(set) var waiting: Set<UInt64> = []
    private var movedAt: Double = -.infinity

    /// - Parameters:
    ///   - first: how many are fetched once a walk was recognised.
    ///   - limit: how many at most.
    init(first: Int, limit: Int) {
        self.first = first
        self.limit = limit
    }

    /// How many more may be begun.
    var room: Int { max(0, size - waiting.count) }

    /// A walk was recognised: begins with so many at least.
    mutating func open(atLeast count: Int = 0, at now: Double) {
        size = min(limit, max(size, first, count))
        movedAt = now
    }

    /// Something is used. Returns whether it had been fetched ahead.
    mutating func used(_ id: UInt64, at now: Double) -> Bool {
        if now - movedAt > Self.forgetsAfter {
            waiting = []
            size = 0
        }
        guard waiting.remove(id) != nil else { return false }
        movedAt = now
        size = min(limit, size * 2)
        return true
    }

    /// Something else was used than what had been fetched, of which nothing before `passed` will be.
    mutating func missed(passed: UInt64 = 0) {
        guard !waiting.isEmpty else { return }
        waiting = waiting.filter { $0 > passed }
        size /= 2
    }

    mutating func begin(_ id: UInt64) { waiting.insert(id) }

    /// It could not be fetched, or did not have to be.
    mutating func drop(_ id: UInt64) { waiting.remove(id) }
}
