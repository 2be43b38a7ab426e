/// Finds the end of a removal: while things are still being removed from a folder, the folder itself
/// may go next, and all of it with one call.
///
/// Pure: the caller tells the time, in seconds on its clock.
struct RemovalWatch: Sendable {
    /// A removal whose turn has come too early.
    struct Parked: Sendable {
        var item: UInt64
        var ticket: UInt64
    }

    /// Folders whose last removals are remembered.
    private static let limit = 4_096

    /// Seconds after which what is removed from a folder has nothing to do with what was before.
    private static let pause = 2.0

    private struct Series {
        var first: Double
        var last: Double
    }

    private var series: [UInt64: Series] = [:]
    private var parked: [UInt64: [Parked]] = [:]

    mutating func note(in folder: UInt64, at time: Double) {
        if series.count > Self.limit { series = [:] }
        if let known = series[folder], time - known.last <= Self.pause {
            series[folder]?.last = max(known.last, time)
        } else {
            series[folder] = Series(first: time, last: time)
        }
    }

    /// Whether nothing else has been removed from the folder around that time.
    func isFirst(in folder: UInt64, at time: Double) -> Bool {
        series[folder].map { $0.first == time && $0.last == time } ?? false
    }

    /// When the removals from a folder have been quiet for so many seconds; for one that has waited
    /// for long they count as quiet.
    func end(in folder: UInt64, since changedAt: Double, quiet: Double, longest: Double) -> Double?
    {
        series[folder].map { min($0.last, changedAt + longest) + quiet }
    }

    /// Has a removal wait for the others from its folder. Returns whether it is the first.
    mutating func park(_ removal: Parked, in folder: UInt64) -> Bool {
        parked[folder, default: []].append(removal)
        return parked[folder]?.count == 1
    }

    /// The removals from a folder that wait; none do any more.
    mutating func takeParked(in folder: UInt64) -> [Parked] {
        parked.removeValue(forKey: folder) ?? []
    }

    /// Those that go on waiting.
    mutating func leave(_ rest: some Sequence<Parked>, in folder: UInt64) {
        parked[folder] = Array(rest)
    }
}
