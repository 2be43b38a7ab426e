import Testing

import VirtualFileSystem

/// When a program is taken for one that reads the files of a folder in their order, and what is fetched ahead of it.
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
        #expect(walk.opened(301, in: 2, isHere: false, at: 1.5) == .order(of: 2, after: 0))
        walk.setOrder(Array(301...400), of: 2, at: 1.5)
        #expect(all(&walk, in: 2) == Array(302...333))
        // Not where it begins in the middle.
        #expect(walk.opened(550, in: 3, isHere: false, at: 1.6) == .order(of: 3, after: 0))
        walk.setOrder(Array(501...600), of: 3, at: 1.6)
        #expect(all(&walk, in: 3) == [])
    }

    @Test func aFolderReadWithoutOrderIsSeldomLookedThrough() {
        var walk = FileWalk()
        var looks = 0
        for step: UInt64 in 0..<10_000 {
            let file = 10 + step * 10
            let asked = walk.opened(file, in: 1, isHere: false, at: 0)
            guard case .order(_, let last) = asked else { continue }
            looks += 1
            walk.setOrder(Array((last + 1)...(file + 5)), of: 1, at: 0)
        }
        #expect(looks < 30)
    }

    @Test func otherBytesCountAsUnderWay() {
        var walk = walk()
        let first = walk.admit(FileWalk.byteLimit)
        let second = walk.admit(1)
        #expect(first && !second)
        #expect(walk.next(in: 1) == nil)
        walk.ended(FileWalk.byteLimit)
        #expect(walk.next(in: 1) == 12)
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
