/// How busy programs are with changes: while they make many, the work for the server stands back,
/// since it would take the processor from them.
///
/// Pure: the caller tells the time, in seconds on its clock.
package struct LocalLoad: Sendable {
    /// Seconds that changes are counted for, and of quiet after which programs are done.
    private static let window = 0.1
    /// Seconds of quiet after which those are done that have been busy for long: a machine that has
    /// much to do leaves them gaps.
    private static let longestQuiet = 0.3
    /// Changes within a window that are many; a person's work makes few.
    private static let many = 10
    /// Changes within a window that are too few to go on as busy.
    private static let few = 3
    /// Seconds for which nothing is begun, and for which one job at a time may run after that.
    private static let rest = 1.0
    private static let patience = 5.0
    /// Seconds after which, programs still being busy, one more job may run.
    private static let step = 2.0

    private var windowStart = -Double.infinity
    private var count = 0
    private var lastChange = -Double.infinity
    private var busySince: Double?

    package init() {}

    package var isBusy: Bool { busySince != nil }

    /// When programs are done, if they make no more changes.
    package var quietTime: Double { lastChange + quiet }

    private var quiet: Double {
        guard let busySince else { return Self.window }
        return min(Self.longestQuiet, max(Self.window, (lastChange - busySince) / 10))
    }

    /// A program has made a change.
    package mutating func note(now: Double) {
        look(now: now)
        count += 1
        lastChange = now
        if count >= Self.many, busySince == nil { busySince = now }
    }

    /// Jobs that may run at a time, of those that nobody waits for.
    /// - Parameter most: what may run when programs are quiet.
    package mutating func width(now: Double, most: Int) -> Int {
        look(now: now)
        guard let busySince else { return most }
        if now - busySince < Self.rest { return 0 }
        let grown = max(0, now - busySince - Self.patience) / Self.step
        return min(most, 1 + Int(min(grown, Double(most))))
    }

    /// Begins the next window where the last one is over.
    private mutating func look(now: Double) {
        let (elapsed, span) = (now - windowStart, quiet)
        if now >= quietTime { busySince = nil }
        guard elapsed >= span else { return }
        if Double(count) * Self.window < Double(Self.few) * elapsed { busySince = nil }
        (windowStart, count) = (now, 0)
    }
}
