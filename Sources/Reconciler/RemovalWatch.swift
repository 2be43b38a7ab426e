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

    private var last: [UInt64: Double] = [:]
    private var parked: [UInt64: [Parked]] = [:]

    mutating func note(in folder: UInt64, at time: Double) {
        if last.count > Self.limit { last = [:] }
        last[folder] = max(last[folder] ?? 0, time)
    }

    /// When the removals from a folder have been quiet for so many seconds; for one that has waited
    /// for long they count as quiet.
    func end(in folder: UInt64, since changedAt: Double, quiet: Double, longest: Double) -> Double?
    {
        last[folder].map { min($0, changedAt + longest) + quiet }
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
