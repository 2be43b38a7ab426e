import HeapModule

/// When an item's turn comes.
extension Reconciliation {
    /// Seconds between two looks at a folder that things are being removed from.
    private static let removalLook = 0.1

    func dueTime(of item: UInt64, _ entry: Entry) -> Double {
        if entry.isUrgent { return entry.notBefore }
        let difference = entry.difference
        var time = difference.changedAt + pace.quiet(after: difference)
        // What never comes to rest goes as it is.
        if difference.expectation != .moreContent {
            time = min(time, entry.since + pace.longestQuiet)
        }
        time = max(time, entry.notBefore)
        if difference.isInPlace { time = max(time, rhythm.earliest(item)) }
        return time
    }

    /// When a removal is looked at again, while other things are still being removed from its folder.
    func postponement(
        of entry: Entry, now: Double, _ isBeingRead: (UInt64) -> Bool
    ) -> Double? {
        let difference = entry.difference
        guard !entry.isUrgent, difference.wanted == nil, let folder = difference.home?.folder,
            !isGoing(folder)
        else { return nil }
        let goesOn = programsAreBusy || isBeingRead(folder)
        let end = removals.end(
            in: folder, since: difference.changedAt,
            quiet: goesOn ? max(pace.removalSeconds, pace.treeSeconds) : pace.removalSeconds,
            longest: pace.longestQuiet)
        guard let end, end > now else { return nil }
        // Who removes may be done before.
        return goesOn ? min(end, now + Self.removalLook) : end
    }

    /// A folder that is removed while nothing else is from the folder around it is the whole of what
    /// somebody wanted to remove, as far as can be seen: nothing is gained by a wait.
    mutating func hurryLoneRemoval(_ item: UInt64, after old: Difference?, from folder: UInt64) {
        guard let difference = entries[item]?.difference, difference.kind == .folder,
            old?.wanted != nil || old == nil, entries[item]?.attempts == 0,
            removals.isFirst(in: folder, at: difference.changedAt), !isGoing(folder)
        else { return }
        entries[item]?.isUrgent = true
        entries[item]?.isLoneRemoval = true
    }

    /// Who reads the folder around it may remove more. Returns whether its turn comes later for that.
    mutating func calmLoneRemoval(_ item: UInt64, _ isBeingRead: (UInt64) -> Bool) -> Bool {
        entries[item]?.isLoneRemoval = false
        guard let folder = entries[item]?.difference.home?.folder, isBeingRead(folder) else {
            return false
        }
        entries[item]?.isUrgent = false
        enqueue(item)
        return true
    }

    /// Whether a folder is removed itself, and takes with it what it has.
    private func isGoing(_ folder: UInt64) -> Bool {
        guard let entry = entries[folder] else { return false }
        return entry.difference.wanted == nil && !entry.isRefused
    }

    /// Has a removal wait with the others from its folder.
    mutating func park(_ turn: Turn, until time: Double) {
        guard let folder = entries[turn.item]?.difference.home?.folder else { return }
        let parked = RemovalWatch.Parked(item: turn.item, ticket: turn.ticket)
        guard removals.park(parked, in: folder) else { return }
        future.insert(Turn(time: time, ticket: 0, item: folder))
    }

    /// Makes those ready whose time has come.
    mutating func promote(now: Double, _ isBeingRead: (UInt64) -> Bool) {
        while let turn = future.min, turn.time <= now {
            _ = future.popMin()
            guard turn.ticket != 0 else {
                lookAtRemovals(in: turn.item, now: now, isBeingRead)
                continue
            }
            guard let entry = entries[turn.item], entry.ticket == turn.ticket else { continue }
            let delay = entry.isUrgent ? 0 : pace.penalty(bytes: entry.difference.bytes)
            ready.insert(Turn(time: turn.time + delay, ticket: turn.ticket, item: turn.item))
        }
    }

    /// Makes those removals from a folder ready that need not wait any more, the oldest first.
    private mutating func lookAtRemovals(
        in folder: UInt64, now: Double, _ isBeingRead: (UInt64) -> Bool
    ) {
        let parked = removals.takeParked(in: folder)
        for (index, removal) in parked.enumerated() {
            guard let entry = entries[removal.item], entry.ticket == removal.ticket else {
                continue
            }
            if let later = postponement(of: entry, now: now, isBeingRead) {
                removals.leave(parked[index...], in: folder)
                future.insert(Turn(time: later, ticket: 0, item: folder))
                return
            }
            ready.insert(Turn(time: now, ticket: removal.ticket, item: removal.item))
        }
    }

    /// Remembers how a file was sent, so that it is not sent too often.
    mutating func noteRhythm(
        of job: ReconciliationJob, _ result: ReconciliationResult, now: Double
    ) {
        guard result == .done else { return }
        switch job {
        case .store(let file): rhythm.end(file, now: now, pace: pace)
        case .adopt(let item, let removed): rhythm.pass(from: removed, to: item)
        case .makeFolder, .relocate, .stepAside, .setTime, .replace, .delete: break
        }
    }
}

extension Difference {
    /// What is to be done is about the content, or its time.
    fileprivate var isInPlace: Bool { wanted != nil && wanted == home }
}
