import Testing

import VirtualFileSystem

/// When a program is taken for one that walks through a tree, and what is fetched ahead of it.
@Suite struct FolderWalkTests {
    private func all(_ walk: inout FolderWalk) -> [UInt64] {
        var begun: [UInt64] = []
        while let next = walk.next() { begun.append(next) }
        return begun
    }

    /// A walk in folder 1, whose folders have the numbers from 9 on, that has come to the second.
    private func walk(_ count: UInt64) -> FolderWalk {
        var walk = FolderWalk()
        for (folder, parent) in [(1, nil), (9, 1)] as [(UInt64, UInt64?)] {
            let step = walk.opened(folder, in: parent, isListed: false, at: 0)
            #expect(step == .nothing && !walk.isActive)
        }
        let step = walk.opened(10, in: 1, isListed: false, at: 1)
        #expect(step == .goesAround && walk.isActive)
        walk.found(Array(11..<(10 + count)))
        return walk
    }

    @Test func foldersWhoseParentsNobodyOpenedAreNoWalk() {
        var walk = FolderWalk()
        for folder: UInt64 in 5...9 {
            let step = walk.opened(folder, in: 1, isListed: false, at: 0)
            #expect(step == .nothing)
        }
        walk.found([17, 18, 19])
        #expect(!walk.isActive)
        #expect(walk.next() == nil)
    }

    @Test func neighboursComeInOrderAndMoreWhereTheyAreUsed() {
        var walk = walk(1_000)
        #expect(all(&walk) == Array(11...26))
        _ = walk.opened(11, in: 1, isListed: true, at: 2)
        #expect(all(&walk) == Array(27...43), "32 wait for their use at most, one was used")
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

    @Test func neverMoreThanTheLimitWait() {
        var walk = walk(1_000)
        var waiting = Set(all(&walk))
        var most = 0
        for folder: UInt64 in 11..<900 {
            #expect(waiting.remove(folder) != nil)
            _ = walk.opened(folder, in: 1, isListed: true, at: 2)
            waiting.formUnion(all(&walk))
            most = max(most, waiting.count)
        }
        #expect(most == 64)
    }

    @Test func foldersInsideComeBeforeTheNeighbours() {
        var walk = walk(3)
        walk.found([100, 101])
        #expect(all(&walk) == [100, 101, 11, 12])
    }

    @Test func aProgramThatGoesElsewhereEndsIt() {
        var walk = walk(1_000)
        _ = all(&walk)
        for folder: UInt64 in 5_000..<5_006 {
            _ = walk.opened(folder, in: 4_000 + folder, isListed: false, at: 3)
        }
        #expect(!walk.isActive)
        #expect(walk.next() == nil)
    }

    @Test func whatWasNotUsedForLongNoLongerCounts() {
        var walk = walk(1_000)
        #expect(all(&walk).count == 16)
        _ = walk.opened(2_000, in: nil, isListed: false, at: 100)
        #expect(!walk.isActive)
        _ = walk.opened(2_001, in: 2_000, isListed: false, at: 101)
        _ = walk.opened(2_002, in: 2_000, isListed: false, at: 102)
        walk.found(Array(3_000..<3_100))
        #expect(all(&walk) == Array(3_000..<3_016))
    }

    @Test func aDroppedFolderMakesRoomForAnother() {
        var walk = walk(1_000)
        _ = all(&walk)
        #expect(walk.next() == nil)
        walk.drop(12)
        #expect(walk.next() == 27)
    }
}

@Suite struct FileWalkTests {
    private func all(_ walk: inout FileWalk, in folder: UInt64 = 1) -> [UInt64] {
        var begun: [UInt64] = []
        while let next = walk.next(in: folder) { begun.append(next) }
        return begun
    }

    /// A program that has opened files 10 and 11 of folder 1, which has those up to `last`.
    private func walk(last: UInt64 = 1_000) -> FileWalk {
        var walk = FileWalk()
        #expect(walk.opened(10, in: 1, isHere: false, at: 0) == .nothing)
        #expect(walk.opened(11, in: 1, isHere: false, at: 0) == .order(of: 1, after: 10))
        walk.setOrder(Array(11...last), of: 1, at: 0)
        return walk
    }

