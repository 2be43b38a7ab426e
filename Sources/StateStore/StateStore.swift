package import FileSystemTypes
import Dispatch
import FoundationEssentials
import GRDB
import Synchronization

/// The durable state of one account: the inode table, attributes, intents and a few values.
///
/// One thread does all the work on the disk, in the order in which it was asked for: a read sees
/// every change that was enqueued before it. Everything but `init` may be called from any thread;
/// nothing but `init` (and `allocateInode` when its block has run out) blocks. Readers of a store
/// whose last write failed get that failure until a write has succeeded.
package final class StateStore: Sendable {
    /// The folder for files with unsent data: private, and on the same disk as the table.
    package let contentFolder: String
    /// Whether the table was damaged or lost and is new: the old file, where there was one, lies
    /// beside it as `state.sqlite.damaged-DATE`, and unsent content is still in `contentFolder`.
    package let wasRebuilt: Bool

    /// Nil once closed. Work is put on the connection's thread inside `withLock`, so that none can
    /// come after the last.
    private let connection: Mutex<DatabaseQueue?>
    private let pending = Mutex(PendingChanges<Waiter>())
    /// The last write is over: until then it takes along whatever comes, and answers who waits.
    private let isOver = Atomic(false)
    private let numbers: Mutex<NumberReservation>
    private let folder: Mutex<StateFolder?>
    private let writesNow: (@Sendable () -> Bool)?

    private typealias Waiter = @Sendable (Result<Void, FileSystemError>) -> Void

    /// Opens the state in `folder`, made (0700) where needed. Blocks on the disk.
    ///
    /// Throws `locked` where another process uses the folder, `notSupported` where a newer version
    /// made it.
    /// - Parameter writesNow: asked whenever something is queued that nobody waits for, whether the
    ///   caller is to write it, and not the store's thread when it comes to it: then it is certain
    ///   what `abandon` leaves.
    package convenience init(
        folder: String, writesNow: (@Sendable () -> Bool)? = nil
    ) throws(FileSystemError) {
        try self.init(folder: folder, migrations: StateSchema.migrations, writesNow: writesNow)
    }

    /// As `init(folder:)`, with a schema of given migrations (name, SQL), oldest first.
    package init(
        folder path: String, migrations: [(name: String, sql: String)],
        writesNow: (@Sendable () -> Bool)? = nil
    ) throws(FileSystemError) {
        self.writesNow = writesNow
        let folder = try StateFolder(path: path)
        let database = try StateDatabase(in: folder, migrator: StateSchema.migrator(migrations))
        var numbers = NumberReservation(first: database.nextNumber)
        let end = database.nextNumber + NumberReservation.smallestBlock
        do {
            try database.queue.inDatabase { db in try ChangeWriter(db: db).reserve(upTo: end) }
        } catch {
            throw StateDatabase.fileSystemError(error)
        }
        numbers.reserved(upTo: end)
        contentFolder = folder.contentPath
        wasRebuilt = database.wasRebuilt
        connection = Mutex(database.queue)
        self.numbers = Mutex(numbers)
        self.folder = Mutex(folder)
        if wasRebuilt {
            let now = Int64(Date().timeIntervalSince1970)
            enqueue([.setValue(key: Self.rebuiltKey, value: String(now))])
        }
    }

    // MARK: Numbers

    /// A number that was never handed out before and never will be again, not even after `kill -9`.
    ///
    /// Answers from memory. Blocks for one disk write only where numbers are used faster than the
    /// store's thread reserves them; where that write fails, the next transaction makes up for it.
    package func allocateInode() -> InodeNumber { InodeNumber(allocateNumber()) }

    /// The id for a new intent: greater than every earlier one.
    package func allocateIntentID() -> Int64 { Int64(bitPattern: allocateNumber()) }

    private func allocateNumber() -> UInt64 {
        while true {
            switch numbers.withLock({ $0.take() }) {
            case .number(let number, let end):
                if let end { reserve(upTo: end) {} }
                return number
            case .exhausted(let end):
                let done = DispatchSemaphore(value: 0)
                reserve(upTo: end) { done.signal() }
                done.wait()
            }
        }
    }

    private func reserve(upTo end: UInt64, then done: @escaping @Sendable () -> Void) {
        let isOpen = onThread { [self] db in
            do {
                try ChangeWriter(db: db).reserve(upTo: end)
            } catch {
                noteFailure(error)
            }
            numbers.withLock { $0.reserved(upTo: end) }
            done()
        }
        guard !isOpen else { return }
        // Closed: nothing that carries the number can be stored any more.
        numbers.withLock { $0.reserved(upTo: end) }
        done()
    }

    // MARK: Reads

    /// The record of an inode; nil where there is none.
    package func record(_ inode: InodeNumber) async throws(FileSystemError) -> InodeRecord? {
        try await read { try $0.record(inode) }
    }

    /// The records with this parent that were not removed; the top is not its own child.
    package func children(of folder: InodeNumber) async throws(FileSystemError) -> [InodeRecord] {
        try await read { try $0.children(of: folder) }
    }

    /// The records of server items, as many as are known; one query for thousands of keys.
    ///
    /// Where two records stand for one item, the one with the higher inode number is returned.
    package func records(
        for keys: [ItemKey]
    ) async throws(FileSystemError) -> [ItemKey: InodeRecord] {
        try await read { try $0.records(for: keys) }
    }

    /// The records whose two sides differ: unsent content, not or no longer to be on the server, or
    /// to be elsewhere on it.
    package func dirtyRecords() async throws(FileSystemError) -> [InodeRecord] {
        try await read { try $0.dirtyRecords() }
    }

    /// The folders that the server has, as far as they are known, and the files that something is
    /// unsent of; those with the lowest inode numbers first.
    package func serverFolders() async throws(FileSystemError) -> [StoredServerItem] {
        try await read { try $0.serverFolders() }
    }

    /// What the server has in a folder, as far as it is known; nothing of a folder that is not.
    package func serverItems(
        in folder: ItemKey
    ) async throws(FileSystemError) -> [StoredServerItem] {
        try await read { reader in
            guard let inode = try reader.records(for: [folder])[folder]?.inode else { return [] }
            return try reader.serverItems(in: inode)
        }
    }

    /// The folder that the server has an item in; nil where the item is not known.
    package func serverFolder(of item: ItemKey) async throws(FileSystemError) -> ItemKey? {
        try await read { reader in
            guard let record = try reader.records(for: [item])[item] else { return nil }
            let parent = record.serverPlace?.parent ?? record.parent
            return try reader.record(parent)?.server.map { ItemKey($0.reference) }
        }
    }

    /// The extended attributes of an inode.
    package func attributes(
        of inode: InodeNumber
    ) async throws(FileSystemError) -> [String: [UInt8]] {
        try await read { try $0.attributes(of: inode) }
    }

    /// The intents that were not removed, oldest first.
    package func intents() async throws(FileSystemError) -> [Intent] {
        try await read { try $0.intents() }
    }

    /// What `setValue` stored last under the key.
    package func value(forKey key: String) async throws(FileSystemError) -> String? {
        try await read { try $0.value(forKey: key) }
    }

    // MARK: Changes

    /// Queues changes and returns. They are written some milliseconds later, or with a commit or read
    /// before that, many callers' in one transaction.
    ///
    /// A write that fails makes the store `failure`; its changes are kept, in order, and tried
    /// again with the next commit or read. Callers should slow down while `isBehind`.
    package func enqueue(_ changes: [StateChange]) {
        let duty = pending.withLock { $0.add(changes, waiter: nil, durability: .normal) }
        guard let queue = connection.withLock({ $0 }) else { return failPending(Self.closed) }
        if let writesNow {
            if writesNow() { queue.writeWithoutTransaction { db in writePending(db) } }
            return
        }
        guard case .runWhenFree = duty else { return }
        // A program's next change of the same item, or its commit, mostly follows at once.
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.collectingTime) { [self] in
            let isOpen = onThread { [self] db in
                if pending.withLock({ $0.threadIsFree() }) { writePending(db) }
            }
            if !isOpen { failPending(Self.closed) }
        }
    }

    /// How long what nobody waits for is collected before it is written.
    private static let collectingTime = DispatchTimeInterval.milliseconds(10)

    /// Queues changes and returns when they, and all before them, are committed.
    ///
    /// - Throws: why the write failed; the changes stay queued (see `enqueue`), so that a later
    ///   commit that succeeds has written these too.
    package func commit(
        _ changes: [StateChange], durability: Durability
    ) async throws(FileSystemError) {
        typealias Answer = Result<Void, FileSystemError>
        let result = await withCheckedContinuation {
            (waiting: CheckedContinuation<Answer, Never>) in
            let duty = pending.withLock {
                $0.add(changes, waiter: { waiting.resume(returning: $0) }, durability: durability)
            }
            guard case .run = duty else { return }
            if !onThread({ [self] db in writePending(db) }) { failPending(Self.closed) }
        }
        try result.get()
    }

    /// As `commit`, on the caller's thread, which waits for the disk: for one change at a time it takes
    /// a fraction of the time.
    ///
    /// Returns nil, and has done nothing, where other changes are being written; then `commit` is
    /// the better way, since one transaction takes them all.
    package func commitNow(
        _ changes: [StateChange], durability: Durability
    ) -> Result<Void, FileSystemError>? {
        guard let queue = connection.withLock({ $0 }) else { return .failure(Self.closed) }
        let answer = AnswerBox()
        let isAdded = pending.withLock { pending in
            guard pending.isCalm else { return false }
            _ = pending.add(changes, waiter: { answer.set($0) }, durability: durability)
            return true
        }
        guard isAdded else { return nil }
        queue.writeWithoutTransaction { db in writePending(db) }
        return answer.value ?? .failure(Self.closed)
    }

    /// Whether more changes wait than the store takes without losing ground.
    package var isBehind: Bool { pending.withLock { $0.isBehind } }

    /// Why the last write failed; nil where it succeeded.
    package var failure: FileSystemError? { pending.withLock { $0.failure } }

    /// Writes what is queued and gives the folder back. Later calls fail with `inputOutput`.
    package func close() async {
        let queue = connection.withLock { $0.take() }
        guard let queue else { return }
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            queue.asyncWriteWithoutTransaction { [self] db in
                writePending(db)
                isOver.store(true, ordering: .sequentiallyConsistent)
                failPending(Self.closed)
                done.resume()
            }
        }
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            // Closing waits for the connection's thread and writes the log into the table.
            DispatchQueue.global().async { [self] in
                do { try queue.close() } catch { noteFailure(error) }
                done.resume()
            }
        }
        folder.withLock { $0 = nil }
    }

    /// Ends without writing what is queued: the folder is as kill -9 leaves it, but for the log,
    /// which is written into the table. Those who wait are told that the state is closed.
    package func abandon() async {
        let queue = connection.withLock { $0.take() }
        guard let queue else { return }
        isOver.store(true, ordering: .sequentiallyConsistent)
        failPending(Self.closed)
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            DispatchQueue.global().async { [self] in
                do { try queue.close() } catch { noteFailure(error) }
                done.resume()
            }
        }
        failPending(Self.closed)
        folder.withLock { $0 = nil }
    }

    // MARK: The store's thread

    private static let closed = FileSystemError(.inputOutput, "the account's state is closed")

    /// Runs `work` on the store's thread, after everything asked for before.
    /// - Returns: false where the store is closed, and `work` will not run.
    private func onThread(_ work: @escaping @Sendable (Database) -> Void) -> Bool {
        connection.withLock { queue in
            queue?.asyncWriteWithoutTransaction(work)
            return queue != nil
        }
    }

    func read<Value: Sendable>(
        _ question: @escaping @Sendable (StateReader) throws -> Value
    ) async throws(FileSystemError) -> Value {
        typealias Answer = Result<Value, FileSystemError>
        let answer = await withCheckedContinuation { (waiter: CheckedContinuation<Answer, Never>) in
            let isOpen = onThread { [self] db in
                writePending(db)
                if let failure {
                    waiter.resume(returning: .failure(failure))
                    return
                }
                do {
                    waiter.resume(returning: .success(try question(StateReader(db: db))))
                } catch {
                    noteDamage(error)
                    waiter.resume(returning: .failure(StateDatabase.fileSystemError(error)))
                }
            }
            if !isOpen { waiter.resume(returning: .failure(Self.closed)) }
        }
        return try answer.get()
    }

    /// Writes all that waits in one transaction and tells those who wait for it.
    private func writePending(_ db: Database) {
        let next = pending.withLock { pending in
            let next = pending.takeBatch()
            // Nothing waits, so nothing is lost: a failure to reserve numbers is over.
            if next == nil { pending.succeeded() }
            return next
        }
        guard let batch = next else { return }
        let result: Result<Void, FileSystemError>
        do {
            if !batch.changes.isEmpty || !pending.withLock({ $0.isStable }) {
                try ChangeWriter(db: db).commit(batch.changes, durability: batch.durability)
            }
            let durability = batch.durability
            pending.withLock { $0.wrote(durability) }
            result = .success(())
        } catch {
            noteDamage(error)
            let failure = StateDatabase.fileSystemError(error)
            pending.withLock { $0.failed(failure, returning: batch.changes) }
            result = .failure(failure)
        }
        for waiter in batch.waiters { waiter(result) }
    }

    /// Ends the wait of everyone who came after the last write.
    private func failPending(_ error: FileSystemError) {
        guard isOver.load(ordering: .sequentiallyConsistent) else { return }
        let batch = pending.withLock { pending in
            let batch = pending.takeBatch()
            if batch != nil { pending.failed(error, returning: []) }
            return batch
        }
        for waiter in batch?.waiters ?? [] { waiter(.failure(error)) }
    }

    private func noteFailure(_ error: any Error) {
        noteDamage(error)
        pending.withLock { $0.failed(StateDatabase.fileSystemError(error), returning: []) }
    }

    /// Has a damaged table checked, and set aside, by the next start.
    private func noteDamage(_ error: any Error) {
        guard StateDatabase.isDamage(error) else { return }
        do {
            try folder.withLock { try $0?.markForCheck() }
        } catch {
            pending.withLock { $0.failed(StateDatabase.fileSystemError(error), returning: []) }
        }
    }
}

/// Keeps the answer for a caller that waits on its own thread.
private final class AnswerBox: Sendable {
    private let answer = Mutex<Result<Void, FileSystemError>?>(nil)

    var value: Result<Void, FileSystemError>? { answer.withLock { $0 } }

    func set(_ result: Result<Void, FileSystemError>) { answer.withLock { $0 = result } }
}
