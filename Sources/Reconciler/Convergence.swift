package import CloudStorage

/// Where one item is to end up.
package struct Goal: Hashable, Sendable, Codable {
    package var item: ItemReference
    /// Nil: the item is to be deleted, after everything else is in place.
    package var place: Placement?
    /// A name nobody else uses, with the item's extension (servers check extensions); the item takes
    /// it while its own name is in somebody's way.
    package var temporaryName: String
    /// The revision of a file that may be deleted, where the server can hold a deletion against it;
    /// nil: any.
    package var revision: String?

    package init(
        item: ItemReference, place: Placement?, temporaryName: String, revision: String? = nil
    ) {
        self.item = item
        self.place = place
        self.temporaryName = temporaryName
        self.revision = revision
    }
}

/// The next call that brings the server closer to the goals.
package enum ConvergenceStep: Hashable, Sendable {
    case rename(goal: Int, to: String)
    case move(goal: Int, to: FolderKey)
    /// Folder and name in one call, where the cloud can.
    case relocate(goal: Int, to: Placement)
    case delete(goal: Int)
}

/// Brings a few items to their goals by calls that each change one thing: rename, replace, exchange.
///
/// Pure: it is told where the items are and answers the next call. Nothing is remembered between
/// calls, so after a crash the same goals and a fresh look at the items finish the job
/// (DESIGN section 4, rules 1 and 3). At every moment each item is reachable under some name.
package struct Convergence: Hashable, Sendable, Codable {
    package var goals: [Goal]

    package init(goals: [Goal]) { self.goals = goals }

    /// Where an item is now.
    package enum Whereabouts: Hashable, Sendable {
        case at(Placement)
        case deleted
    }

    /// The next call, nil when every goal is reached.
    /// - Parameters:
    ///   - current: where each goal's item is, in the order of `goals`.
    ///   - relocatesInOneCall: whether folder and name may change in one call.
    ///   - isTaken: whether an item outside the goals has a place.
    package func nextStep(
        current: [Whereabouts], relocatesInOneCall: Bool, isTaken: (Placement) -> Bool
    ) -> ConvergenceStep? {
        precondition(current.count == goals.count, "one whereabouts a goal")
        let occupied = { (place: Placement) in
            current.contains(.at(place)) || isTaken(place)
        }
        for index in goals.indices {
            guard let place = goals[index].place, case .at(let here) = current[index],
                here != place
            else { continue }
            if let blocker = current.indices.first(where: { current[$0] == .at(place) }) {
                if let step = vacate(
                    blocker, at: place, occupied: occupied, oneCall: relocatesInOneCall)
                {
                    return step
                }
                continue
            }
            return approach(
                index, from: here, to: place, occupied: occupied, oneCall: relocatesInOneCall)
        }
        for index in goals.indices where goals[index].place == nil {
            if case .at = current[index] { return .delete(goal: index) }
        }
        return nil
    }

    /// Gets an item out of a place that another one wants: straight to its own goal if that is
    /// free, else to its temporary name.
    private func vacate(
        _ index: Int, at here: Placement, occupied: (Placement) -> Bool, oneCall: Bool
    ) -> ConvergenceStep? {
        if let place = goals[index].place, place != here, !occupied(place) {
            return approach(index, from: here, to: place, occupied: occupied, oneCall: oneCall)
        }
        guard goals[index].temporaryName != here.name else { return nil }
        return .rename(goal: index, to: goals[index].temporaryName)
    }

    private func approach(
        _ index: Int, from here: Placement, to place: Placement,
        occupied: (Placement) -> Bool, oneCall: Bool
    ) -> ConvergenceStep {
        if here.folder == place.folder { return .rename(goal: index, to: place.name) }
        if here.name == place.name { return .move(goal: index, to: place.folder) }
        if oneCall { return .relocate(goal: index, to: place) }
        if !occupied(Placement(folder: here.folder, name: place.name)) {
            return .rename(goal: index, to: place.name)
        }
        let temporary = goals[index].temporaryName
        if here.name != temporary, occupied(Placement(folder: place.folder, name: here.name)) {
            return .rename(goal: index, to: temporary)
        }
        return .move(goal: index, to: place.folder)
    }
}
