import GRDB
import Synchronization

/// The server's SQLite database: many readers, and one writer that commits in groups.
///
/// Writes that arrive while a commit is under way share the next one, so that its sync to disk is
/// paid once. All work runs on the database's own queues. A write has returned only when it is
/// durable.
final class CloudDatabase: Sendable {
    private static let maximumGroup = 64
    private static let maximumWaiting = 4096
    private static let maximumSnapshots = 16

    /// Hears of every commit that changes files or folders.
    let changes = ChangeHub()
    private let pool: DatabasePool
    private let waiting = Mutex(Waiting())
    private let snapshots = Mutex(0)

    private struct Waiting {
        var writes: [PendingWrite] = []
        var isDraining = false
    }

    /// A write in the queue. Exactly one of `succeed` (from `run`) and `fail` is called.
    private struct PendingWrite: Sendable {
        /// Folders to sync before the commit.
        let syncing: [String]
        let run: @Sendable (Database) throws -> @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
    }

    /// Opens or makes the database and brings its tables up to date; blocks on the disk.
    init(folder: DataFolder) throws {
        var configuration = GRDB.Configuration()
        configuration.label = "ordner.server.database"
        configuration.maximumReaderCount = 6
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA cache_size = -16000")
        }
        pool = try DatabasePool(path: folder.database, configuration: configuration)
        let migrator = Schema.migrator
        if try pool.read(migrator.hasBeenSuperseded) {
            throw EmbeddedCloudError.dataFolderTooNew(folder.path)
        }
        try migrator.migrate(pool)
        pool.add(transactionObserver: changes)
    }

    /// Runs a read on its own consistent view.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws
        -> Value
    {
        try await pool.read(body)
    }

    /// Blocking form for the start of the server.
    func readBlocking<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try pool.read(body)
    }

    /// Runs a write in a savepoint of its own and returns when it is durable.
    ///
    /// - Parameter syncing: folders whose renames must be durable before the commit.
    func write<Value: Sendable>(
        syncing: [String] = [], _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            enqueue(
                PendingWrite(syncing: syncing) { db in
                    let value = try body(db)
                    return { continuation.resume(returning: value) }
                } fail: {
                    continuation.resume(throwing: $0)
                })
        }
    }

    private func enqueue(_ write: PendingWrite) {
        enum Step { case start, queued, refused }
        let step = waiting.withLock { state -> Step in
            guard state.writes.count < Self.maximumWaiting else { return .refused }
            state.writes.append(write)
            if state.isDraining { return .queued }
            state.isDraining = true
            return .start
        }
        switch step {
        case .queued: break
        case .refused: write.fail(APIError.temporarilyUnavailable)
        case .start:
            pool.asyncWriteWithoutTransaction { db in self.drain(db) }
        }
    }

    private func drain(_ db: Database) {
        while true {
            let group = waiting.withLock { state -> [PendingWrite] in
                let group = Array(state.writes.prefix(Self.maximumGroup))
                state.writes.removeFirst(group.count)
                if group.isEmpty { state.isDraining = false }
                return group
            }
            if group.isEmpty { return }
            commit(group, db)
        }
    }

    private func commit(_ group: [PendingWrite], _ db: Database) {
        var outcomes: [Result<@Sendable () -> Void, any Error>] = []
        do {
            try db.inTransaction(.immediate) {
                var folders: Set<String> = []
                for write in group {
                    outcomes.append(try run(write, db))
                    folders.formUnion(write.syncing)
                }
                for folder in folders { try SystemFile.syncFolder(folder) }
                return .commit
            }
        } catch {
            for write in group { write.fail(error) }
            return
        }
        for (write, outcome) in zip(group, outcomes) {
            switch outcome {
            case .success(let succeed): succeed()
            case .failure(let error): write.fail(error)
            }
        }
    }

    /// A write's own failure undoes that write only; a lost transaction is thrown.
    private func run(_ write: PendingWrite, _ db: Database) throws
        -> Result<@Sendable () -> Void, any Error>
    {
        var succeed: (@Sendable () -> Void)?
        do {
            try db.inSavepoint {
                succeed = try write.run(db)
                return .commit
            }
        } catch {
            if !db.isInsideTransaction { throw error }
            return .failure(error)
        }
        return succeed.map { .success($0) } ?? .failure(APIError.unknown)
    }

    /// A view that stays the same over many reads; throws `temporarily_unavailable` when too many
    /// are open. Blocks on the disk.
    func snapshot() throws -> DatabaseView {
        let isFree = snapshots.withLock { count in
            guard count < Self.maximumSnapshots else { return false }
            count += 1
            return true
        }
        guard isFree else { throw APIError.temporarilyUnavailable }
        do {
            return DatabaseView(snapshot: try pool.makeSnapshot()) { [snapshots = self] in
                snapshots.releaseSnapshot()
            }
        } catch {
            releaseSnapshot()
            throw error
        }
    }

    private func releaseSnapshot() { snapshots.withLock { $0 -= 1 } }

    /// Waits for running work and closes; blocks.
    func close() throws { try pool.close() }
}

/// One unchanging view of the database; given back with its last reference.
final class DatabaseView: Sendable {
    private let snapshot: DatabaseSnapshot
    private let release: @Sendable () -> Void

    init(snapshot: DatabaseSnapshot, release: @escaping @Sendable () -> Void) {
        self.snapshot = snapshot
        self.release = release
    }

    deinit { release() }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws
        -> Value
    {
        try await snapshot.read(body)
    }
}
