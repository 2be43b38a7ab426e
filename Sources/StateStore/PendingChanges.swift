package import FileSystemTypes

/// Changes that wait for the store's thread, and who waits for them. Pure; not thread-safe.
///
/// The number of changes is bounded: past `behindLimit`, changes that a later one overwrites are
/// dropped, so that what remains grows only with the number of items it speaks of.
package struct PendingChanges<Waiter> {
    /// What one transaction writes.
    package struct Batch {
        package let changes: [StateChange]
        package let waiters: [Waiter]
        /// The most that one of the waiters asks for.
        package let durability: Durability
    }

    /// How many changes may wait before `isBehind`.
    package static var behindLimit: Int { 65_536 }

    /// Why the last transaction failed; nil again once one has succeeded.
    package private(set) var failure: FileSystemError?
    private var changes: [StateChange] = []
    private var waiters: [Waiter] = []
    private var durability = Durability.normal
    /// Whether all that was ever written is on stable storage.
    package private(set) var isStable = false
    private var isScheduled = false
    private var isAsked = false
    private var compactAt = behindLimit
    /// The newest version of each row that was added lately.
    private var newest: [InodeNumber: UInt64] = [:]
    private var newestOfAll: UInt64 = 0

    package init() {}

    /// Whether so many changes wait that callers should slow down.
    package var isBehind: Bool { changes.count >= Self.behindLimit }

    /// Whether one caller may write everything on its own thread: nobody else waits, little is to
    /// be written, and the last transaction did not fail.
    package var isCalm: Bool {
        waiters.isEmpty && !isScheduled && failure == nil && changes.count < Self.calmLimit
    }

    private static var calmLimit: Int { 256 }

    /// What the owner has to do about changes that were added.
    package enum Duty: Sendable, Equatable {
        case nothing
        /// Run its thread.
        case run
        /// Ask `threadIsFree` on its thread: nobody waits, and a commit may take it all before.
        case runWhenFree
    }

    /// Adds changes.
    package mutating func add(
        _ more: [StateChange], waiter: Waiter?, durability: Durability
    ) -> Duty {
        for change in more where isCurrent(change) { changes.append(change) }
        if changes.count >= compactAt { compact() }
        if let waiter {
            waiters.append(waiter)
            self.durability = max(self.durability, durability)
        }
        // After a failure only callers who want to hear of it make the thread try again.
        guard !isScheduled, failure == nil || waiter != nil else { return .nothing }
        if waiter == nil {
            if isAsked { return .nothing }
            isAsked = true
            return .runWhenFree
        }
        isScheduled = true
        return .run
    }

    /// False for what a newer version of the same row, or its end, came before, from a thread that
    /// was faster.
    private mutating func isCurrent(_ change: StateChange) -> Bool {
        guard let (inode, version) = change.rowVersion, version > 0 else { return true }
        guard version > newest[inode] ?? 0 else { return false }
        newest[inode] = version
        newestOfAll = max(newestOfAll, version)
        if newest.count > Self.behindLimit {
            // No thread is overtaken by so many.
            let oldest = newestOfAll - min(newestOfAll, UInt64(Self.behindLimit / 2))
            newest = newest.filter { $0.value > oldest }
        }
        return true
    }

    /// The turn of `runWhenFree` has come. Returns whether there still is something to write.
    package mutating func threadIsFree() -> Bool {
        isAsked = false
        guard !isScheduled, failure == nil, !changes.isEmpty else { return false }
        isScheduled = true
        return true
    }

    /// Everything that waits; nil where nothing does.
    package mutating func takeBatch() -> Batch? {
        isScheduled = false
        guard !changes.isEmpty || !waiters.isEmpty else { return nil }
        if changes.count > 1 { compact() }
        let batch = Batch(changes: changes, waiters: waiters, durability: durability)
        changes = []
        waiters = []
        durability = .normal
        compactAt = Self.behindLimit
        return batch
    }

    /// Writing works.
    package mutating func succeeded() { failure = nil }

    /// A batch was written; full durability takes all before it along.
    package mutating func wrote(_ durability: Durability) {
        failure = nil
        isStable = durability == .full
    }

    /// The last batch could not be written: its changes wait again, before the newer ones.
    package mutating func failed(_ error: FileSystemError, returning lost: [StateChange]) {
        failure = error
        changes = lost + changes
        if changes.count >= compactAt { compact() }
    }

    /// Drops every change that a later one overwrites, and keeps the order of the others.
    private mutating func compact() {
        var seen = Set<Target>()
        var kept: [StateChange] = []
        for change in changes.reversed() {
            if case .removeSubtree = change {
                seen.removeAll()
                kept.append(change)
            } else if let target = Target(change) {
                // A removal also takes the attributes along, so only later removals replace it.
                let isNew = seen.insert(target).inserted
                if case .remove(let inode, _) = change {
                    seen.insert(.row(inode))
                    if isNew { kept.append(change) }
                } else if isNew {
                    kept.append(change)
                }
            }
        }
        changes = kept.reversed()
        compactAt = max(Self.behindLimit, changes.count * 2)
    }

    /// What a change overwrites.
    private enum Target: Hashable {
        case row(InodeNumber)
        case removal(InodeNumber)
        case attribute(InodeNumber, [UInt8])
        case intent(Int64)
        case value([UInt8])

        init?(_ change: StateChange) {
            switch change {
            case .put(let record): self = .row(record.inode)
            case .remove(let inode, _): self = .removal(inode)
            case .removeSubtree: return nil
            case .setAttribute(let inode, let name, _), .removeAttribute(let inode, let name):
                self = .attribute(inode, Array(name.utf8))
            case .putIntent(let intent): self = .intent(intent.id)
            case .removeIntent(let id): self = .intent(id)
            case .setValue(let key, _): self = .value(Array(key.utf8))
            }
        }
    }
}
