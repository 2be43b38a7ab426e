import FileSystemTypes
import Testing

import Reconciler

private let top: UInt64 = 1

private func place(_ name: String, in folder: UInt64 = top) -> NodePlace {
    NodePlace(folder: folder, name: name)
}

/// A difference that came about at time 0.
private func difference(
    _ kind: Difference.Kind = .file, wanted: NodePlace?, home: NodePlace? = nil,
    _ content: Difference.Content = .none, at time: Double = 0
) -> Difference {
    Difference(kind: kind, wanted: wanted, home: home, content: content, changedAt: time)
}

private let ready = Difference.Content.ready(size: 1)

extension Reconciliation {
    /// A core that has these differences, with no wait before work but where a test asks for it.
    fileprivate init(
        _ differences: [UInt64: Difference],
        pace: ReconciliationPace = ReconciliationPace(settleSeconds: 0, removalSeconds: 0)
    ) {
        self.init(pace: pace)
        for (item, difference) in differences.sorted(by: { $0.key < $1.key }) {
            set(item, difference)
        }
    }

    /// All jobs that are due.
    fileprivate mutating func all(now: Double = 0) -> [ReconciliationJob] {
        var jobs: [ReconciliationJob] = []
        while let job = next(now: now) { jobs.append(job) }
        return jobs
    }

    /// Ends a job after which nothing of its first item is left to do.
    fileprivate mutating func succeed(_ job: ReconciliationJob, now: Double = 0) {
        for item in job.items { set(item, nil) }
        finished(job, .done, now: now)
    }
}

@Suite struct ReconciliationTests {
    @Test func aChangeIsSentWhenThingsHaveBeenQuiet() {
        var work = Reconciliation(
            [2: difference(wanted: place("a"), ready, at: 10)],
            pace: ReconciliationPace(settleSeconds: 1, removalSeconds: 2))
        #expect(work.next(now: 10.9) == nil)
        #expect(work.nextTime == 11)
        work.set(2, difference(wanted: place("a"), ready, at: 10.5))
        #expect(work.next(now: 11) == nil)
        #expect(work.next(now: 11.5) == .store(2))
        work.set(3, difference(wanted: nil, home: place("b"), at: 12))
        #expect(work.next(now: 13) == nil)
        #expect(work.next(now: 14) == .delete(3, with: []))
    }

    @Test func createdAndRemovedIsNothing() {
        var work = Reconciliation([2: difference(wanted: place("a"), ready)])
        work.set(2, nil)
        #expect(work.all().isEmpty)
        #expect(work.isEmpty)
        #expect(work.nextTime == nil)
    }

    @Test func aPlaceIsKeptFreeUntilTheJobHasEnded() {
        let new = ["n", "x"].map { difference(wanted: place($0), ready) }
        var work = Reconciliation([2: new[0], 3: new[1]])
        let jobs = work.all()
        let takers = [(2, "x"), (2, "old"), (3, "old")].map { work.keepFree(place($1), for: $0) }
        #expect(takers == [3, nil, 2])
        work.set(4, difference(wanted: place("old"), ready))
        #expect(work.all().isEmpty)
        work.finished(jobs[0], .after(3), now: 0)
        #expect(work.all() == [.store(4)])
        work.finished(jobs[1], .after(2), now: 0)
        #expect(work.all() == [.store(3), .store(2)])
    }

    @Test func anOpenFileWaits() {
        var work = Reconciliation([2: difference(wanted: place("a"), .open)])
        #expect(work.all().isEmpty)
        #expect(!work.isUnderWay(2))
        work.set(2, difference(wanted: place("a"), ready))
        #expect(work.all() == [.store(2)])
    }

    @Test func aParentComesBeforeItsChildren() {
        var work = Reconciliation([
            2: difference(wanted: place("a", in: 3), ready),
            3: difference(.folder, wanted: place("d", in: 4)),
            4: difference(.folder, wanted: place("e")),
        ])
        #expect(work.all() == [.makeFolder(4)])
        work.succeed(.makeFolder(4))
        #expect(work.all() == [.makeFolder(3)])
        work.succeed(.makeFolder(3))
        #expect(work.all() == [.store(2)])
    }

