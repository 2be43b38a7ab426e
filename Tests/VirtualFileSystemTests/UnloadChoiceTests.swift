import TestSupport
import Testing

import VirtualFileSystem

@Suite struct UnloadChoiceTests {
    private typealias Folder = UnloadChoice.Folder

    private func choose(
        _ folders: [UnloadChoice.Folder], excess: Int, usedBefore: Double = 1_000
    ) -> [UInt64] {
        UnloadChoice.choose(from: folders, excess: excess, usedBefore: usedBefore)
    }

    @Test func theOldestGoFirstAndNoMoreThanNeedBe() {
        let folders = (1...9).map {
            Folder(id: $0, parent: 100, usedAt: Double(10 - $0), entries: 5)
        }
        #expect(choose(folders, excess: 0) == [])
        #expect(choose(folders, excess: 1) == [9])
        #expect(choose(folders, excess: 10) == [9, 8])
        #expect(choose(folders, excess: 11) == [9, 8, 7])
        #expect(choose(folders, excess: 1_000) == [9, 8, 7, 6, 5, 4, 3, 2, 1])
    }

    @Test func whatIsInUseOrYoungStays() {
        let folders = [
            Folder(id: 2, parent: 1, usedAt: 1, entries: 5, isPinned: true),
            Folder(id: 3, parent: 1, usedAt: 2, entries: 5),
            Folder(id: 4, parent: 1, usedAt: 3, entries: 0),
            Folder(id: 5, parent: 1, usedAt: 50, entries: 5),
            Folder(id: 6, parent: 1, usedAt: -.infinity, entries: 5),
        ]
        #expect(choose(folders, excess: 1_000, usedBefore: 50) == [6, 3])
    }

    @Test func aFolderIsUsedWithThoseBelowIt() {
        let folders = [
            Folder(id: 2, parent: 1, usedAt: 1, entries: 5),
            Folder(id: 3, parent: 2, usedAt: 2, entries: 5),
            Folder(id: 4, parent: 3, usedAt: 60, entries: 5),
            Folder(id: 5, parent: 1, usedAt: 30, entries: 5),
        ]
        #expect(choose(folders, excess: 1, usedBefore: 100) == [5])
        // Of equally old ones the deepest first.
        #expect(choose(folders, excess: 1_000, usedBefore: 100) == [5, 4, 3, 2])
        #expect(choose(folders, excess: 1_000, usedBefore: 60) == [5])
    }

    /// Parents that are cycles, or lead nowhere, end no driver.
    @Test func damagedParentsAreHarmless() {
        let folders = [
            Folder(id: 2, parent: 3, usedAt: 1, entries: 1),
            Folder(id: 3, parent: 2, usedAt: 2, entries: 1),
            Folder(id: 4, parent: 4, usedAt: 3, entries: 1),
        ]
        #expect(Set(choose(folders, excess: 10)) == [2, 3, 4])
    }

    @Test(arguments: 0..<200)
    func atRandom(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let count = UInt64.random(in: 1...60, using: &random)
        let folders = (2...count + 1).map { id in
            Folder(
                id: id, parent: UInt64.random(in: 1..<id, using: &random),
                usedAt: Double(Int.random(in: 0..<20, using: &random)),
                entries: Int.random(in: 0..<10, using: &random),
                isPinned: Int.random(in: 0..<5, using: &random) == 0)
        }
        let known = Dictionary(uniqueKeysWithValues: folders.map { ($0.id, $0) })
        let excess = Int.random(in: 0..<200, using: &random)
        let usedBefore = Double(Int.random(in: 0..<25, using: &random))
        let chosen = choose(folders, excess: excess, usedBefore: usedBefore)
        #expect(Set(chosen).count == chosen.count)
        func age(_ id: UInt64) -> Double {
            folders.filter { folder in
                var current = folder.id
                while current != id, let above = known[current]?.parent { current = above }
                return current == id
            }.map(\.usedAt).max() ?? 0
        }
        let freed = chosen.map { known[$0]?.entries ?? 0 }
        #expect(chosen.allSatisfy { known[$0]?.isPinned == false && age($0) < usedBefore })
        #expect(freed.allSatisfy { $0 > 0 })
        #expect(freed.dropLast().reduce(0, +) < max(1, excess), "more went than had to")
        let ages = chosen.map(age)
        #expect(ages == ages.sorted())
        let rest = folders.filter {
            !$0.isPinned && $0.entries > 0 && age($0.id) < usedBefore && !chosen.contains($0.id)
        }
        if freed.reduce(0, +) < excess { #expect(rest.isEmpty) }
        if let youngest = ages.last { #expect(rest.allSatisfy { age($0.id) >= youngest }) }
    }
}
