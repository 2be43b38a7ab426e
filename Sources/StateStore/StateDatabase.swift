import FileSystemTypes
import FoundationEssentials
import GRDB

/// The open database of a state folder.
struct StateDatabase {
    let queue: DatabaseQueue
    /// The end of the last reservation of numbers.
    let nextNumber: UInt64
    /// Whether a damaged or lost database was replaced by an empty one.
    let wasRebuilt: Bool

    /// Opens or makes the database, brings it to the current schema, and checks it where the last
    /// owner didn't close it. A damaged one is set aside and replaced. Blocks on the disk.
    init(
        in folder: StateFolder, migrator: DatabaseMigrator
    ) throws(FileSystemError) {
        let hadContent = try folder.hasContent()
        do {
            let opened = try Self.open(folder, migrator, replaces: hadContent)
            (queue, nextNumber, wasRebuilt) = opened
        } catch let error where Self.isDamage(error) {
            try folder.setDatabaseAside()
            do {
                (queue, nextNumber, wasRebuilt) = try Self.open(folder, migrator, replaces: true)
            } catch {
                throw Self.fileSystemError(error)
            }
        } catch {
            throw Self.fileSystemError(error)
        }
        try folder.clearMark()
    }

    /// The first number ever handed out; 1 is the top of the mount.
    private static let firstNumber: UInt64 = 2

    /// Up to this many bytes a database is checked at every start, which takes milliseconds.
    private static let alwaysCheckedSize: Int64 = 16 << 20

    /// - Parameter replaces: whether a table that turns out to be new stands for one that was lost.
    private static func open(
        _ folder: StateFolder, _ migrator: DatabaseMigrator, replaces: Bool
    ) throws -> (DatabaseQueue, UInt64, wasRebuilt: Bool) {
        let size = folder.size(of: folder.databasePath)
        let needsCheck = folder.needsCheck() || (size ?? 0) <= alwaysCheckedSize
        try folder.createDatabaseFile()
        let queue = try DatabaseQueue(path: folder.databasePath, configuration: configuration())
        try queue.inDatabase { db in
            // Before anything is written: GRDB's own WAL mode would write at once.
            if needsCheck { try check(db) }
            let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
            guard mode == "wal" else {
                throw FileSystemError(
                    .notSupported, "\(folder.databasePath) is on a disk that takes no SQLite log")
            }
            guard try !migrator.hasBeenSuperseded(db) else {
                throw FileSystemError(
                    .notSupported, "\(folder.databasePath) was made by a newer ordner")
            }
        }
        try migrator.migrate(queue)
        var next = try queue.inDatabase { db in try StateReader(db: db).nextNumber() }
        let wasRebuilt = replaces && next == firstNumber
        if wasRebuilt {
            // Numbers of the lost table are not known, and must not be used again: the clock is
            // ahead of them as long as fewer than 65,536 are handed out in a second.
            next = UInt64(max(Int64(Date().timeIntervalSince1970), 1)) << 16
            let end = next
            try queue.inDatabase { db in try ChangeWriter(db: db).reserve(upTo: end) }
        }
        try folder.synchronize()
        return (queue, next, wasRebuilt)
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.label = "StateStore"
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            // One owner (the lock file): no shared memory, no file locks per transaction. No
            // memory map: a disk error under a map would kill the process instead of one call.
            try db.execute(
                sql: """
                    PRAGMA locking_mode = EXCLUSIVE;
                    PRAGMA mmap_size = 0;
                    PRAGMA synchronous = NORMAL;
                    PRAGMA cache_size = -16384;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA journal_size_limit = 16777216;
                    PRAGMA wal_autocheckpoint = 2000;
                    """)
        }
        return configuration
    }

    private static func check(_ db: Database) throws {
        let answer = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no answer"
        guard answer == "ok" else { throw DamagedValue(description: answer) }
    }

    /// Whether the error says that the database's own bytes are wrong.
    static func isDamage(_ error: any Error) -> Bool {
        if error is DamagedValue { return true }
        guard let error = error as? DatabaseError else { return false }
        return error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
    }

    /// An error of SQLite in the terms of the file system.
    static func fileSystemError(_ error: any Error) -> FileSystemError {
        if let error = error as? FileSystemError { return error }
        guard let error = error as? DatabaseError else {
            return FileSystemError(.inputOutput, "state table: \(error)")
        }
        let message = "state table: \(error.message ?? error.resultCode.description)"
        switch error.resultCode {
        case .SQLITE_FULL: return FileSystemError(.noSpace, message)
        case .SQLITE_READONLY: return FileSystemError(.readOnly, message)
        case .SQLITE_CANTOPEN, .SQLITE_PERM: return FileSystemError(.accessDenied, message)
        default: return FileSystemError(.inputOutput, message)
        }
    }
}
