import FileSystemTypes
import Testing

import Reconciler

private let top: UInt64 = 1
private let ready = Difference.Content.ready(size: 1)

private func place(_ name: String, in folder: UInt64 = top) -> NodePlace {
    NodePlace(folder: folder, name: name)
}

/// How long what differs waits before it is sent.
@Suite struct QuietTests {
    private func saved(_ time: Double, size: Int64 = 1) -> Difference {
        Difference(
            kind: .file, wanted: place("a"), home: place("a"), content: .ready(size: size),
            changedAt: time)
    }

    /// When the next job comes, not before `now`; looks whenever the core asks for it.
    private func firstJob(
        _ work: inout Reconciliation, from now: Double,
        isBeingRead: (UInt64) -> Bool = { _ in false }
    ) -> (ReconciliationJob, Double)? {
        var now = now
        for _ in 0..<1_000 {
            if let job = work.next(now: now, isBeingRead: isBeingRead) { return (job, now) }
            guard let next = work.nextTime else { return nil }
            now = max(now, next)
        }
        return nil
    }

    // MARK: Content

    @Test func whatWasLeftAloneIsSentSoon() {
        var work = Reconciliation()
        work.set(2, saved(10))
        #expect(work.next(now: 10.05) == nil)
        #expect(work.next(now: 10.1) == .store(2))
    }

    @Test func whatIsExpectedToChangeWaitsLonger() {
        var work = Reconciliation()
        var difference = Difference(
            kind: .file, wanted: place("lu1.tmp"), home: nil, content: ready, changedAt: 10,
            expectation: .otherName)
        work.set(2, difference)
        #expect(work.next(now: 10.9) == nil)
        // It gets its name after all.
        difference.wanted = place("a")
        difference.changedAt = 10.9
        difference.expectation = .nothing
        work.set(2, difference)
        #expect(work.next(now: 10.95) == nil)
        #expect(work.next(now: 11) == .store(2))

        difference.wanted = place("b")
        difference.expectation = .moreContent
        work.set(3, difference)
        #expect(work.next(now: 20.8) == nil)
        #expect(work.next(now: 20.9) == .store(3))
    }

    @Test func aFoldersNewNameHardlyWaits() {
        var work = Reconciliation()
        work.set(
            2,
            Difference(
                kind: .folder, wanted: place("b"), home: place("a"), content: .none, changedAt: 10))
        #expect(work.next(now: 10.02) == .relocate(2))
        work.set(
            3,
            Difference(kind: .folder, wanted: place("c"), home: nil, content: .none, changedAt: 10)
        )
        #expect(work.next(now: 10.02) == nil)
        #expect(work.next(now: 10.1) == .makeFolder(3))
    }

    /// Sends a file that a program changes every `interval` seconds; each sending takes `cost`.
    /// Returns when it was sent.
    private func sendings(every interval: Double, until end: Double, cost: Double = 0) -> [Double] {
        var work = Reconciliation()
        var times: [Double] = []
        var isUnsent = false
        var done: Double?
        var change = 0.0
        var now = 0.0
        while now < end {
            if let ended = done, ended <= now {
                work.set(2, isUnsent ? work.difference(of: 2) : nil)
                work.finished(.store(2), .done, now: now)
                done = nil
            }
            if change <= now {
                work.set(2, saved(change))
                isUnsent = true
                change += interval
            }
            if done == nil, work.next(now: now) == .store(2) {
                times.append(now)
                isUnsent = false
                done = now + cost
            }
            now += 1.0 / 64
        }
        return times
    }

    @Test func whatIsChangedAgainAndAgainIsSentEverMoreSeldom() {
        let times = sendings(every: 1, until: 120)
        let pauses = zip(times.dropFirst(), times).map(-)
        #expect(times.count < 25)
        // Doubling, up to eight seconds and what is left of the change's own second.
        #expect(pauses.prefix(2).allSatisfy { $0 <= 2.2 })
        #expect(pauses.allSatisfy { $0 <= 9.2 })
        #expect(pauses.suffix(4).allSatisfy { $0 >= 7.8 })
    }

    /// There is no tenth of a second without a change.
    @Test func whatNeverRestsIsSentAllTheSame() {
        let times = sendings(every: 1.0 / 16, until: 200)
        let pauses = zip(times.dropFirst(), times).map(-)
        #expect(times.count >= 6)
        #expect(pauses.allSatisfy { $0 >= 29 && $0 <= 31 })
    }

    @Test func aPersonsSavesAreSentAtOnce() {
        for (index, time) in sendings(every: 20, until: 200).enumerated() {
            #expect(abs(time - (Double(index) * 20 + 0.1)) < 0.05)
        }
    }

