import FileSystemTypes
import Foundation
import StateStore
import TestSupport
import Testing

@Suite struct DurabilityTests {
    let temporary: TemporaryFolder
    let folder: String

    init() throws {
        temporary = try TemporaryFolder()
        folder = temporary.path + "/deep/er/state"
    }

    @Test func committedChangesSurviveACrash() async throws {
        let store = try StateStore(folder: folder)
        try await store.commit([.put(.file(InodeNumber(9)))], durability: .normal)
        store.enqueue([.put(.file(InodeNumber(10)))])
        try await store.commit([], durability: .full)
        let copy = try temporary.copyAsAfterCrash(of: folder)
        let recovered = try StateStore(folder: copy)
        #expect(!recovered.wasRebuilt)
        #expect(try await recovered.record(InodeNumber(9)) == .file(InodeNumber(9)))
        #expect(try await recovered.record(InodeNumber(10)) == .file(InodeNumber(10)))
        await store.close()
        await recovered.close()
    }

    @Test func numbersAreNeverUsedTwice() async throws {
        var store = try StateStore(folder: folder)
        #expect(store.allocateInode() == InodeNumber(2))
        var seen: Set<UInt64> = [2]
        for round in 0..<4 {
            let current = store
            let numbers = await withTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask { (0..<3000).map { _ in current.allocateInode().rawValue } }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            let before = seen.count
            seen.formUnion(numbers)
            #expect(seen.count == before + 24_000)
            // After a crash, and after an orderly end.
            var next = folder
            if round % 2 == 0 { next = try temporary.copyAsAfterCrash(of: folder) }
            await store.close()
            if next != folder {
                try FileManager.default.removeItem(atPath: folder)
                try FileManager.default.moveItem(atPath: next, toPath: folder)
            }
            store = try StateStore(folder: folder)
            #expect(!store.wasRebuilt)
        }
        await store.close()
    }

    @Test func readsSeeWhatWasEnqueuedAndTheLastChangeWins() async throws {
        let store = try StateStore(folder: folder)
        for number in 1...2000 { store.enqueue([.setValue(key: "k", value: "\(number)")]) }
        #expect(try await store.value(forKey: "k") == "2000")
        await store.close()
        let reopened = try StateStore(folder: folder)
        #expect(try await reopened.value(forKey: "k") == "2000")
        await reopened.close()
    }

    @Test func manyCommitsAtOnceAllReachTheTable() async throws {
        let store = try StateStore(folder: folder)
        try await withThrowingTaskGroup { group in
            for number in 2..<502 as Range<UInt64> {
                group.addTask {
                    let inode = InodeNumber(number)
                    try await store.commit(
                        [.put(.file(inode)), .setAttribute(inode, name: "n", value: [1])],
                        durability: number % 7 == 0 ? .full : .normal)
                    #expect(try await store.record(inode) != nil)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.children(of: .root).count == 500)
        await store.close()
    }

    @Test func oneOwnerAtATime() async throws {
        let store = try StateStore(folder: folder)
        let refusal = #expect(throws: FileSystemError.self) { try StateStore(folder: folder) }
        #expect(refusal?.code == .locked)
        #expect(refusal?.message.contains("another ordner already uses") == true)
        await store.close()
        let next = try StateStore(folder: folder)
        await next.close()
    }

    @Test func theFolderIsPrivate() async throws {
        let store = try StateStore(folder: folder)
        for path in [folder, store.contentFolder] {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o700)
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/state.sqlite")
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        await store.close()
    }

    @Test func aClosedStoreRefusesEverything() async throws {
        let store = try StateStore(folder: folder)
        await store.close()
        await store.close()
        store.enqueue([.setValue(key: "k", value: "v")])
        #expect(store.failure?.code == .inputOutput)
        await #expect(throws: FileSystemError.self) {
            try await store.commit([], durability: .normal)
        }
        await #expect(throws: FileSystemError.self) { try await store.intents() }
        #expect(store.allocateInode() > .root)
    }

    @Test func aFullDiskIsReportedAndThePendingChangesAreKept() async throws {
        let limit = [(name: "limit", sql: "PRAGMA max_page_count = 40")]
        let store = try StateStore(folder: folder, migrations: StateSchema.migrations + limit)
        try await store.commit([.put(.file(InodeNumber(2)))], durability: .normal)
        let many = (3..<3000).map { StateChange.put(.file(InodeNumber($0))) }
        for durability in [Durability.normal, .full] {
            let error = await #expect(throws: FileSystemError.self) {
                try await store.commit(many, durability: durability)
            }
            #expect(error?.code == .noSpace)
        }
        #expect(store.failure?.code == .noSpace)
        await #expect(throws: FileSystemError.self) { try await store.record(InodeNumber(2)) }
        await store.close()
        let reopened = try StateStore(folder: folder, migrations: StateSchema.migrations + limit)
        #expect(!reopened.wasRebuilt)
        #expect(try await reopened.record(InodeNumber(2)) != nil)
        #expect(try await reopened.record(InodeNumber(3)) == nil)
        await reopened.close()
    }

    /// Whoever comes while the store is being closed must not take what was queued before along.
    @Test func closingWritesWhatWasQueuedWhateverComesMeanwhile() async throws {
        for round in 0..<100 {
            let path = temporary.path + "/\(round)"
            let store = try StateStore(folder: path)
            for key in 0..<20 { store.enqueue([.setValue(key: "\(key)", value: "\(round)")]) }
            await withTaskGroup { group in
                group.addTask { await store.close() }
                group.addTask {
                    for _ in 0..<50 { store.enqueue([.setValue(key: "late", value: "\(round)")]) }
                }
            }
            let again = try StateStore(folder: path)
            for key in 0..<20 {
                #expect(try await again.value(forKey: "\(key)") == "\(round)")
            }
            await again.close()
        }
    }

    /// A commit that comes too late hears of it; none waits for ever.
    @Test func everyCommitDuringTheEndIsAnswered() async throws {
        for round in 0..<100 {
            let path = temporary.path + "/\(round)"
            let store = try StateStore(folder: path)
            let confirmed = await withTaskGroup { group in
                for key in 0..<20 {
                    group.addTask { () -> Int? in
                        do throws(FileSystemError) {
                            try await store.commit(
                                [.setValue(key: "\(key)", value: "1")], durability: .normal)
                            return key
                        } catch {
                            return nil
                        }
                    }
                }
                await store.close()
                return await group.reduce(into: [Int]()) { all, key in
                    if let key { all.append(key) }
                }
            }
            let again = try StateStore(folder: path)
            for key in confirmed {
                #expect(try await again.value(forKey: "\(key)") == "1")
            }
            await again.close()
        }
    }
}
