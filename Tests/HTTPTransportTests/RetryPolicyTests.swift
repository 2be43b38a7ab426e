import HTTPTransport
import Testing

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy()

    private func attempt(
        _ number: Int = 1, elapsed: Duration = .zero, idempotent: Bool = true
    ) -> RetryPolicy.Attempt {
        RetryPolicy.Attempt(number: number, elapsed: elapsed, isIdempotent: idempotent)
    }

    @Test(arguments: [429, 502, 503, 504])
    func repeatsTransientAnswersToIdempotentCalls(status: Int) {
        let outcome = RetryPolicy.Outcome.answered(status: status, retryAfter: nil)
        #expect(policy.wait(after: outcome, of: attempt(), random: 0.5) == .milliseconds(125))
    }

    @Test(arguments: [(429, true), (503, true), (502, false), (504, false), (500, false)])
    func repeatsOtherCallsOnlyWhereNothingWasDone(status: Int, repeats: Bool) {
        let outcome = RetryPolicy.Outcome.answered(status: status, retryAfter: nil)
        let wait = policy.wait(after: outcome, of: attempt(idempotent: false), random: 0.5)
        #expect((wait != nil) == repeats)
    }

    @Test(arguments: [200, 304, 400, 401, 403, 404, 409, 410, 413, 500, 507])
    func leavesFinalAnswersAlone(status: Int) {
        let outcome = RetryPolicy.Outcome.answered(status: status, retryAfter: 1)
        #expect(policy.wait(after: outcome, of: attempt(), random: 0.5) == nil)
    }

    @Test(arguments: [
        (RequestProgress.notSent, true), (.incomplete, true), (.complete, false),
    ])
    func aBrokenConnectionIsRepeatedWhereNothingCanHaveHappened(
        progress: RequestProgress, repeats: Bool
    ) {
        let outcome = RetryPolicy.Outcome.connectionFailed(progress)
        let wait = policy.wait(after: outcome, of: attempt(idempotent: false), random: 0)
        #expect((wait != nil) == repeats)
        #expect(policy.wait(after: outcome, of: attempt(), random: 0) != nil)
    }

    @Test func theCeilingDoublesUpToAMaximum() {
        var policy = policy
        policy.maximumAttempts = 100
        policy.totalTime = .seconds(1_000)
        let outcome = RetryPolicy.Outcome.connectionFailed(.notSent)
        let waits = [1, 2, 3, 6, 30].map {
            policy.wait(after: outcome, of: attempt($0), random: 1)
        }
        #expect(
            waits == [
                .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(8), .seconds(8),
            ])
        #expect(policy.wait(after: outcome, of: attempt(5), random: 0) == .zero)
    }

    @Test func retryAfterIsTheLeastWait() {
        let outcome = RetryPolicy.Outcome.answered(status: 503, retryAfter: 7)
        #expect(policy.wait(after: outcome, of: attempt(), random: 0.1) == .seconds(7))
    }

    @Test func givesUpWhereTheWaitWouldEndTooLate() {
        let long = RetryPolicy.Outcome.answered(status: 503, retryAfter: 31)
        #expect(policy.wait(after: long, of: attempt(), random: 0) == nil)
        let short = RetryPolicy.Outcome.answered(status: 503, retryAfter: 2)
        #expect(policy.wait(after: short, of: attempt(elapsed: .seconds(29)), random: 0) == nil)
        #expect(policy.wait(after: short, of: attempt(elapsed: .seconds(28)), random: 0) != nil)
    }

    @Test func attemptsAreBounded() {
        let outcome = RetryPolicy.Outcome.connectionFailed(.notSent)
        #expect(policy.wait(after: outcome, of: attempt(4), random: 0) != nil)
        #expect(policy.wait(after: outcome, of: attempt(5), random: 0) == nil)
    }

    @Test func aTimeOutIsRepeatedOnceAtOnce() {
        let complete = RetryPolicy.Outcome.timedOut(.complete)
        #expect(
            policy.wait(after: complete, of: attempt(elapsed: .seconds(60)), random: 1) == .zero)
        #expect(policy.wait(after: complete, of: attempt(2), random: 1) == nil)
        #expect(policy.wait(after: complete, of: attempt(idempotent: false), random: 1) == nil)
        let unsent = RetryPolicy.Outcome.timedOut(.notSent)
        #expect(policy.wait(after: unsent, of: attempt(idempotent: false), random: 1) == .zero)
    }
}