    @Test func whatWasLeftAloneIsSentSoonAgain() {
        var work = Reconciliation()
        var now = 0.0
        for _ in 0..<8 {
            work.set(2, saved(now))
            guard let (job, time) = firstJob(&work, from: now) else { break }
            work.set(2, nil)
            work.finished(job, .done, now: time)
            now = time + 0.1
        }
        let last = now - 0.1
        work.set(2, saved(now))
        #expect(work.next(now: last + 7.9) == nil)
        #expect(work.next(now: last + 8) == .store(2))
        work.set(2, nil)
        work.finished(.store(2), .done, now: last + 8)
        work.set(2, saved(last + 40))
        #expect(work.next(now: last + 40.1) == .store(2))
        work.set(2, nil)
        work.finished(.store(2), .done, now: last + 40.1)
        work.set(2, saved(last + 40.2))
        #expect(work.next(now: last + 40.7) == .store(2))
    }

    @Test func whatTakesLongToSendIsSentMoreSeldom() {
        let times = sendings(every: 1, until: 400, cost: 5)
        let pauses = zip(times.dropFirst(), times).map(-)
        // Sending takes five seconds, and the pause after it up to four times as many.
        #expect(pauses.allSatisfy { $0 >= 9.9 && $0 <= 26.2 })
        #expect(pauses.suffix(4).allSatisfy { $0 >= 24.9 })
    }

    /// Who waits for it is not kept waiting.
    @Test func whatIsAskedForIsSentAtOnce() {
        var work = Reconciliation()
        work.set(2, saved(0))
        #expect(work.next(now: 0.1) == .store(2))
        work.set(2, nil)
        work.finished(.store(2), .done, now: 0.2)
        work.set(2, saved(0.3))
        #expect(work.next(now: 0.5) == nil)
        work.expedite([2])
        #expect(work.next(now: 0.5) == .store(2))
    }

    /// A program that writes a new file and renames it over the old one, again and again.
    @Test func aFileThatIsReplacedAgainAndAgainIsOneFile() {
        var work = Reconciliation()
        var times: [Double] = []
        var present: UInt64 = 2
        work.set(present, saved(0))
        for second in 0..<60 {
            let (begin, end) = (Double(second), Double(second + 1))
            if second > 0 {
                var old = saved(begin)
                old.wanted = nil
                old.content = .none
                work.set(present, old)
                present += 1
                var new = saved(begin)
                new.home = nil
                work.set(present, new)
            }
            while let next = work.nextTime, max(begin, next) < end {
                let time = max(begin, next)
                guard let job = work.next(now: time) else { continue }
                switch job {
                case .store(present):
                    times.append(time)
                    work.set(present, nil)
                case .adopt(present, let removed):
                    work.set(removed, nil)
                    work.set(present, saved(begin))
                default: Issue.record("\(job)")
                }
                work.finished(job, .done, now: time)
            }
        }
        #expect(times.count > 4 && times.count < 16, "\(times)")
    }

    @Test func whatSomebodyWaitsForIsNotHeldBackWithTheRest() {
        var work = Reconciliation()
        work.unhurriedWidth = 0
        for item: UInt64 in 2..<5 {
            var difference = saved(0)
            difference.wanted = place("\(item)")
            difference.home = difference.wanted
            work.set(item, difference)
        }
        #expect(work.next(now: 1) == nil)
        #expect(work.nextTime == nil)
        work.expedite([4])
        #expect((work.nextTime ?? .infinity) <= 1)
        #expect(work.next(now: 1) == .store(4))
        #expect(work.next(now: 1) == nil)
    }

    // MARK: Removals

    private func removed(
        _ name: String, _ kind: Difference.Kind = .file, in folder: UInt64 = top, at time: Double
    ) -> Difference {
        Difference(
            kind: kind, wanted: nil, home: place(name, in: folder), content: .none, changedAt: time)
    }

    /// `rm -rf` of a folder of files, one every `step` seconds. Returns the jobs until the end.
    private func removal(
        step: Double, files: UInt64, isBeingRead: (UInt64) -> Bool
    ) -> [(job: ReconciliationJob, time: Double)] {
        var work = Reconciliation()
        var jobs: [(job: ReconciliationJob, time: Double)] = []
        var now = 0.0
        func look(_ isBeingRead: (UInt64) -> Bool) {
            while let job = work.next(now: now, isBeingRead: isBeingRead) {
                jobs.append((job, now))
                for item in job.items { work.set(item, nil) }
                work.finished(job, .done, now: now)
            }
        }
        for file in 0..<files {
            let next = now + step
            work.set(100 + file, removed("\(file)", in: 2, at: now))
            while let time = work.nextTime, max(now, time) < next {
                now = max(now, time)
                look(isBeingRead)
            }
            now = next
        }
        work.set(2, removed("d", .folder, at: now))
        while let time = work.nextTime {
            now = max(now, time)
            look { _ in false }
        }
        return jobs
    }

