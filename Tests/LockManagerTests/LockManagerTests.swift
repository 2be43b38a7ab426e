import CloudStorage
import LockManager
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct LockManagerTests {
    let cloud = LockingCloud()
    let clock = ManualClock()
    let observer = RecordingObserver()
    let locks: LockManager
    let a = file("a")
    let somebodyElse = CloudStorageError(.locked, "somebody else has it")

    init() {
        locks = LockManager(cloud: cloud, leaseSeconds: 80, clock: clock, observer: observer)
    }

    private func acquireAndAnswer() async throws {
        async let acquired: Void = locks.acquire(a)
        await cloud.answer(.lock, a)
        try await acquired
    }

    /// Lets the renewal loop run on until the cloud has been called that often.
    private func letTimePass(untilCalls count: Int) async {
        while cloud.calls.count < count {
            await clock.waitForSleepers(1)
            clock.advance(by: .seconds(10))
        }
    }

    @Test func callersOfOneItemShareOneCallAndOneLock() async throws {
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 { group.addTask { try await locks.acquire(a) } }
            await cloud.answer(.lock, a)
            try await group.waitForAll()
        }
        #expect(cloud.calls == [.lock])
        #expect(locks.held == [a])
        for _ in 0..<19 { await locks.release(a) }
        #expect(cloud.calls == [.lock])
        async let released: Void = locks.release(a)
        await cloud.answer(.unlock, a)
        await released
        #expect(locks.held.isEmpty)
        #expect(observer.lines == ["taken /a", "given back /a"])
    }

    @Test func aRefusalReachesTheCallerAndLeavesNothing() async throws {
        for _ in 0..<2 {
            let acquired = Task { try await locks.acquire(a) }
            await cloud.answer(.lock, a, somebodyElse)
            let refusal = await #expect(throws: CloudStorageError.self) {
                try await acquired.value
            }
            #expect(refusal?.kind == .locked)
            #expect(locks.held.isEmpty)
            #expect(observer.lines.suffix(2) == ["taken /a", "given back /a"])
        }
        #expect(cloud.calls == [.lock, .lock])
    }

    @Test func aLockThatMayHaveBeenTakenUnseenIsGivenBack() async throws {
        let acquired = Task { try await locks.acquire(a) }
        let lateAnswer = CloudStorageError(.timedOut, "no answer", mayHaveHappened: true)
        await cloud.answer(.lock, a, lateAnswer)
        let failure = await #expect(throws: CloudStorageError.self) { try await acquired.value }
        #expect(failure?.kind == .timedOut)
        await cloud.answer(.unlock, a)
        await observer.wait(for: "given back /a")
    }

    @Test func theLockIsRenewedAtHalfItsDurationUntilItIsLost() async throws {
        let run = Task { await locks.run() }
        await clock.waitForSleepers(1)
        try await acquireAndAnswer()
        clock.advance(by: .seconds(39))
        await clock.waitForSleepers(1)
        #expect(cloud.calls == [.lock])
        clock.advance(by: .seconds(1))
        await cloud.answer(.lock, a)
        await letTimePass(untilCalls: 3)
        // No network: the lock is asked for again, and is still ours as far as we know.
        await cloud.answer(.lock, a, CloudStorageError(.unreachable, "no network"))
        #expect(locks.held == [a])
        await letTimePass(untilCalls: 4)
        await cloud.answer(.lock, a, somebodyElse)
        await observer.wait(for: "lost /a locked")
        #expect(locks.held.isEmpty)
        // Releasing what was lost does not unlock somebody else's lock.
        await locks.release(a)
        #expect(cloud.calls == [.lock, .lock, .lock, .lock])
        run.cancel()
        await run.value
    }

    /// A laptop that was closed for the night: the clock has counted on, the lease has run out.
    @Test(arguments: [nil, CloudStorageError(.locked, "a colleague has it by now")])
    func aLeaseThatRanOutDuringASuspensionIsTakenUpAgainOrLost(
        _ answer: CloudStorageError?
    ) async throws {
        let run = Task { await locks.run() }
        await clock.waitForSleepers(1)
        try await acquireAndAnswer()
        await clock.waitForSleepers(1)
        clock.advance(by: .seconds(9 * 3_600))
        await cloud.answer(.lock, a, answer)
        if answer == nil {
            await clock.waitForSleepers(1)
            #expect(locks.held == [a])
            #expect(observer.lines == ["taken /a"])
            clock.advance(by: .seconds(40))
            await cloud.answer(.lock, a)
        } else {
            await observer.wait(for: "lost /a locked")
            #expect(locks.held.isEmpty)
        }
        run.cancel()
        await run.value
    }

    @Test func whoWantsTheLockDuringTheUnlockWaitsForIt() async throws {
        try await acquireAndAnswer()
        let released = Task { await locks.release(a) }
        try await eventually { cloud.calls == [.lock, .unlock] }
        let acquired = Task { try await locks.acquire(a) }
        await cloud.answer(.unlock, a)
        await released.value
        await cloud.answer(.lock, a)
        try await acquired.value
        #expect(cloud.calls == [.lock, .unlock, .lock])
        #expect(locks.held == [a])
        #expect(observer.lines.last == "taken /a")
    }

    @Test func oneWaiterMayGiveUpWithoutTheOthers() async throws {
        let patient = Task { try await locks.acquire(a) }
        let impatient = Task { try await locks.acquire(a) }
        try await eventually { !cloud.calls.isEmpty }
        impatient.cancel()
        let given = await #expect(throws: CloudStorageError.self) { try await impatient.value }
        #expect(given?.kind == .cancelled)
        await cloud.answer(.lock, a)
        try await patient.value
        #expect(locks.held == [a])
        async let released: Void = locks.release(a)
        await cloud.answer(.unlock, a)
        await released
    }

    @Test func aLockThatNobodyWaitsForAnyMoreIsGivenBack() async throws {
        let caller = Task { try await locks.acquire(a) }
        try await eventually { !cloud.calls.isEmpty }
        caller.cancel()
        await #expect(throws: CloudStorageError.self) { try await caller.value }
        await cloud.answer(.lock, a)
        await cloud.answer(.unlock, a)
        await observer.wait(for: "given back /a")
        #expect(locks.held.isEmpty)
    }

    @Test func aFailedUnlockIsTriedAgainAndThenLeftToExpire() async throws {
        try await acquireAndAnswer()
        let released = Task { await locks.release(a) }
        let offline = CloudStorageError(.unreachable, "no network")
        for pause in [1, 2, 4] {
            await cloud.answer(.unlock, a, offline)
            await clock.waitForSleepers(1)
            clock.advance(by: .seconds(pause))
        }
        await cloud.answer(.unlock, a, offline)
        await released.value
        #expect(cloud.calls == [.lock, .unlock, .unlock, .unlock, .unlock])
        #expect(observer.lines == ["taken /a", "given back /a"])
    }

    @Test func locksOfAnEarlierProcessAreGivenBackUnlessHeldAgain() async throws {
        try await acquireAndAnswer()
        let b = file("b")
        async let adopted: Void = locks.adopt([a, b])
        await cloud.answer(.unlock, b)
        await adopted
        #expect(cloud.calls == [.lock, .unlock])
        #expect(locks.held == [a])
        #expect(observer.lines == ["taken /a", "given back /b"])
    }

    @Test func releaseAllGivesBackWhatIsHeldAndEndsWaiting() async throws {
        try await acquireAndAnswer()
        try await locks.acquire(a)
        let b = file("b")
        let waiting = Task { try await locks.acquire(b) }
        try await eventually { cloud.calls.count >= 2 }
        async let done: Void = locks.releaseAll()
        await cloud.answer(.unlock, a)
        await #expect(throws: CloudStorageError.self) { try await waiting.value }
        await cloud.answer(.lock, b)
        await cloud.answer(.unlock, b)
        await done
        #expect(locks.held.isEmpty)
    }

    @Test func aReplacedItemIsLockedInsteadAndReleasedUnderEitherName() async throws {
        try await acquireAndAnswer()
        let b = file("b")
        locks.rekey(from: a, to: b)
        await cloud.answer(.lock, b)
        try await eventually { locks.held == [b] }
        #expect(observer.lines == ["taken /a", "given back /a", "taken /b"])
        async let released: Void = locks.release(a)
        await cloud.answer(.unlock, b)
        await released
        #expect(locks.held.isEmpty)
        #expect(cloud.calls == [.lock, .lock, .unlock])
    }

    @Test func aMovedItemKeepsItsLock() async throws {
        try await acquireAndAnswer()
        var moved = a
        moved.path = "/elsewhere"
        locks.rekey(from: a, to: moved)
        #expect(locks.held == [moved])
        #expect(cloud.calls == [.lock])
        locks.rekey(from: moved, to: nil)
        #expect(locks.held.isEmpty)
        await locks.release(moved)
        #expect(cloud.calls == [.lock])
        #expect(observer.lines.last == "given back /elsewhere")
    }

    @Test func cancellingRunEndsItAtOnce() async {
        let run = Task { await locks.run() }
        await clock.waitForSleepers(1)
        run.cancel()
        await run.value
    }
}
