import Testing

import VirtualFileSystem

/// When a program is taken for one that walks through a tree, and what is listed ahead of it.
@Suite struct FolderWalkTests {
    /// Takes all there is to list, as if each were listed at once.
    private func all(_ walk: inout FolderWalk) -> [UInt64] {
        var begun: [UInt64] = []
        while let next = walk.next() {
            begun.append(next)
            walk.ended(next, isListed: true)
        }
        return begun
    }

    /// A walk in folder 1, whose folders have the numbers from 9 on, that has come to the second.
    private func walk(_ count: UInt64) -> FolderWalk {
        var walk = FolderWalk()
        for (folder, parent) in [(1, nil), (9, 1)] as [(UInt64, UInt64?)] {
            let step = walk.opened(folder, in: parent, isListed: false, at: 0)
            #expect(step == .nothing && !walk.wantsFolders(in: 1))
        }
        let step = walk.opened(10, in: 1, isListed: false, at: 1)
        #expect(step == .goesAround && walk.wantsFolders(in: 1))
        walk.found(Array(11..<(10 + count)), in: 1)
        #expect(!walk.wantsFolders(in: 1))
        return walk
    }

    @Test func foldersWhoseParentsNobodyOpenedAreNoWalk() {
        var walk = FolderWalk()
        for folder: UInt64 in 5...9 {
            let step = walk.opened(folder, in: 1, isListed: false, at: 0)
            #expect(step == .nothing)
        }
        #expect(!walk.wantsFolders(in: 1))
        #expect(walk.next() == nil)
    }

    @Test func neighboursComeInOrderAndMoreWhereTheyAreUsed() {
        var walk = walk(1_000)
        #expect(all(&walk) == Array(11...26))
        _ = walk.opened(11, in: 1, isListed: true, at: 2)
        #expect(all(&walk) == Array(27...43), "32 wait for their use at most, one was used")
    }

    @Test func aSmallTopIsListedSomeLevelsDown() {
        var walk = FolderWalk()
        walk.begins(at: 1, at: 0)
        walk.found([9, 10], in: 1)
        #expect(all(&walk) == [9, 10])
        #expect(walk.wantsFolders(in: 9) && walk.wantsFolders(in: 10))
        walk.found([20, 21], in: 9)
        walk.found([30], in: 10)
        #expect(all(&walk) == [20, 21, 30])
        walk.found(Array(100..<200), in: 20)
        #expect(all(&walk) == Array(100..<111), "no more in all than of a large top")
        #expect(!walk.wantsFolders(in: 100))
    }

    @Test func aProgramThatWalksFromTheTopComesFirst() {
        var walk = FolderWalk()
        walk.begins(at: 1, at: 0)
        walk.found([9, 10], in: 1)
        #expect(all(&walk) == [9, 10])
        walk.found(Array(100..<120), in: 9)
        let step = walk.opened(10, in: 1, isListed: true, at: 1)
        #expect(step == .goesInto && walk.wantsFolders(in: 10))
        walk.found([30], in: 10)
        #expect(all(&walk) == [30], "what it has not gone into waits until it does")
        #expect(!walk.wantsFolders(in: 9))
        let later = walk.opened(9, in: 1, isListed: true, at: 2)
        #expect(later == .goesInto && walk.wantsFolders(in: 9))
    }

    /// Two trees are at the top; the program walks in the first.
    @Test func aTreeThatNobodyWalksInIsNotListedAhead() {
        var walk = FolderWalk()
        walk.begins(at: 1, at: 0)
        walk.found([9, 10], in: 1)
        _ = all(&walk)
        walk.found([20], in: 9)
        walk.found([30], in: 10)
        #expect(walk.next() == 20 && walk.next() == 30)
        walk.ended(20, isListed: true)
        _ = walk.opened(9, in: 1, isListed: true, at: 1)
        let step = walk.opened(20, in: 9, isListed: true, at: 1)
        #expect(step == .goesInto && walk.wantsFolders(in: 20))
        walk.found(Array(100..<110), in: 20)
        walk.ended(30, isListed: true)
        #expect(!walk.wantsFolders(in: 30), "it was a guess")
        #expect(all(&walk) == Array(100..<110))
        let other = walk.opened(30, in: 10, isListed: true, at: 2)
        #expect(other == .goesInto && walk.wantsFolders(in: 30))
    }