    @Test(arguments: [0.001, 0.05, 0.3, 1.5])
    func aTreeIsRemovedInOneCallWhoeverSlowlyRemovesIt(_ step: Double) {
        let jobs = removal(step: step, files: 12) { $0 == 2 }
        #expect(jobs.count == 1)
        guard case .delete(2, let others) = jobs.first?.job else {
            Issue.record("\(jobs)")
            return
        }
        #expect(others.count == 12)
        // Soon after its end.
        #expect((jobs.first?.time ?? 0) <= step * 12 + 0.11)
    }

    @Test func removalsThatGoOnNeedNobodyWhoReads() {
        #expect(removal(step: 0.1, files: 50) { _ in false }.count == 1)
        // What has waited for half a minute goes.
        #expect(removal(step: 0.1, files: 500) { _ in false }.count > 1)
        // A person removes one file after the other.
        #expect(removal(step: 1, files: 5) { _ in false }.count == 6)
    }

    @Test func whatStaysOpenHoldsUpARemovalForTwoSecondsOnly() {
        var work = Reconciliation()
        work.set(3, removed("x", in: 2, at: 10))
        let (job, time) = firstJob(&work, from: 10) { $0 == 2 } ?? (.setTime(0), 0)
        #expect(job == .delete(3, with: []))
        #expect(abs(time - 12) < 0.01)
    }

    @Test func removalsStandBackWhileProgramsAreBusy() {
        var work = Reconciliation()
        work.programsAreBusy = true
        work.set(3, removed("x", in: 2, at: 10))
        #expect(work.next(now: 11) == nil)
        work.programsAreBusy = false
        guard let next = work.nextTime else {
            Issue.record("never")
            return
        }
        #expect(next <= 11.11)
        #expect(work.next(now: next) == .delete(3, with: []))
    }

    private func removedTree(_ work: inout Reconciliation, at now: Double) {
        for file: UInt64 in 0..<20 { work.set(100 + file, removed("\(file)", in: 2, at: now)) }
        work.set(2, removed("d", .folder, at: now))
    }

    /// `rm -rf` of one folder ends with that folder.
    @Test func aLoneTreeIsRemovedAtOnce() {
        var work = Reconciliation()
        work.programsAreBusy = true
        work.unhurriedWidth = 0
        removedTree(&work, at: 10)
        #expect(work.nextTime ?? 20 <= 10)
        guard case .delete(2, let others) = work.next(now: 10) else {
            Issue.record("it waits")
            return
        }
        #expect(others.count == 20)
    }

    @Test func aTreeThatMayBePartOfALargerOneWaits() {
        // Somebody reads the folder around it, or has removed something else from there.
        var read = Reconciliation()
        removedTree(&read, at: 10)
        #expect(read.next(now: 10, isBeingRead: { $0 == top }) == nil)
        #expect(read.next(now: 11, isBeingRead: { $0 == top }) == nil)
        #expect(firstJob(&read, from: 11)?.1 ?? 20 < 11.2)

        var second = Reconciliation()
        second.set(3, removed("x", at: 9))
        removedTree(&second, at: 10)
        #expect(second.next(now: 10.05) == nil)
        #expect(firstJob(&second, from: 10.05)?.1 ?? 20 < 10.2)

        // Long afterwards it has nothing to do with it.
        var third = Reconciliation()
        third.set(3, removed("x", at: 5))
        #expect(third.next(now: 6) == .delete(3, with: []))
        third.set(3, nil)
        third.finished(.delete(3, with: []), .done, now: 6)
        removedTree(&third, at: 10)
        #expect(third.next(now: 10) != nil)
    }

    /// The folder's own removal frees those from it of any wait of their own.
    @Test func manyWaitingRemovalsCostOneLookAtATime() {
        var work = Reconciliation()
        for file: UInt64 in 0..<1_000 { work.set(10 + file, removed("\(file)", in: 2, at: 10)) }
        var looks = 0
        func isRead(_ folder: UInt64) -> Bool {
            looks += 1
            return true
        }
        #expect(work.next(now: 10.2, isBeingRead: isRead) == nil)
        looks = 0
        while let next = work.nextTime, next < 11.9 {
            #expect(work.next(now: next, isBeingRead: isRead) == nil)
        }
        #expect(looks > 10 && looks < 25)
        work.set(2, removed("d", .folder, at: 11.9))
        guard let (job, time) = firstJob(&work, from: 11.9) else {
            Issue.record("never")
            return
        }
        #expect(job.items.first == 2 && job.items.count == 1_001)
        #expect(time < 12.1)
    }
}
