/// How much of a request had left this machine when it failed.
package enum RequestProgress: Sendable, Hashable {
    /// No byte: the server can't know of the request.
    case notSent
    /// The head, but not all of the body: the server can't have carried it out.
    case incomplete
    /// All of it: the server may have carried it out.
    case complete
}

/// Decides whether a failed attempt is repeated, and when: exponential backoff with full jitter.
package struct RetryPolicy: Sendable, Hashable {
    /// How an attempt ended.
    package enum Outcome: Sendable, Hashable {
        /// An answer with that status; seconds of its `Retry-After`.
        case answered(status: Int, retryAfter: Double?)
        /// No connection, or it broke.
        case connectionFailed(RequestProgress)
        /// No answer in time.
        case timedOut(RequestProgress)
    }

    /// The call so far.
    package struct Attempt: Sendable, Hashable {
        /// 1 for the first.
        package var number: Int
        /// Since the first attempt began.
        package var elapsed: Duration
        package var isIdempotent: Bool

        package init(number: Int, elapsed: Duration, isIdempotent: Bool) {
            self.number = number
            self.elapsed = elapsed
            self.isIdempotent = isIdempotent
        }
    }

    package var maximumAttempts = 5
    /// The ceiling of the first wait; it doubles with every attempt.
    package var baseDelay = Duration.milliseconds(250)
    package var maximumDelay = Duration.seconds(8)
    /// No wait begins that would end later than this after the first attempt began.
    package var totalTime = Duration.seconds(30)

    package init() {}

    /// How long to wait before the next attempt; nil to give up.
    /// - Parameter random: 0 ..< 1, fresh for each call.
    package func wait(after outcome: Outcome, of attempt: Attempt, random: Double) -> Duration? {
        guard attempt.number < maximumAttempts else { return nil }
        switch outcome {
        case .answered(let status, let retryAfter):
            guard isTransient(status, isIdempotent: attempt.isIdempotent) else { return nil }
            let asked = Duration.seconds(min(retryAfter ?? 0, 86_400))
            return within(max(asked, backoff(attempt.number, random)), attempt)
        case .connectionFailed(let progress):
            guard attempt.isIdempotent || progress != .complete else { return nil }
            return within(backoff(attempt.number, random), attempt)
        case .timedOut(let progress):
            // A kept-alive connection that a router forgot looks like this once; a second time
            // in a row it is the server, and the caller has waited long enough.
            guard attempt.number == 1, attempt.isIdempotent || progress == .notSent else {
                return nil
            }
            return .zero
        }
    }

    private func isTransient(_ status: Int, isIdempotent: Bool) -> Bool {
        switch status {
        case 429, 503: true
        // A gateway's word about a server that may have done the work.
        case 502, 504: isIdempotent
        default: false
        }
    }

    private func backoff(_ attempt: Int, _ random: Double) -> Duration {
        min(maximumDelay, baseDelay * (1 << min(attempt - 1, 20))) * random
    }

    private func within(_ wait: Duration, _ attempt: Attempt) -> Duration? {
        attempt.elapsed + wait <= totalTime ? wait : nil
    }
}
