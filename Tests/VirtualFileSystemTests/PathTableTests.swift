import CloudStorage
import FileSystemTypes
import StateStore
import Synchronization
import Testing

import VirtualFileSystem

/// What is kept of the places of a path-addressed cloud's items.
@Suite struct PathTableTests {
    private final class Counter: Sendable {
        private let value = Mutex(0)
        func next() -> String {
            value.withLock { value in
                value += 1
                return String(value)
            }
        }
    }

    private static let root = RootIdentifier("files")
    private static let top = ItemKey(.top(of: root))

    private func table() -> PathTable {
        let counter = Counter()
        return PathTable { counter.next() }
    }

    private func item(_ path: String, _ kind: ItemReference.Kind = .file) -> CloudItem {
        CloudItem(
            reference: ItemReference(root: Self.root, kind: kind, id: nil, path: path),
            name: String(path.split(separator: "/").last ?? ""), size: 1, revision: "r",
            modified: nil)
    }

    /// An entry of a listing of `folder` that has just been asked for.
    private func list(
        _ path: String, _ kind: ItemReference.Kind = .file, in folder: ItemKey,
        _ table: inout PathTable
    ) -> CloudItem? {
        let askedAt = table.beginLook()
        defer { table.endLook(askedAt) }
        return table.identify(item(path, kind), in: folder, askedAt: askedAt)
    }

    @Test func filesThatComeAndGoLeaveNothing() throws {
        var table = table()
        let folder = ItemKey(try #require(list("/d", .folder, in: Self.top, &table)).reference)
        for round in 0..<100_000 {
            let made = try #require(list("/d/f\(round)", in: folder, &table)).reference
            if round.isMultiple(of: 2) {
                table.remove(ItemKey(made))
            } else {
                // Another client has deleted it.
                let askedAt = table.beginLook()
                table.retain([], in: folder, askedAt: askedAt)
                table.endLook(askedAt)
            }
            #expect(table.count == 1)
        }
    }

    /// A folder goes while it is being listed, again and again: what the late answers show is not
    /// kept for ever, and what has a path keeps its id.
    @Test func lateListingsOfFoldersThatAreGoneDoNotAddUp() throws {
        var table = table()
        let kept = try (0..<500).map { index in
            ItemKey(try #require(list("/kept\(index)", in: Self.top, &table)).reference)
        }
        let keptNames = Set((0..<500).map { NameKey("kept\($0)") })
        for round in 0..<2_000 {
            let folder = ItemKey(
                try #require(list("/d\(round)", .folder, in: Self.top, &table)).reference)
            let askedAt = table.beginLook()
            let parentAskedAt = table.beginLook()
            table.retain(keptNames, in: Self.top, askedAt: parentAskedAt)
            table.endLook(parentAskedAt)
            for index in 0..<50 {
                _ = table.identify(
                    item("/d\(round)/f\(index)"), in: folder, askedAt: askedAt)
            }
            table.endLook(askedAt)
        }
        #expect(table.count <= 2 * kept.count + PathTable.slack)
        for (index, key) in kept.enumerated() {
            #expect(table.reference(to: key)?.path == "/kept\(index)")
        }
    }

    /// Folders that a server shows within each other can't be reached, and don't stay.
    @Test func foldersWithinEachOtherDoNotAddUp() {
        var table = table()
        for round in 0..<5_000 {
            let pair = ["a", "b"].map {
                ItemKey(root: Self.root, kind: .folder, id: "\($0)\(round)")
            }
            table.put(pair[0], at: .init(folder: pair[1], name: NameKey("a")))
            table.put(pair[1], at: .init(folder: pair[0], name: NameKey("b")))
        }
        #expect(table.count <= PathTable.slack)
    }
}
