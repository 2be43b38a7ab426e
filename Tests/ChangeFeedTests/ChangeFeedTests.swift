import ChangeFeed
import CloudStorage
import Synchronization
import TestSupport
import Testing

/// A door that stays shut until it is opened; waiting ends when the task is cancelled.
private final class Door: Sendable {
    private let stream: AsyncStream<Void>
    private let opener: AsyncStream<Void>.Continuation

    init() { (stream, opener) = AsyncStream.makeStream() }
    func open() { opener.finish() }
    func wait() async { for await _ in stream {} }
}

@Suite(.timeLimit(.minutes(3))) struct ChangeFeedTests {
    private let clock = ManualClock()

    @Test func theCursorAdvancesOnlyAfterTheReceiverHasHandledThePage() async throws {
        let door = Door()
        let stored = Mutex<[String]>([])
        let cloud = FeedCloud { _, cursor in
            ChangePage(items: cursor == "c1" ? [changedFile("x")] : [], cursor: "c2")
        }
        let receiver = RecordingReceiver(roots: [rootR], onChange: { await door.wait() })
        let feed = ChangeFeed(
            cloud: cloud, interval: .seconds(5), clock: clock, receiver: receiver,
            cursors: CursorStorage(initial: [rootR: "c1"]) { root, cursor in
                stored.withLock { $0.append("\(root) \(cursor ?? "-")") }
            })
        let round = Task { await feed.pollNow() }
        try await eventually { !cloud.asked.isEmpty }
        #expect(stored.withLock { $0 }.isEmpty)
        door.open()
        await round.value
        #expect(receiver.heard == ["r: x"])
        #expect(stored.withLock { $0 } == ["r c2"])
        await feed.pollNow()
        #expect(cloud.asked == ["r c1", "r c2"])
        // The same cursor again is no news.
        #expect(stored.withLock { $0 } == ["r c2"])
    }

    @Test func roundsFollowEachOtherAtTheInterval() async {
        let cloud = FeedCloud { _, cursor in
            ChangePage(items: [], cursor: "c\((cursor?.count ?? 0) + 1)")
        }
        let receiver = RecordingReceiver(roots: [rootR], folders: [folder("/a")])
        let feed = ChangeFeed(
            cloud: cloud, interval: .seconds(5), clock: clock, receiver: receiver)
        let run = Task { await feed.run() }
        for round in 1...3 {
            await clock.waitForSleepers(1)
            #expect(cloud.asked.count == round)
            #expect(receiver.heard.count == round)
            clock.advance(by: .seconds(5))
        }
        run.cancel()
        await run.value
    }

    @Test func failuresAreLeftAloneForAWhileAndOtherRootsGoOn() async {
        let cloud = FeedCloud { root, _ throws(CloudStorageError) in
            if root == rootR { throw CloudStorageError(.unreachable, "no network") }
            return ChangePage(items: [], cursor: "s")
        }
        let feed = ChangeFeed(
            cloud: cloud, interval: .seconds(5), clock: clock,
            receiver: RecordingReceiver(roots: [rootR, rootS]))
        let run = Task { await feed.run() }
        for _ in 0..<6 {
            await clock.waitForSleepers(1)
            clock.advance(by: .seconds(5))
        }
        await clock.waitForSleepers(1)
        run.cancel()
        await run.value
        // r at 0, 5 and 15 seconds; s seven times.
        #expect(cloud.asked.filter { $0.hasPrefix("r") }.count == 3)
        #expect(cloud.asked.filter { $0.hasPrefix("s") }.count == 7)
    }

    @Test func cancellingRunEndsACallUnderWay() async throws {
        let door = Door()
        let cloud = FeedCloud { _, _ throws(CloudStorageError) in
            await door.wait()
            throw CloudStorageError(.cancelled, "stopped")
        }
        let feed = ChangeFeed(
            cloud: cloud, interval: .seconds(5), clock: clock,
            receiver: RecordingReceiver(roots: [rootR], folders: [folder("/a")]))
        let run = Task { await feed.run() }
        try await eventually { !cloud.asked.isEmpty }
        run.cancel()
        await run.value
        door.open()
    }

    @Test func roundsDoNotOverlapAndAWaitingOneCanBeCancelled() async throws {
        let door = Door()
        let cloud = FeedCloud { _, _ in
            await door.wait()
            return ChangePage(items: [], cursor: "c")
        }
        let feed = ChangeFeed(
            cloud: cloud, interval: .seconds(5), clock: clock,
            receiver: RecordingReceiver(roots: [rootR]))
        let first = Task { await feed.pollNow() }
        try await eventually { !cloud.asked.isEmpty }
        let second = Task { await feed.pollNow() }
        let third = Task { await feed.pollNow() }
        third.cancel()
        await third.value
        #expect(cloud.asked == ["r -"])
        door.open()
        await first.value
        await second.value
        #expect(cloud.asked == ["r -", "r c"])
    }

    @Test func aLotOfFoldersIsRevalidatedAFewAtATime() async {
        let running = Mutex((now: 0, most: 0))
        let folders = (0..<100).map { folder("/\($0)") }
        let receiver = RecordingReceiver(
            roots: [], folders: folders,
            onRevalidate: { _ in
                running.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                await Task.yield()
                running.withLock { $0.now -= 1 }
            })
        let cloud = FeedCloud { _, _ in ChangePage(items: [], cursor: "c") }
        let feed = ChangeFeed(
            cloud: cloud, interval: .seconds(5), clock: clock, receiver: receiver)
        await feed.pollNow()
        #expect(Set(receiver.heard) == Set(folders.map { "list " + $0.path }))
        #expect(running.withLock { $0.most } <= 4)
    }
}
