import StateStore

/// Which calls of a path-addressed cloud may be under way together: none below a folder that is
/// being moved, since the paths it was told would be wrong. Pure; not thread-safe.
struct PathClaims: Sendable {
    typealias Ticket = UInt64

    /// What a call needs.
    struct Wish: Sendable {
        /// Items, or folders of new ones, whose paths the call is told.
        var items: [ItemKey]
        /// What the call moves or deletes: nobody else may be told its path, or one below it.
        var exclusive: ItemKey?
        /// Waits behind those who wait for the same, so that these get their turn.
        var isPatient = false
    }

    private struct Claim: Sendable {
        var paths: Set<ItemKey>
        var exclusive: ItemKey?

        func excludes(_ other: Claim) -> Bool {
            if let exclusive {
                if other.paths.contains(exclusive) || other.exclusive == exclusive { return true }
            }
            return other.exclusive.map { paths.contains($0) } ?? false
        }
    }

    private var active: [Ticket: Claim] = [:]
    private var waiting: [(ticket: Ticket, wish: Wish)] = []
    private var lastTicket: Ticket = 0

    /// Puts a wish at the end of the queue; `admit` tells when its turn is.
    mutating func enter(_ wish: Wish) -> Ticket {
        lastTicket += 1
        waiting.append((lastTicket, wish))
        return lastTicket
    }

    mutating func leave(_ ticket: Ticket) { active[ticket] = nil }

    /// Whose turn it is now.
    /// - Parameter chain: an item and the folders above it, as they are now.
    mutating func admit(_ chain: (ItemKey) -> [ItemKey]) -> [Ticket] {
        var admitted: [Ticket] = []
        var ahead: [Claim] = []
        var left: [(ticket: Ticket, wish: Wish)] = []
        for (ticket, wish) in waiting {
            let claim = Claim(
                paths: Set(wish.items.flatMap(chain)), exclusive: wish.exclusive)
            let isFree =
                !active.values.contains { $0.excludes(claim) }
                && !(wish.isPatient && ahead.contains { $0.excludes(claim) })
            if isFree {
                active[ticket] = claim
                admitted.append(ticket)
            } else {
                ahead.append(claim)
                left.append((ticket, wish))
            }
        }
        waiting = left
        return admitted
    }
}