    @Test func removingATreeIsOneDelete() {
        var work = Reconciliation([
            2: difference(wanted: nil, home: place("x", in: 4), at: 1),
            3: difference(.folder, wanted: nil, home: place("d", in: 4), at: 2),
            4: difference(.folder, wanted: nil, home: place("e"), at: 3),
            5: difference(wanted: nil, home: place("y", in: 3), at: 1),
        ])
        work.expedite([4])
        let jobs = work.all(now: 0)
        #expect(jobs.count == 1)
        guard case .delete(4, let others) = jobs.first else {
            Issue.record("no delete of the top: \(jobs)")
            return
        }
        #expect(Set(others) == [2, 3, 5])
        work.succeed(jobs[0])
        #expect(work.isEmpty)
    }

    @Test func aFolderWaitsForWhatLeavesItAndForWhatArrives() {
        var work = Reconciliation([
            2: difference(wanted: place("x"), home: place("x", in: 4)),
            4: difference(.folder, wanted: nil, home: place("e")),
        ])
        #expect(work.all() == [.relocate(2)])
        work.succeed(.relocate(2))
        #expect(work.all() == [.delete(4, with: [])])

        var arriving = Reconciliation([2: difference(wanted: place("x", in: 4), ready)])
        #expect(arriving.all() == [.store(2)])
        // Moved out again, and the folder removed, while the upload is under way.
        arriving.set(2, difference(wanted: place("x"), ready))
        arriving.set(4, difference(.folder, wanted: nil, home: place("e")))
        #expect(arriving.all().isEmpty)
    }

    @Test func aRefusedTreeMayComeBackPieceByPiece() {
        var work = Reconciliation([
            2: difference(wanted: nil, home: place("x", in: 4), at: 5),
            4: difference(.folder, wanted: nil, home: place("e")),
        ])
        let job = work.next(now: 0)
        #expect(job == .delete(4, with: [2]))
        guard let job else { return }
        work.finished(job, .refused, now: 0)
        #expect(work.isRefused(4))
        #expect(work.all(now: 5) == [.delete(2, with: [])])
    }

    @Test func aNewFileBecomesTheNextContentOfWhatItReplaces() {
        var work = Reconciliation([
            2: difference(wanted: nil, home: place("a")),
            3: difference(wanted: place("a"), ready),
        ])
        let job = work.next(now: 0)
        #expect(job == .adopt(item: 3, removed: 2))
        #expect(work.next(now: 0) == nil)
        work.set(2, nil)
        work.set(3, difference(wanted: place("a"), home: place("a"), ready))
        work.finished(.adopt(item: 3, removed: 2), .done, now: 0)
        #expect(work.all() == [.store(3)])
    }

    @Test func theOldOneStaysUntilItsSuccessorIsClosed() {
        var work = Reconciliation([
            2: difference(wanted: nil, home: place("a")),
            3: difference(wanted: place("a"), .open),
        ])
        #expect(work.all().isEmpty)
        #expect(!work.isUnderWay(2))
        work.set(3, nil)
        #expect(work.all() == [.delete(2, with: [])])
    }

    @Test func anItemOfTheServerReplacesAnother() {
        var work = Reconciliation([
            2: difference(wanted: nil, home: place("a")),
            3: difference(wanted: place("a"), home: place("b")),
        ])
        #expect(work.all() == [.replace(item: 3, removed: 2)])
    }

    @Test(arguments: [2, 3])
    func circlesOfNamesAreBroken(_ count: UInt64) {
        var work = Reconciliation(pace: ReconciliationPace(settleSeconds: 0, removalSeconds: 0))
        for item in 0..<count {
            work.set(
                10 + item,
                difference(wanted: place("\((item + 1) % count)"), home: place("\(item)")))
        }
        guard case .stepAside(let first) = work.next(now: 0) else {
            Issue.record("nobody steps aside")
            return
        }
        #expect(work.next(now: 0) == nil)
        let wanted = work.difference(of: first)?.wanted
        work.set(first, difference(wanted: wanted, home: place(".t")))
        work.finished(.stepAside(first), .done, now: 0)
        var done = 0
        while let job = work.next(now: 0) {
            work.succeed(job)
            done += 1
        }
        #expect(done == Int(count))
        #expect(work.isEmpty)
    }