    @Test func theSecondFileInOrderBeginsAWalk() {
        var walk = walk()
        #expect(all(&walk) == [12, 13, 14, 15])
        #expect(walk.opened(12, in: 1, isHere: true, at: 0.1) == .more(in: 1))
        #expect(all(&walk) == [16, 17, 18, 19, 20])
    }

    @Test func aProgramThatJumpsAboutIsNotFollowed() {
        var walk = FileWalk()
        var time = 0.0
        for file: UInt64 in [10, 500, 20, 300, 100, 800, 50, 60, 900] {
            time += 0.1
            if case .order(let folder, let last) = walk.opened(
                file, in: 1, isHere: false, at: time)
            {
                walk.setOrder(Array((last + 1)...1_000), of: folder, at: time)
            }
            #expect(walk.next(in: 1) == nil)
        }
    }

    @Test func oneFileMayBePassedOver() {
        var walk = FileWalk()
        _ = walk.opened(10, in: 1, isHere: false, at: 0)
        #expect(walk.opened(12, in: 1, isHere: false, at: 0) == .order(of: 1, after: 10))
        walk.setOrder(Array(11...50), of: 1, at: 0)
        #expect(walk.next(in: 1) == 13)
    }

    @Test func filesThatAreHereKeepTheWalkGoing() {
        var walk = FileWalk()
        _ = walk.opened(10, in: 1, isHere: false, at: 0)
        #expect(walk.opened(11, in: 1, isHere: true, at: 0) == .nothing)
        #expect(walk.opened(12, in: 1, isHere: false, at: 0) == .order(of: 1, after: 11))
    }

    @Test func whatIsReadFromTheCacheAloneIsNotFollowed() {
        var walk = FileWalk()
        for file: UInt64 in 10..<100 {
            #expect(walk.opened(file, in: 1, isHere: true, at: 0) == .nothing)
        }
    }

    @Test func bytesUnderWayAreBounded() {
        var walk = walk()
        var files = 0
        while walk.next(in: 1) != nil {
            walk.began(FileWalk.byteLimit / 2)
            files += 1
        }
        #expect(files == 2)
        walk.ended(FileWalk.byteLimit / 2)
        #expect(walk.next(in: 1) == 14)
    }

    @Test func theWalkGoesOnInTheNextFolder() {
        var walk = walk(last: 200)
        var waiting = Set(all(&walk))
        for file: UInt64 in 12...200 {
            #expect(waiting.remove(file) != nil)
            _ = walk.opened(file, in: 1, isHere: true, at: 1)
            waiting.formUnion(all(&walk))
        }
        #expect(walk.opened(301, in: 2, isHere: false, at: 1.5) == .order(of: 2, after: 300))
        walk.setOrder(Array(301...400), of: 2, at: 1.5)
        #expect(all(&walk, in: 2) == Array(302...333))
    }

    @Test func whatWasPassedOverIsNotWaitedForAnyLonger() {
        var walk = walk()
        #expect(all(&walk) == [12, 13, 14, 15])
        _ = walk.opened(700, in: 1, isHere: false, at: 0.2)
        walk.setOrder(Array(12...1_000), of: 1, at: 0.2)
        #expect(walk.next(in: 1) == nil, "the program went elsewhere")
        #expect(walk.opened(701, in: 1, isHere: false, at: 0.3) == .order(of: 1, after: 700))
        walk.setOrder(Array(701...1_000), of: 1, at: 0.3)
        #expect(all(&walk) == [702, 703, 704, 705])
    }

    @Test func onlySomeFoldersAreFollowed() {
        var walk = walk()
        for folder: UInt64 in 100..<200 {
            _ = walk.opened(folder * 1_000, in: folder, isHere: false, at: Double(folder))
        }
        #expect(walk.opened(11, in: 1, isHere: false, at: 200) == .nothing, "forgotten")
    }
}
