import ChangeFeed
import CloudStorage
import Testing

@Suite struct FeedScheduleTests {
    private let offline = CloudStorageError(.unreachable, "no network")

    private func polls(_ steps: [FeedSchedule.Step]) -> [RootIdentifier] {
        steps.compactMap { if case .poll(let root, _) = $0 { root } else { nil } }
    }

    private func folders(_ steps: [FeedSchedule.Step]) -> [String] {
        steps.compactMap { if case .revalidate(let folder) = $0 { folder.path } else { nil } }
    }

    @Test func everyRootIsPolledFromItsCursor() {
        var schedule = FeedSchedule(interval: .seconds(5), cursors: [rootR: "c1"])
        let first = schedule.nextRound(roots: [rootR, rootS], folders: [], at: .zero)
        #expect(first == [.poll(rootR, cursor: "c1"), .poll(rootS, cursor: nil)])
        schedule.handled(rootR, cursor: "c2")
        let second = schedule.nextRound(roots: [rootR], folders: [], at: .seconds(5))
        #expect(second == [.poll(rootR, cursor: "c2")])
    }

    @Test func foldersTakeTurnsMostRecentlyUsedFirst() {
        var schedule = FeedSchedule(interval: .seconds(5), foldersPerRound: 2)
        let inUse = ["/a", "/b", "/c", "/b"].map { folder($0) }
        func round() -> [String] {
            folders(schedule.nextRound(roots: [rootR], folders: inUse, at: .zero))
        }
        #expect(round() == ["/a", "/b"])
        #expect(round() == ["/c", "/a"])
        #expect(round() == ["/b", "/a"])
        // A folder that is newly used has waited longest.
        let more = [folder("/new")] + inUse
        #expect(
            folders(schedule.nextRound(roots: [rootR], folders: more, at: .zero)) == ["/new", "/c"])
        let all = schedule.nextRound(roots: [rootR], folders: more, at: .zero, isForced: true)
        #expect(folders(all).count == 4)
    }

    @Test func aFailingRootIsAskedLessAndLessAndRecovers() {
        var steps: [FeedSchedule.Step]
        var schedule = FeedSchedule(interval: .seconds(5))
        var now = Duration.zero
        var pauses: [Duration] = []
        for _ in 0..<8 {
            let steps = schedule.nextRound(
                roots: [rootR, rootS], folders: [folder("/a")], at: now)
            #expect(polls(steps) == [rootR, rootS])
            #expect(folders(steps) == ["/a"])
            _ = schedule.pollFailed(rootR, offline, at: now)
            // The folder fails for the same reason: that counts once.
            schedule.revalidationFailed(folder("/a"), offline, at: now)
            schedule.handled(rootS, cursor: "s")
            let start = now
            repeat {
                now += .seconds(5)
            } while polls(
                schedule.nextRound(roots: [rootR, rootS], folders: [folder("/a")], at: now)) == [
                    rootS
                ]
            pauses.append(now - start)
        }
        #expect(pauses == [5, 10, 20, 40, 80, 160, 300, 300].map { .seconds($0) })
        schedule.handled(rootR, cursor: "r")
        now += .seconds(5)
        steps = schedule.nextRound(roots: [rootR], folders: [], at: now)
        #expect(polls(steps) == [rootR])
        _ = schedule.pollFailed(rootR, offline, at: now)
        steps = schedule.nextRound(roots: [rootR], folders: [], at: now)
        #expect(polls(steps).isEmpty)
        let forced = schedule.nextRound(roots: [rootR], folders: [], at: now, isForced: true)
        #expect(polls(forced) == [rootR])
        now += .seconds(5)
        steps = schedule.nextRound(roots: [rootR], folders: [], at: now)
        #expect(polls(steps) == [rootR])
    }

    @Test func theServersOwnWordOnWhenToAskAgainCounts() {
        var steps: [FeedSchedule.Step]
        var schedule = FeedSchedule(interval: .seconds(5))
        _ = schedule.nextRound(roots: [rootR], folders: [], at: .zero)
        let busy = CloudStorageError(.temporarilyUnavailable, "busy", retryAfter: 60)
        _ = schedule.pollFailed(rootR, busy, at: .zero)
        steps = schedule.nextRound(roots: [rootR], folders: [], at: .seconds(59))
        #expect(steps.isEmpty)
        steps = schedule.nextRound(roots: [rootR], folders: [], at: .seconds(60))
        #expect(!steps.isEmpty)
    }

    @Test func withoutAChangeFeedOnlyFoldersAreAsked() {
        var steps: [FeedSchedule.Step]
        var schedule = FeedSchedule(interval: .seconds(5))
        _ = schedule.nextRound(roots: [rootR], folders: [folder("/a")], at: .zero)
        let unsupported = CloudStorageError(.unsupported, "no")
        let isReset = schedule.pollFailed(rootR, unsupported, at: .zero)
        #expect(!isReset)
        let next = schedule.nextRound(
            roots: [rootR], folders: [folder("/a")], at: .zero, isForced: true)
        #expect(next == [.revalidate(folder("/a"))])
        schedule.revalidationFailed(folder("/a"), offline, at: .zero)
        steps = schedule.nextRound(roots: [rootR], folders: [folder("/a")], at: .zero)
        #expect(steps.isEmpty)
        schedule.revalidated(folder("/a"))
        steps = schedule.nextRound(roots: [rootR], folders: [folder("/a")], at: .zero)
        #expect(!steps.isEmpty)
    }

    @Test func aRejectedCursorStartsAnewAndFoldersGoFirst() {
        var schedule = FeedSchedule(
            interval: .seconds(5), foldersPerRound: 1, cursors: [rootR: "old"])
        let inUse = [folder("/a"), folder("/b")]
        _ = schedule.nextRound(roots: [rootR], folders: inUse, at: .zero)
        let rejected = CloudStorageError(.invalidRequest, "no such cursor")
        var isReset = schedule.pollFailed(rootR, rejected, at: .zero)
        #expect(isReset)
        let next = schedule.nextRound(roots: [rootR], folders: inUse, at: .seconds(5))
        #expect(next == [.poll(rootR, cursor: nil), .revalidate(folder("/a"))])
        // Without a cursor to blame, the same answer is a failure like others.
        isReset = schedule.pollFailed(rootR, rejected, at: .seconds(5))
        #expect(!isReset)
    }

    @Test func cancellationAndAFolderThatIsGoneAreNoFailuresOfTheRoot() {
        var steps: [FeedSchedule.Step]
        var schedule = FeedSchedule(interval: .seconds(5))
        _ = schedule.nextRound(roots: [rootR], folders: [folder("/a")], at: .zero)
        _ = schedule.pollFailed(rootR, CloudStorageError(.cancelled, "stop"), at: .zero)
        schedule.revalidationFailed(folder("/a"), CloudStorageError(.notFound, "gone"), at: .zero)
        steps = schedule.nextRound(roots: [rootR], folders: [folder("/a")], at: .zero)
        #expect(steps.count == 2)
    }

    /// Where the cursor stands for the tree, folders are asked for once after each change.
    @Test func foldersAreLeftAloneWhileTheTreeIsAsItWas() {
        var schedule = FeedSchedule(interval: .seconds(5))
        schedule.cursorStandsForTree = true
        let folders = [folder("/1"), folder("/2")]
        var round = 0
        var cursor = "a"
        func asked() -> Int {
            round += 1
            let steps = schedule.nextRound(
                roots: [rootR], folders: folders, at: .seconds(5 * round))
            #expect(steps.first == .poll(rootR, cursor: round == 1 ? nil : cursor))
            return steps.count - 1
        }
        #expect(asked() == 2)
        schedule.handled(rootR, cursor: cursor)
        // What was asked for in the first round may have been older than the cursor.
        #expect(asked() == 2)
        schedule.handled(rootR, cursor: cursor)
        #expect(asked() == 0)
        schedule.handled(rootR, cursor: "b")
        cursor = "b"
        #expect(asked() == 2)
        schedule.handled(rootR, cursor: cursor)
        #expect(asked() == 0)
        // Without a cursor after all, every round asks.
        _ = schedule.pollFailed(rootR, CloudStorageError(.unsupported, "none"), at: .zero)
        let steps = schedule.nextRound(roots: [rootR], folders: folders, at: .seconds(60))
        #expect(self.folders(steps) == ["/1", "/2"])
    }
}