    /// `mkdir tmp; mv foo tmp/foo; mv tmp foo`
    @Test func aFolderTakesTheNameOfWhatIsInIt() {
        var work = Reconciliation([
            2: difference(wanted: place("foo", in: 3), home: place("foo")),
            3: difference(.folder, wanted: place("foo")),
        ])
        #expect(work.all() == [.stepAside(2)])
        work.set(2, difference(wanted: place("foo", in: 3), home: place(".t")))
        work.finished(.stepAside(2), .done, now: 0)
        #expect(work.all() == [.makeFolder(3)])
        work.succeed(.makeFolder(3))
        #expect(work.all() == [.relocate(2)])
    }

    /// `mv dir/a a; rmdir dir; mv a dir`
    @Test func whatWasInAFolderTakesItsName() {
        var work = Reconciliation([
            2: difference(wanted: place("dir"), home: place("a", in: 3)),
            3: difference(.folder, wanted: nil, home: place("dir")),
        ])
        #expect(work.all() == [.stepAside(3)])
        work.set(3, difference(.folder, wanted: nil, home: place(".t")))
        work.finished(.stepAside(3), .done, now: 0)
        #expect(work.all() == [.relocate(2)])
        work.succeed(.relocate(2))
        #expect(work.all() == [.delete(3, with: [])])
    }

    /// `mv a/b/c c; mv a c/a`: the server has c below a, through a folder that stays where it is.
    @Test func aFolderDoesNotMoveIntoItself() {
        var work = Reconciliation([
            2: difference(.folder, wanted: place("a", in: 4), home: place("a")),
            4: difference(.folder, wanted: place("c"), home: place("c", in: 3)),
        ])
        let folders: [UInt64: UInt64] = [3: 2]
        #expect(work.next(now: 0, folderOf: { folders[$0] }) == .relocate(4))
        #expect(work.next(now: 0, folderOf: { folders[$0] }) == nil)
        work.succeed(.relocate(4))
        #expect(work.next(now: 0, folderOf: { folders[$0] }) == .relocate(2))
    }

    @Test func whatIsBeingDoneKeepsItsPlaces() {
        var work = Reconciliation([2: difference(wanted: place("b"), home: place("a"))])
        #expect(work.all() == [.relocate(2)])
        // Renamed back, and new files under both names, before the answer.
        work.set(2, difference(wanted: place("a"), home: place("a")))
        work.set(3, difference(wanted: place("b"), ready))
        #expect(work.all().isEmpty)
        work.set(2, difference(wanted: place("a"), home: place("b")))
        work.finished(.relocate(2), .done, now: 0)
        #expect(work.all() == [.relocate(2)])
        work.succeed(.relocate(2))
        #expect(work.all() == [.store(3)])
    }

    @Test func aHeldFileIsNotDeleted() {
        var held = difference(wanted: nil, home: place("a"))
        held.isHeld = true
        var work = Reconciliation([2: held])
        #expect(work.all().isEmpty)
        #expect(!work.isUnderWay(2))
        held.isHeld = false
        work.set(2, held)
        #expect(work.all() == [.delete(2, with: [])])
    }

    @Test func retriesAreRarerEachTime() {
        var work = Reconciliation(
            [2: difference(wanted: place("a"), ready)],
            pace: ReconciliationPace(settleSeconds: 0, firstRetry: 2, longestRetry: 5))
        var now = 0.0
        for wait in [2.0, 4, 5, 5] {
            #expect(work.next(now: now) == .store(2))
            work.finished(.store(2), .retry(after: nil), now: now)
            #expect(work.next(now: now + wait - 0.1) == nil)
            now += wait
        }
        #expect(work.next(now: now) == .store(2))
        work.finished(.store(2), .retry(after: 60), now: now)
        #expect(work.next(now: now + 59) == nil)
        work.expedite([2])
        #expect(work.next(now: now + 59) == .store(2))
    }

    @Test func whatIsLockedIsLookedAtNowAndThen() {
        var work = Reconciliation(
            [2: difference(wanted: place("a"), ready)],
            pace: ReconciliationPace(settleSeconds: 0, lockedRetry: 15))
        _ = work.next(now: 0)
        work.finished(.store(2), .waiting, now: 0)
        #expect(work.next(now: 14) == nil)
        #expect(work.next(now: 15) == .store(2))
    }

