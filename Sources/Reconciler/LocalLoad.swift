/// How busy programs are with changes: while they make many, the work for the server stands back,
/// since it would take the processor from them.
///
/// Pure: the caller tells the time, in seconds on its clock.
package struct LocalLoad: Sendable {
    /// Seconds that changes are counted for.
    private static let window = 0.1
    /// Changes a second that count as many; a person's work makes few.
    private static let busyRate = 100.0
    /// Seconds for which the work stands back fully.
    private static let patience = 5.0
    /// Seconds after which, programs still being busy, one more job may run.
    private static let step = 2.0

    private var windowStart: Double?
    private var countAtStart: UInt64 = 0
    private var busySince: Double?

    package init() {}

    package var isBusy: Bool { busySince != nil }

    /// Jobs that may run at a time, of those that nobody waits for.
    /// - Parameters:
    ///   - changes: how many programs have made since the mount began.
    ///   - most: what may run when programs are quiet.
    package mutating func width(changes: UInt64, now: Double, most: Int) -> Int {
        let start = windowStart ?? now
        if windowStart == nil || now - start >= Self.window {
            let rate = now > start ? Double(changes &- countAtStart) / (now - start) : 0
            if rate < Self.busyRate {
                busySince = nil
            } else if busySince == nil {
                busySince = start
            }
            (windowStart, countAtStart) = (now, changes)
        }
        guard let busySince else { return most }
        let grown = max(0, now - busySince - Self.patience) / Self.step
        return min(most, 1 + Int(min(grown, Double(most))))
    }
}
