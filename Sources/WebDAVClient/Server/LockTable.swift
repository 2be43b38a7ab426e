/// The locks this client holds, by path. No clock, no I/O.
struct LockTable: Sendable {
    /// The most locks remembered; the server ends forgotten ones by itself.
    static let maximumLocks = 20_000

    struct Lock: Sendable, Hashable {
        var token: String
        /// A folder's lock covers all below it.
        var isFolder: Bool
    }

    private var locks: [RemotePath: Lock] = [:]

    var tokens: Set<String> { Set(locks.values.map(\.token)) }

    func lock(of path: RemotePath) -> Lock? { locks[path] }

    /// Whether a token is that of a lock on something else.
    func hasToken(_ token: String, notOf path: RemotePath) -> Bool {
        locks.contains { $0.value.token == token && $0.key != path }
    }

    /// Whether a folder above is locked.
    func isCovered(_ path: RemotePath) -> Bool {
        locks.contains { $0.value.isFolder && $0.key != path && $0.key.contains(path) }
    }

    mutating func add(_ lock: Lock, to path: RemotePath) {
        if locks.count >= Self.maximumLocks { locks.removeAll() }
        locks[path] = lock
    }

    mutating func remove(_ path: RemotePath) { locks[path] = nil }

    /// Forgets the locks of what is at or below a path: it was moved away or deleted.
    mutating func removeAll(below path: RemotePath) {
        guard !locks.isEmpty else { return }
        locks = locks.filter { !path.contains($0.key) }
    }

    /// The locks that a change of these paths needs the tokens of: on them, above or below them.
    func concerned(by paths: [RemotePath]) -> [(path: RemotePath, lock: Lock)] {
        guard !locks.isEmpty else { return [] }
        return locks.filter { entry in
            paths.contains { path in
                path.contains(entry.key) || (entry.value.isFolder && entry.key.contains(path))
            }
        }
        .sorted { $0.key.parts.count < $1.key.parts.count }
        .map { ($0.key, $0.value) }
    }
}
