/// Chooses what to evict: whatever has not been used for the longest time.
struct EvictionOrder<Name: Hashable & Sendable>: Sendable {
    /// An entry that nobody uses.
    struct Candidate: Sendable {
        var name: Name
        var bytes: Int64
        /// Grows with every use of any entry.
        var lastUse: UInt64
    }

    /// What has to go at least.
    struct Demand: Hashable, Sendable {
        var bytes: Int64
        var entries: Int

        var isMet: Bool { bytes <= 0 && entries <= 0 }
    }

    /// The least recently used candidates that together meet the demand, or all of them.
    static func victims(among candidates: [Candidate], meeting demand: Demand) -> [Candidate] {
        var open = demand
        var victims: [Candidate] = []
        guard !open.isMet else { return [] }
        for candidate in candidates.sorted(by: { $0.lastUse < $1.lastUse }) {
            guard !open.isMet else { break }
            victims.append(candidate)
            open.bytes -= candidate.bytes
            open.entries -= 1
        }
        return victims
    }
}
