import CloudStorage
import FileSystemTypes
import Foundation
import StateStore
import TestSupport
import Testing

@Suite struct DamageTests {
    let temporary: TemporaryFolder
    let folder: String
    let database: String

    init() throws {
        temporary = try TemporaryFolder()
        folder = temporary.path + "/state"
        database = folder + "/state.sqlite"
    }

    /// A closed store with 1000 files in it, and the number that would have come next.
    private func fill() async throws -> InodeNumber {
        let store = try StateStore(folder: folder)
        let changes = (0..<1000).map { _ in StateChange.put(.file(store.allocateInode())) }
        try await store.commit(changes, durability: .normal)
        let next = store.allocateInode()
        await store.close()
        return next
    }

    @Test(arguments: [0, 5000, 60_000] as [UInt64])
    func aDamagedTableIsSetAsideAndReplaced(offset: UInt64) async throws {
        let highest = try await fill()
        let file = try #require(FileHandle(forUpdatingAtPath: database))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 9000))
        try file.close()
        let damaged = try Data(contentsOf: URL(fileURLWithPath: database))
        try Data("unsent".utf8).write(to: URL(fileURLWithPath: folder + "/content/1"))

        let store = try StateStore(folder: folder)
        #expect(store.wasRebuilt)
        #expect(try await store.children(of: .root).isEmpty)
        #expect(store.allocateInode() > highest)
        let aside = try temporary.names(in: folder).filter { $0.contains(".damaged-") }
        let name = try #require(aside.first { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") })
        #expect(name.hasPrefix("state.sqlite.damaged-20"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)) == damaged)
        #expect(try temporary.names(in: folder + "/content") == ["1"])
        await store.close()
        let again = try StateStore(folder: folder)
        #expect(!again.wasRebuilt)
        await again.close()
    }

    @Test func aLostTableBesideUnsentContentIsReported() async throws {
        let highest = try await fill()
        try Data("unsent".utf8).write(to: URL(fileURLWithPath: folder + "/content/1"))
        try FileManager.default.removeItem(atPath: database)
        let store = try StateStore(folder: folder)
        #expect(store.wasRebuilt)
        #expect(store.allocateInode() > highest)
        await store.close()
    }

    @Test func anOlderSchemaIsMigratedAndANewerOneRefused() async throws {
        let newer =
            StateSchema.migrations + [(name: "next", sql: "ALTER TABLE intent ADD COLUMN extra")]
        _ = try await fill()
        let migrated = try StateStore(folder: folder, migrations: newer)
        #expect(!migrated.wasRebuilt)
        #expect(try await migrated.children(of: .root).count == 1000)
        await migrated.close()
        let refusal = #expect(throws: FileSystemError.self) { try StateStore(folder: folder) }
        #expect(refusal?.code == .notSupported)
        #expect(try temporary.names(in: folder) == ["content", "lock", "state.sqlite"])
    }

    /// Version 1 as it was released: what it wrote must be readable for ever.
    @Test func theTableOfVersion1IsReadable() async throws {
        let version1 = try #require(StateSchema.migrations.first)
        #expect(version1.name == "1")
        let row = """
            INSERT INTO inode VALUES (77, 1, 'alt.txt', 1, 'r', 2, '9', '/alt.txt', 'rev', 12,
            1700000000000000001, 3, 1, 420, 1000, 100, '99999999999:5', NULL, NULL, 'rev', NULL, 0,
            'c77', 13, NULL, 0);
            """
        let filled = [version1, (name: "row", sql: row)]
        await (try StateStore(folder: folder, migrations: filled)).close()
        let old = try StateStore(
            folder: folder, migrations: filled + StateSchema.migrations.dropFirst())
        let record = try #require(try await old.record(InodeNumber(77)))
        #expect(record.name == "alt.txt")
        #expect(record.server?.reference.id == "9")
        #expect(record.server?.modified == FileTime(seconds: 1_700_000_000, nanoseconds: 1))
        #expect(record.server?.isLocked == true)
        #expect(record.overlay.mode == 0o644)
        #expect(record.overlay.modified == FileTime(seconds: 99_999_999_999, nanoseconds: 5))
        #expect(record.contentFile == "c77")
        #expect(record.size == 13)
        await old.close()
    }
}
