import CloudStorage
import HTTPTransport
import Synchronization
import TestSupport
import Testing

@Suite struct ConcurrencyLimitTests {
    @Test func growsByOneForEachWindowOfGoodAnswers() {
        var limit = ConcurrencyLimit(initial: 2, maximum: 4)
        limit.record(.good)
        #expect(limit.current == 2)
        limit.record(.good)
        #expect(limit.current == 3)
        for _ in 0..<100 { limit.record(.good) }
        #expect(limit.current == 4)
    }

    @Test func oneOverloadHalvesOnce() {
        var limit = ConcurrencyLimit(initial: 16, maximum: 16)
        // All sixteen under way fail for the same reason.
        for _ in 0..<16 { limit.record(.overloaded) }
        #expect(limit.current == 8)
        limit.record(.overloaded)
        #expect(limit.current == 4)
    }

    @Test func neverFallsBelowOne() {
        var limit = ConcurrencyLimit(initial: 4, maximum: 16)
        for _ in 0..<200 { limit.record(.overloaded) }
        #expect(limit.current == 1)
        limit.record(.neutral)
        #expect(limit.current == 1)
        limit.record(.good)
        #expect(limit.current == 2)
    }
}

@Suite struct ConcurrencyGateTests {
    @Test func letsNoMoreThroughThanTheLimitSays() async throws {
        let gate = ConcurrencyGate(ConcurrencyLimit(initial: 3, maximum: 3))
        let crowd = Crowd()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await gate.enter()
                    crowd.enter()
                    await Task.yield()
                    crowd.leave()
                    gate.leave(.neutral)
                }
            }
            try await group.waitForAll()
        }
        #expect(crowd.peak <= 3)
        #expect(crowd.peak > 0)
    }

    private final class Crowd: Sendable {
        private let state = Mutex((now: 0, peak: 0))

        var peak: Int { state.withLock { $0.peak } }

        func enter() {
            state.withLock { state in
                state.now += 1
                state.peak = max(state.peak, state.now)
            }
        }

        func leave() { state.withLock { $0.now -= 1 } }
    }

    @Test func aCancelledWaiterLeavesTheQueueAndTheOthersGoOn() async throws {
        let gate = ConcurrencyGate(ConcurrencyLimit(initial: 1, maximum: 1))
        try await gate.enter()
        let cancelled = Task { try await gate.enter() }
        let patient = Task { try await gate.enter() }
        cancelled.cancel()
        await #expect(throws: CloudStorageError.self) { try await cancelled.value }
        gate.leave(.neutral)
        try await patient.value
        gate.leave(.neutral)
        try await gate.enter()
    }

    @Test func refusesWhereTooManyWait() async throws {
        let gate = ConcurrencyGate(ConcurrencyLimit(initial: 1, maximum: 1), maximumWaiting: 0)
        try await gate.enter()
        do {
            try await gate.enter()
            Issue.record("a second call was let in")
        } catch {
            #expect(error.kind == .temporarilyUnavailable)
        }
    }
}

@Suite struct ConnectionHealthTests {
    @Test func severalFailuresInARowAreOffline() async {
        let health = ConnectionHealth()
        var changes = health.changes().makeAsyncIterator()
        for _ in 0..<ConnectionHealth.offlineThreshold {
            #expect(!health.isOffline)
            health.recordFailure("no route")
        }
        #expect(health.isOffline)
        #expect(await changes.next()?.lastFailure == "no route")
        health.recordAnswer()
        #expect(!health.isOffline)
        #expect(await changes.next()?.isOffline == false)
        #expect(health.snapshot.lastSuccess != nil)
    }
}
