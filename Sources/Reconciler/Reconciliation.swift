import HeapModule

/// Decides the next server calls from the items whose two sides differ (DESIGN section 4).
///
/// Pure: no clock, no I/O, no lock. The owner gives it every difference, takes jobs while there
/// are any, and tells how each ended. Nothing in it is a queue of commands: a difference that goes
/// away before its turn costs nothing.
package struct Reconciliation: Sendable {
    struct Entry: Sendable {
        var difference: Difference
        var isRunning = false
        var isUrgent = false
        /// Urgent unless its folder is being read when its turn comes.
        var isLoneRemoval = false
        /// Asked for since its job began: that one's failure does not count.
        var isAskedAgain = false
        var isRefused = false
        var attempts = 0
        var notBefore: Double = 0
        /// When it was changed first since the last job on it.
        var since: Double
        /// Tells queue places that still count from older ones.
        var ticket: UInt64
        /// Whom it waits for, and whether for that one's place.
        var blocker: Blocker?
    }

    struct Blocker: Hashable, Sendable {
        var item: UInt64
        /// The blocker's home is where the other is to be.
        var isPlace: Bool
    }

    struct Turn: Comparable, Sendable {
        var time: Double
        /// 0: no item's turn, but a look at the removals from a folder.
        var ticket: UInt64
        var item: UInt64

        static func < (left: Turn, right: Turn) -> Bool {
            left.time != right.time ? left.time < right.time : left.ticket < right.ticket
        }
    }

    package var pace: ReconciliationPace
    /// Jobs at a time, while those that are due are of the kind that nobody waits for.
    package var unhurriedWidth = Int.max
    /// Programs are making many changes: what is being removed may be part of a larger removal.
    package var programsAreBusy = false
    var entries: [UInt64: Entry] = [:]
    /// Whose home a place is; of items that differ only.
    var homes: [NodePlace: UInt64] = [:]
    /// Who is to have a place and has it not.
    var wanters: [NodePlace: UInt64] = [:]
    /// Items that differ, by the folder the server has them in.
    var homeChildren: [UInt64: Set<UInt64>] = [:]
    /// Places that jobs under way are about to take, whatever their items want by now.
    var claims = PlaceClaims()
    private var waiters: [UInt64: Set<UInt64>] = [:]
    var removals = RemovalWatch()
    var rhythm = SendingRhythm()
    var future = Heap<Turn>()
    var ready = Heap<Turn>()
    private var heldBulk: [UInt64] = []
    private var lastTicket: UInt64 = 0
    private var running = 0
    private var runningBulk = 0
    /// Large uploads under way, as they were when they started, whatever was written meanwhile.
    private var bulkJobs: Set<UInt64> = []

    package init(pace: ReconciliationPace = ReconciliationPace()) { self.pace = pace }

    // MARK: What differs

    /// Bytes by which all that waits makes the server's usage grow.
    package private(set) var growth: Int64 = 0

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }
    package var runningJobs: Int { running }
    /// Whether jobs are due, or more are under way than large uploads, which take long.
    package var isBusy: Bool { !ready.isEmpty || running > pace.bulkWidth }
    package var items: some Collection<UInt64> { entries.keys }

    package func difference(of item: UInt64) -> Difference? { entries[item]?.difference }
    package func isRunning(_ item: UInt64) -> Bool { entries[item]?.isRunning ?? false }
    package func isRefused(_ item: UInt64) -> Bool { entries[item]?.isRefused ?? false }

    /// The items that differ and that the server has in a folder.
    package func items(in folder: UInt64) -> [UInt64] {
        (homeChildren[folder] ?? []).sorted()
    }

    /// Who has a place, or is about to have it, or wants it; of the items that differ.
    package func occupant(of place: NodePlace) -> UInt64? {
        homes[place] ?? claims.holder(of: place) ?? wanters[place]
    }

    /// Sets what differs of an item; nil or a settled difference takes it out, if need be when the
    /// job on it has ended: what comes after must not meet that job.
    package mutating func set(_ item: UInt64, _ difference: Difference?) {
        let old = entries[item]
        var difference = difference
        if let old, old.isRunning {
            difference = difference ?? .gone(old.difference)
        } else if difference?.isSettled == true {
            difference = nil
        }
        if old?.difference == difference { return }
        removeFromIndexes(item)
        growth += (difference?.growth ?? 0) - (old?.difference.growth ?? 0)
        if let difference {
            var entry =
                old ?? Entry(difference: difference, since: difference.changedAt, ticket: 0)
            entry.difference = difference
            entry.isRefused = false
            entries[item] = entry
            addToIndexes(item, difference)
            if difference.wanted == nil, let folder = difference.home?.folder {
                removals.note(in: folder, at: difference.changedAt)
                hurryLoneRemoval(item, after: old?.difference, from: folder)
            }
            if !entry.isRunning { enqueue(item) }
        } else {
            unblock(item)
            entries[item] = nil
        }
        wakeWaiters(of: item)
        wakePeers(of: difference)
    }

    /// Makes items due now, whatever they wait for; refused ones are tried once more, and so are those
    /// whose jobs, under way already, fail.
    package mutating func expedite(_ items: some Sequence<UInt64>) {
        for item in items {
            hasten(item)
            if entries[item]?.isRunning == true { entries[item]?.isAskedAgain = true }
        }
    }

    private mutating func hasten(_ item: UInt64) {
        guard entries[item] != nil else { return }
        entries[item]?.isUrgent = true
        entries[item]?.isLoneRemoval = false
        entries[item]?.isRefused = false
        entries[item]?.notBefore = 0
        if entries[item]?.isRunning == false { enqueue(item) }
    }

    /// Whether the job on an item, should it fail, is followed by another one at once.
    package func isAskedAgain(_ item: UInt64) -> Bool { entries[item]?.isAskedAgain ?? false }

    // MARK: Jobs

    /// The next job, which counts as running until `finished`; nil where none is due.
    /// - Parameters:
    ///   - folderOf: the folder of an item that does not differ.
    ///   - isBeingRead: whether a program has a folder open, as those have that remove a tree.
    package mutating func next(
        now: Double, folderOf: FolderLookup = { _ in nil },
        isBeingRead: (UInt64) -> Bool = { _ in false }
    ) -> ReconciliationJob? {
        guard running < pace.width else { return nil }
        while true {
            promote(now: now, isBeingRead)
            guard running < limit, let turn = ready.popMin() else { return nil }
            guard let entry = entries[turn.item], entry.ticket == turn.ticket, !entry.isRunning
            else { continue }
            if entry.isLoneRemoval, calmLoneRemoval(turn.item, isBeingRead) { continue }
            if let later = postponement(of: entry, now: now, isBeingRead) {
                park(turn, until: later)
                continue
            }
            if let job = decide(turn.item, folderOf) { return start(job, now: now) }
        }
    }

    /// When `next` may have something new, if nothing changes before.
    package var nextTime: Double? {
        guard running < pace.width else { return nil }
        if running < limit { return ready.isEmpty ? future.min?.time : 0 }
        // What somebody waits for is not held back with the rest.
        guard let turn = future.min, turn.ticket != 0, entries[turn.item]?.isUrgent == true
        else { return nil }
        return turn.time
    }

    /// Jobs that may run before another one is begun; what is urgent comes first.
    private var limit: Int {
        guard let turn = ready.min, entries[turn.item]?.isUrgent == false else { return pace.width }
        return min(pace.width, unhurriedWidth)
    }

    /// A job that `next` gave has ended.
    package mutating func finished(
        _ job: ReconciliationJob, _ result: ReconciliationResult, now: Double
    ) {
        running -= 1
        if case .store(let file) = job, bulkJobs.remove(file) != nil { runningBulk -= 1 }
        for item in job.items { claims.end(item) }
        noteRhythm(of: job, result, now: now)
        for (index, item) in job.items.enumerated() {
            // What would have gone with a folder may still go, or come back, by itself.
            let isAlong = if case .delete = job { index > 0 } else { false }
            settle(item, isAlong && result == .refused ? .done : result, now: now)
        }
        let held = heldBulk
        heldBulk = []
        for item in held where entries[item] != nil { enqueue(item) }
        for item in job.items { wakeWaiters(of: item) }
    }

    /// Keeps others from taking a place until the job on `item` has ended. Returns who is about to take it,
    /// where such a job is under way.
    package mutating func keepFree(_ place: NodePlace, for item: UInt64) -> UInt64? {
        claims.keep(place, for: item) ? nil : claims.holder(of: place)
    }

    private mutating func settle(_ item: UInt64, _ result: ReconciliationResult, now: Double) {
        guard var entry = entries[item] else { return }
        entry.isRunning = false
        let isAskedAgain = entry.isAskedAgain
        entry.isAskedAgain = false
        if now.isFinite { entry.since = now }
        if entry.difference.isSettled {
            removeFromIndexes(item)
            entries[item] = nil
            return
        }
        switch result {
        case .after(let other):
            if entries[other]?.isRunning == true {
                entry.blocker = Blocker(item: other, isPlace: false)
                waiters[other, default: []].insert(item)
                entries[item] = entry
                return
            }
        case .done:
            entry.attempts = 0
            entry.notBefore = 0
        case _ where isAskedAgain:
            entry.isUrgent = true
            entry.notBefore = 0
        case .retry(let after):
            entry.attempts += 1
            entry.isUrgent = false
            entry.notBefore = now + max(after ?? 0, pace.wait(attempts: entry.attempts))
        case .waiting:
            entry.isUrgent = false
            entry.notBefore = now + pace.lockedRetry
        case .refused:
            entry.isUrgent = false
            entry.isRefused = true
        }
        entries[item] = entry
        enqueue(item)
    }

    private mutating func start(_ job: ReconciliationJob, now: Double) -> ReconciliationJob? {
        if case .store(let file) = job {
            if bulkJobs.contains(file) { runningBulk += 1 }
            rhythm.begin(file, now: now)
        }
        running += 1
        for item in job.items {
            unblock(item)
            entries[item]?.isRunning = true
        }
        switch job {
        case .makeFolder(let item), .store(let item), .relocate(let item), .replace(let item, _):
            if let difference = entries[item]?.difference, let wanted = difference.wanted,
                difference.home != wanted
            {
                claims.begin(item, wanted)
            }
        case .delete, .adopt, .setTime, .stepAside: break
        }
        return job
    }

    private mutating func decide(
        _ item: UInt64, _ folderOf: FolderLookup
    ) -> ReconciliationJob? {
        unblock(item)
        switch verdict(on: item, folderOf) {
        case .job(let job):
            guard case .store(let file) = job, let entry = entries[file],
                entry.difference.bytes > pace.bulkBytes
            else { return job }
            guard runningBulk < pace.bulkWidth else {
                heldBulk.append(item)
                return nil
            }
            bulkJobs.insert(file)
            return job
        case .wait(let blocker): return wait(item, for: blocker)
        case .idle: return nil
        }
    }

    private mutating func wait(_ item: UInt64, for blocker: Blocker) -> ReconciliationJob? {
        entries[item]?.blocker = blocker
        waiters[blocker.item, default: []].insert(item)
        // One that has just failed keeps its pause, whoever waits for it.
        if entries[item]?.isUrgent == true, let other = entries[blocker.item], !other.isUrgent,
            other.notBefore == 0
        {
            hasten(blocker.item)
        }
        return circle(from: item)
    }

    /// Where waiting items form a circle, one of them steps aside from the place another wants.
    private func circle(from start: UInt64) -> ReconciliationJob? {
        var item = start
        var aside: UInt64?
        for _ in 0...entries.count {
            guard let blocker = entries[item]?.blocker else { return nil }
            if blocker.isPlace, aside == nil { aside = blocker.item }
            item = blocker.item
            if item == start { break }
        }
        guard item == start, let aside, entries[aside]?.isRunning == false else { return nil }
        return .stepAside(aside)
    }

    // MARK: Queue

    mutating func enqueue(_ item: UInt64) {
        guard let entry = entries[item] else { return }
        unblock(item)
        lastTicket += 1
        entries[item]?.ticket = lastTicket
        guard !entry.isRefused, !entry.isRunning else { return }
        future.insert(
            Turn(time: dueTime(of: item, entry), ticket: lastTicket, item: item))
    }

    private mutating func unblock(_ item: UInt64) {
        guard let blocker = entries[item]?.blocker else { return }
        entries[item]?.blocker = nil
        waiters[blocker.item]?.remove(item)
        if waiters[blocker.item]?.isEmpty == true { waiters[blocker.item] = nil }
    }

    private mutating func wakeWaiters(of item: UInt64) {
        // In an order that a seed repeats.
        for waiter in (waiters[item] ?? []).sorted() { enqueue(waiter) }
    }

    /// A removal looks again when somebody begins to want its place.
    private mutating func wakePeers(of difference: Difference?) {
        guard let wanted = difference?.wanted, let holder = homes[wanted],
            entries[holder]?.isRunning == false
        else { return }
        enqueue(holder)
    }

    // MARK: Indexes

    private mutating func addToIndexes(_ item: UInt64, _ difference: Difference) {
        if let home = difference.home {
            homes[home] = item
            homeChildren[home.folder, default: []].insert(item)
        }
        if let wanted = difference.wanted, wanted != difference.home { wanters[wanted] = item }
    }

    private mutating func removeFromIndexes(_ item: UInt64) {
        guard let old = entries[item]?.difference else { return }
        if let home = old.home {
            if homes[home] == item { homes[home] = nil }
            homeChildren[home.folder]?.remove(item)
            if homeChildren[home.folder]?.isEmpty == true { homeChildren[home.folder] = nil }
        }
        if let wanted = old.wanted, wanters[wanted] == item { wanters[wanted] = nil }
    }
}

extension Difference {
    /// That of an item there is no more to be done about.
    static func gone(_ old: Difference) -> Difference {
        Difference(
            kind: old.kind, wanted: nil, home: nil, content: .none, changedAt: old.changedAt)
    }

    /// Bytes to be sent.
    var bytes: Int64 {
        if case .ready(let size) = content { return size }
        return 0
    }
}
