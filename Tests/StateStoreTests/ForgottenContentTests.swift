import CloudStorage
import FileSystemTypes
import Foundation
import StateStore
import TestSupport
import Testing

/// Files with content that nothing speaks of.
@Suite struct ForgottenContentTests {
    private let temporary: TemporaryFolder
    private let folder: String
    private static let week: Int64 = 7 * 86_400

    init() throws {
        temporary = try TemporaryFolder()
        folder = temporary.path + "/state"
    }

    /// Makes a content file that was last written so many seconds ago.
    private func content(_ name: String, age: Int64) throws {
        let path = folder + "/content/" + name
        try Data("unsent".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -Double(age))], ofItemAtPath: path)
    }

    private func names() throws -> [String] {
        try temporary.names(in: folder + "/content").sorted()
    }

    @Test func onlyOldOnesOfWhichNothingSpeaksAreRemoved() async throws {
        let store = try StateStore(folder: folder)
        for name in ["7-100-1", "7-100-2", "8-100-3", "9-100-4", "kept by hand"] {
            try content(name, age: 2 * Self.week)
        }
        try content("7-100-5", age: Self.week / 2)
        var record = InodeRecord.file(store.allocateInode())
        record.contentFile = "7-100-1"
        let intent = Intent(
            id: store.allocateIntentID(), kind: "store",
            payload: Array(#"{"file":"8-100-3"}"#.utf8), createdAt: FileTime(seconds: 1))
        try await store.commit([.put(record), .putIntent(intent)], durability: .normal)
        #expect(try await store.removeForgottenContents(olderThan: Self.week) == 2)
        #expect(try names() == ["7-100-1", "7-100-5", "8-100-3", "kept by hand"])
        await store.close()
    }

    @Test func whatWasThereWhenTheTableWasLostStays() async throws {
        await (try StateStore(folder: folder)).close()
        try content("7-100-1", age: 2 * Self.week)
        try FileManager.default.removeItem(atPath: folder + "/state.sqlite")
        for _ in 0..<2 {
            let store = try StateStore(folder: folder)
            #expect(try await store.removeForgottenContents(olderThan: Self.week) == 0)
            #expect(try names() == ["7-100-1"])
            await store.close()
        }
    }
}