    @Test func nothingDeeperIsListedForAProgramThatKnowsItsWay() {
        var walk = FolderWalk()
        walk.begins(at: 1, at: 0)
        walk.found([9, 10], in: 1)
        #expect(all(&walk) == [9, 10])
        walk.found([20], in: 9)
        let step = walk.opened(500, in: 499, isListed: false, at: 1)
        #expect(step == .nothing && !walk.wantsFolders(in: 499))
        #expect(walk.next() == nil)
    }

    @Test func ofALargeTopNothingDeeperIsListed() {
        var walk = FolderWalk()
        walk.begins(at: 1, at: 0)
        #expect(walk.wantsFolders(in: 1))
        walk.found(Array(9..<109), in: 1)
        #expect(all(&walk) == Array(9..<25))
        #expect(!walk.wantsFolders(in: 9), "nobody has looked into it")
        let step = walk.opened(9, in: 1, isListed: true, at: 1)
        #expect(step == .goesInto && walk.wantsFolders(in: 9))
    }

    @Test func onlySomeAreListedAtATime() {
        var walk = walk(1_000)
        var begun: [UInt64] = []
        while let next = walk.next() { begun.append(next) }
        #expect(begun.count == FolderWalk.parallelListings)
        walk.ended(12, isListed: true)
        #expect(walk.next() == 11 + UInt64(FolderWalk.parallelListings))
        #expect(walk.next() == nil)
    }

    /// What was listed for another reason is no step of a walk.
    @Test func aFolderThatIsKnownIsNotFollowed() {
        var walk = walk(1_000)
        _ = all(&walk)
        let known = walk.opened(800, in: 1, isListed: true, at: 2)
        let ahead = walk.opened(12, in: 1, isListed: true, at: 2)
        let beyond = walk.opened(900, in: 1, isListed: false, at: 2)
        #expect(known == .nothing && ahead == .goesInto && beyond == .goesAround)
    }

    @Test func foldersInsideComeBeforeTheNeighbours() {
        var walk = walk(3)
        walk.found([100, 101], in: 10)
        #expect(all(&walk) == [100, 101, 11, 12])
    }

    @Test func whatCannotBeListedIsNotTriedAgainAtOnce() {
        var walk = walk(4)
        _ = walk.next()
        walk.ended(11, isListed: false)
        walk.found([11], in: 2)
        #expect(all(&walk) == [12, 13])
        let step = walk.opened(11, in: 1, isListed: false, at: 2)
        #expect(step == .goesInto)
    }

    @Test func aProgramThatGoesElsewhereEndsIt() {
        var walk = walk(1_000)
        for folder: UInt64 in 5_000..<5_006 {
            _ = all(&walk)
            _ = walk.opened(folder, in: 4_000 + folder, isListed: false, at: 3)
        }
        #expect(!walk.wantsFolders(in: 5_005))
        #expect(walk.next() == nil)
    }

    @Test func whatWasNotUsedForLongNoLongerCounts() {
        var walk = walk(1_000)
        #expect(all(&walk).count == 16)
        _ = walk.opened(2_000, in: nil, isListed: false, at: 100)
        #expect(walk.next() == nil)
        _ = walk.opened(2_001, in: 2_000, isListed: false, at: 101)
        _ = walk.opened(2_002, in: 2_000, isListed: false, at: 102)
        walk.found(Array(3_000..<3_100), in: 2_000)
        #expect(all(&walk) == Array(3_000..<3_016))
    }

