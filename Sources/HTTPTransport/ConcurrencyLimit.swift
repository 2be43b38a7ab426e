/// How many requests may be under way at once: grows by one after a window of good answers, halves
/// when the server is overloaded (additive increase, multiplicative decrease).
package struct ConcurrencyLimit: Sendable, Hashable {
    /// What one finished request says about the server's load.
    package enum Sample: Sendable, Hashable {
        case good
        /// 429, 503, or no answer in time.
        case overloaded
        /// Says nothing, e.g. cancelled or no connection.
        case neutral
    }

    package let maximum: Int
    package private(set) var current: Int
    /// Good answers since the limit last changed.
    private var credit = 0
    /// Finished requests that still count as part of the overload that halved the limit.
    private var cooling = 0

    package init(initial: Int, maximum: Int) {
        self.maximum = max(1, maximum)
        self.current = min(max(1, initial), self.maximum)
    }

    package mutating func record(_ sample: Sample) {
        switch sample {
        case .neutral: break
        case .good:
            cooling = max(0, cooling - 1)
            credit += 1
            guard credit >= current, current < maximum else { return }
            credit = 0
            current += 1
        case .overloaded:
            credit = 0
            guard cooling == 0 else {
                cooling -= 1
                return
            }
            // The others already under way will fail for the same reason: one overload, one halving.
            cooling = current - 1
            current = max(1, current / 2)
        }
    }
}
