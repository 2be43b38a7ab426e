import BlockCache
import TestSupport
import Testing

import VirtualFileSystem

/// Which files are fetched ahead, in which order, and which are not.
@Suite struct WarmQueueTests {
    private let vast = CacheRoom(bytes: .max / 2, bound: .limit, entries: .max / 2)

    private func room(
        _ bytes: Int64, _ bound: CacheRoom.Bound = .limit, entries: Int = 1_000
    ) -> CacheRoom {
        CacheRoom(bytes: bytes, bound: bound, entries: entries)
    }

    private func file(
        _ path: String, _ size: Int64, missing: Int64? = nil, isLink: Bool = false
    ) -> WarmFile {
        WarmFile(
            node: 7, path: path.split(separator: "/").map(String.init), size: size,
            missing: missing ?? size, isLink: isLink)
    }

    private func queue(_ files: [WarmFile], limit: Int = 1_000) -> WarmQueue {
        var queue = WarmQueue(fileLimit: limit)
        for file in files { queue.add(file) }
        return queue
    }

    /// All that is handed out, one at a time.
    private func names(_ queue: inout WarmQueue, in room: CacheRoom) -> [String] {
        var names: [String] = []
        while let file = queue.next(in: room) {
            names.append(file.path.joined(separator: "/"))
            queue.ended(file)
        }
        return names
    }

    @Test func filesComeInTheOrderOfTheirPaths() {
        let large = WarmQueue.largeFile
        var queue = queue([file("b/2", 1), file("a", large), file("c", 3), file("b", large)])
        queue.settle(in: vast)
        #expect(names(&queue, in: vast) == ["a", "b", "b/2", "c"])
        #expect(queue.refusal.files == 0)
        #expect(queue.next(in: vast) == nil)
    }

    @Test func onlyAFewLargeFilesAreUnderWay() throws {
        let large = (0..<5).map { file("l\($0)", WarmQueue.largeFile) }
        var queue = queue(large + [file("z", 1)])
        queue.settle(in: vast)
        var underWay: [WarmFile] = []
        for _ in 0..<3 {
            let file = queue.next(in: vast)
            underWay.append(try #require(file))
        }
        #expect(underWay.map(\.path) == [["l0"], ["l1"], ["z"]])
        #expect(queue.next(in: vast) == nil)
        queue.ended(underWay.removeFirst())
        #expect(queue.next(in: vast)?.path == ["l2"])
        #expect(queue.next(in: vast) == nil)
        #expect(queue.waiting == 2)
    }

    /// A larger one is left out, and a smaller one behind it still comes.
    @Test func whatDoesNotFitIsKnownFromTheBeginning() {
        var queue = queue([file("a", 40), file("b", 70), file("c", 50), file("d", 20)])
        queue.settle(in: room(100))
        #expect(queue.refusal.files == 2)
        #expect(queue.refusal.bytes == 90)
        #expect(queue.refusal.lacking == 80, "of 180 bytes 100 have room")
        #expect(queue.refusal.bound == .limit)
        #expect(names(&queue, in: room(100)) == ["a", "c"])
    }

    @Test func onlyWhatIsMissingNeedsRoom() {
        var queue = queue([file("a", 1_000, missing: 10), file("b", 1_000, missing: 0)])
        queue.settle(in: room(10))
        #expect(queue.refusal.files == 0)
        #expect(names(&queue, in: room(10)) == ["a", "b"])
    }

    @Test func withoutRoomNothingIsFetchedButWhatTakesNone() {
        var queue = queue([file("a", 1), file("b", 9, missing: 0), file("l", 5, isLink: true)])
        queue.settle(in: room(-50, .disk, entries: 5))
        #expect(queue.refusal.files == 1)
        #expect(queue.refusal.lacking == 1)
        #expect(queue.refusal.bound == .disk)
        #expect(names(&queue, in: room(-50, .disk)) == ["b", "l"])
    }

    @Test func theNumberOfFilesIsBounded() {
        var crowded = queue([file("a", 1), file("b", 1), file("c", 1)], limit: 2)
        #expect(crowded.waiting == 2)
        #expect(crowded.refusal.files == 1)
        #expect(crowded.refusal.bound == .files)
        crowded.settle(in: room(100, entries: 1))
        #expect(crowded.refusal.files == 2)
        #expect(crowded.refusal.lacking == 0)
        #expect(names(&crowded, in: vast) == ["a"])
    }

    /// Room that others take meanwhile is missed when a file's turn comes.
    @Test func roomThatShrinksRefusesLater() {
        var queue = queue([file("a", 40), file("b", 60), file("c", 10)])
        queue.settle(in: room(110))
        #expect(queue.refusal.files == 0)
        #expect(queue.next(in: room(110))?.path == ["a"])
        #expect(queue.next(in: room(30, .disk))?.path == ["c"])
        #expect(queue.refusal.files == 1)
        #expect(queue.refusal.bytes == 60)
        #expect(queue.refusal.lacking == 30)
        #expect(queue.refusal.bound == .disk)
    }

    /// Whatever is found, in whatever room: what is handed out fits, each file once, and what is refused
    /// is told.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func nothingIsFetchedInVain(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let files = (0..<Int.random(in: 0...60, using: &random)).map { index in
            let size = Int64.random(in: 1...2 * WarmQueue.largeFile, using: &random)
            let missing = Int64.random(in: 0...size, using: &random)
            return file("f\(index % 7)/\(index)", size, missing: missing)
        }
        let bytes = Int64.random(in: 0...(40 * WarmQueue.largeFile), using: &random)
        let entries = Int.random(in: 0...70, using: &random)
        var queue = queue(files)
        queue.settle(in: room(bytes, entries: entries))
        var left = room(bytes, entries: entries)
        var fetched: [WarmFile] = []
        var underWay: [WarmFile] = []
        while true {
            if let file = queue.next(in: left) {
                left.bytes -= file.missing
                left.entries -= 1
                underWay.append(file)
                fetched.append(file)
                #expect(
                    underWay.count { $0.size >= WarmQueue.largeFile }
                        <= WarmQueue.parallelLargeFiles)
            } else if let done = underWay.popLast() {
                queue.ended(done)
            } else {
                break
            }
        }
        #expect(left.bytes >= 0)
        #expect(left.entries >= 0)
        #expect(Set(fetched).count == fetched.count)
        #expect(fetched.count + queue.refusal.files == files.count)
        let missing = files.reduce(0) { $0 + $1.missing }
        #expect(fetched.reduce(0) { $0 + $1.missing } + queue.refusal.bytes == missing)
        if queue.refusal.files > 0, queue.refusal.lacking > 0 {
            #expect(queue.refusal.lacking == queue.refusal.bytes - left.bytes)
        }
    }

    @Test func pathsBelowOthersAreLeftOut() {
        func parts(_ paths: [String]) -> [[String]] {
            WarmPaths.outermost(paths.map { $0.split(separator: "/").map(String.init) })
        }
        #expect(parts(["a/b", "a", "a/c/d", "ab", "a"]) == [["a"], ["ab"]])
        #expect(parts(["b", "a/b/c", "a/b"]) == [["a", "b"], ["b"]])
        #expect(parts(["a", "", "b"]) == [[]])
        #expect(parts([]) == [])
        // Other bytes are another name, however they look.
        #expect(parts(["caf\u{E9}/x", "cafe\u{301}"]).count == 2)
    }
}