    @Test func aDroppedFolderMakesRoomForAnother() {
        var walk = walk(1_000)
        _ = all(&walk)
        #expect(walk.next() == nil)
        walk.drop(12)
        #expect(walk.next() == 27)
    }

    // MARK: Whole walks

    /// A program in a tree of numbered folders, each of which has its listing as soon as it is asked for.
    private struct Program {
        let children: [UInt64: [UInt64]]
        let parents: [UInt64: UInt64]
        var walk = FolderWalk()
        var listed: Set<UInt64> = []
        var opened: Set<UInt64> = []
        var waits = 0
        var time = 0.0

        /// A tree of so many folders in each folder, level by level.
        init(_ widths: [Int]) {
            var children: [UInt64: [UInt64]] = [:]
            var parents: [UInt64: UInt64] = [:]
            var level: [UInt64] = [1]
            var last: UInt64 = 1
            for width in widths {
                var next: [UInt64] = []
                for folder in level {
                    let inside = Array((last + 1)...(last + UInt64(width)))
                    last += UInt64(width)
                    children[folder] = inside
                    for child in inside { parents[child] = folder }
                    next += inside
                }
                level = next
            }
            self.children = children
            self.parents = parents
        }

        private mutating func tell(_ folder: UInt64?) {
            guard let folder, walk.wantsFolders(in: folder) else { return }
            walk.found((children[folder] ?? []).filter { !listed.contains($0) }, in: folder)
        }

        mutating func open(_ folder: UInt64) {
            time += 0.001
            let isListed = listed.contains(folder)
            if !isListed { waits += 1 }
            let step = walk.opened(folder, in: parents[folder], isListed: isListed, at: time)
            listed.insert(folder)
            opened.insert(folder)
            if step == .goesAround { tell(parents[folder]) }
            if step == .goesInto || !isListed { tell(folder) }
            while let next = walk.next() {
                if listed.contains(next) {
                    walk.drop(next)
                } else {
                    listed.insert(next)
                    walk.ended(next, isListed: true)
                    tell(next)
                }
            }
        }

        /// Depth first, as `find` goes; `enters` says where.
        mutating func find(_ folder: UInt64, enters: (UInt64) -> Bool = { _ in true }) {
            open(folder)
            for child in children[folder] ?? [] where enters(child) { find(child, enters: enters) }
        }
    }

    @Test(arguments: [[2_000], [40, 50], [20, 10, 10], [5, 5, 5, 5], [1, 1, 1, 1, 100]])
    func aWalkThroughAnyTreeWaitsSeldom(_ widths: [Int]) {
        var program = Program(widths)
        program.find(1)
        #expect(program.opened.count == program.parents.count + 1)
        #expect(program.waits <= 8 + program.opened.count / 25, "\(program.waits) waits")
    }

    @Test func aWalkThatLeavesFoldersOutWaitsSeldom() {
        var program = Program([20, 10, 10])
        program.find(1) { !$0.isMultiple(of: 4) }
        #expect(program.waits <= program.opened.count / 10, "\(program.waits) waits")
    }

    @Test func aWalkAfterOneThatWasGivenUpWaitsSeldom() {
        var program = Program([2, 30, 30])
        var left = 100
        program.find(2) { _ in
            left -= 1
            return left > 0
        }
        program.waits = 0
        program.find(3)
        #expect(program.waits <= 100, "\(program.waits) waits")
    }

    /// A program that opens neighbours in no order causes few listings that nobody wants.
    @Test func openingWithoutOrderListsLittleInVain() {
        var program = Program([5_000])
        program.open(1)
        var folder: UInt64 = 7
        for _ in 0..<300 {
            folder = (folder &* 1_237 &+ 911) % 5_000
            program.open(2 + folder)
        }
        let unused = program.listed.subtracting(program.opened).count
        #expect(unused <= FolderWalk.unusedLimit + program.opened.count / 4, "\(unused) in vain")
    }
}