    @Test func whatWasRefusedWaitsForAChangeOrARequest() {
        var work = Reconciliation([2: difference(wanted: place("a"), ready)])
        _ = work.next(now: 0)
        work.finished(.store(2), .refused, now: 0)
        #expect(work.next(now: 1_000) == nil)
        #expect(!work.isUnderWay(2))
        work.expedite([2])
        #expect(work.next(now: 1_000) == .store(2))
        work.finished(.store(2), .refused, now: 0)
        work.set(2, difference(wanted: place("b"), ready))
        #expect(work.next(now: 1_000) == .store(2))
    }

    @Test func largeUploadsLeaveRoomForSmallOnes() {
        let large = Difference.Content.ready(size: 1 << 30)
        var work = Reconciliation(
            [
                2: difference(wanted: place("a"), large), 3: difference(wanted: place("b"), large),
                4: difference(wanted: place("c"), ready), 5: difference(wanted: place("d"), ready),
            ],
            pace: ReconciliationPace(settleSeconds: 0, width: 3, bulkWidth: 1))
        #expect(work.next(now: 0) == .store(4))
        #expect(work.next(now: 0) == .store(5))
        #expect(work.next(now: 0) == .store(2))
        #expect(work.next(now: 0) == nil)
        work.succeed(.store(4))
        #expect(work.next(now: 0) == nil)
        work.succeed(.store(2))
        #expect(work.next(now: 0) == .store(3))
    }

    /// Small files that keep coming do not hold up a large one for ever.
    @Test func aLargeUploadIsNotForgotten() {
        var work = Reconciliation(
            [2: difference(wanted: place("a"), .ready(size: 1 << 34))],
            pace: ReconciliationPace(settleSeconds: 0, width: 1))
        var now = 0.0
        var item: UInt64 = 10
        while now < 200 {
            work.set(item, difference(wanted: place("\(item)"), ready, at: now))
            work.set(item + 1, difference(wanted: place("\(item + 1)"), ready, at: now))
            guard let job = work.next(now: now) else { break }
            if job == .store(2) { break }
            work.succeed(job, now: now)
            item += 2
            now += 1
        }
        #expect(now < 200)
    }

    @Test func whoWaitsForAnotherHurriesIt() {
        var work = Reconciliation(
            [
                2: difference(wanted: place("a", in: 3), ready, at: 0),
                3: difference(.folder, wanted: place("d"), at: 0),
            ], pace: ReconciliationPace(settleSeconds: 100))
        #expect(work.next(now: 1) == nil)
        work.expedite([2])
        #expect(work.next(now: 1) == .makeFolder(3))
    }

    /// Who asks for a file whose folder pauses after a failure learns of it, and can have it tried.
    @Test func whatHoldsAnItemIsKnownBeforeItsTurn() {
        let folder = difference(.folder, wanted: place("d"), at: 0)
        var work = Reconciliation([3: folder])
        #expect(work.next(now: 0) == .makeFolder(3))
        work.finished(.makeFolder(3), .retry(after: 300), now: 0)
        work.set(2, difference(wanted: place("a", in: 3), ready, at: 1))
        #expect(work.chain(from: 2) == [2])
        #expect(work.chain(from: 2, looksAhead: true) == [2, 3])
        work.expedite(work.chain(from: 2, looksAhead: true))
        #expect(work.next(now: 1) == .makeFolder(3))
        work.finished(.makeFolder(3), .retry(after: 300), now: 1)
        // For itself the file does not disturb the pause.
        work.expedite([2])
        #expect(work.next(now: 2) == nil)
    }

    /// A job that began before somebody asked may have failed for what no longer holds.
    @Test(arguments: [ReconciliationResult.refused, .waiting, .retry(after: 60)])
    func whatIsAskedForDuringAJobIsTriedOnceMore(_ result: ReconciliationResult) {
        var work = Reconciliation([2: difference(wanted: place("a"), ready)])
        #expect(work.next(now: 0) == .store(2))
        #expect(!work.isAskedAgain(2))
        work.expedite([2])
        #expect(work.isAskedAgain(2))
        work.finished(.store(2), result, now: 1)
        #expect(work.next(now: 1) == .store(2))
        #expect(!work.isAskedAgain(2))
        work.finished(.store(2), result, now: 2)
        #expect(work.next(now: 2) == nil)
    }
}
