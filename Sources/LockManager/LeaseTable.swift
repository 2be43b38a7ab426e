package import CloudStorage

/// Decides when locks are taken, renewed and given back (DESIGN section 6): events and the time go
/// in, actions come out. Pure; not thread-safe by itself.
///
/// At most one call for an item is under way at any time. Times are counted from any fixed moment.
package struct LeaseTable: Sendable {
    /// Where an item's lock stands.
    private enum Phase {
        case locking(serial: UInt64)
        case held(renewAt: Duration)
        case renewing(serial: UInt64)
        case unlocking(serial: UInt64, attempt: Int)
        /// Between two attempts to unlock.
        case pausing(serial: UInt64, attempt: Int)
        /// Holders remain, the server's lock doesn't.
        case lost
    }

    private struct Lease {
        var item: ItemReference
        var phase: Phase
        var holders = 0
        /// Who waits to become a holder.
        var waiters: [Ticket] = []
        /// Who waits for the lock to be given back.
        var leavers: [Ticket] = []
        /// Keys under which holders may still release the lease.
        var formerKeys: [LeaseKey] = []

        var isWanted: Bool { holders > 0 || !waiters.isEmpty }
    }

    /// How often an unlock is tried before the lock is left to expire.
    private static let unlockAttempts = 4
    /// The longest pause before the next unlock, whatever the server asks for.
    private static let longestPause: Double = 30

    private var duration: Duration
    private var leases: [LeaseKey: Lease] = [:]
    private var forwarding: [LeaseKey: LeaseKey] = [:]
    private var lastSerial: UInt64 = 0

    /// - Parameter duration: how long a lock lasts on the server; renewed at its half.
    package init(duration: Duration) { self.duration = duration }

    /// The server grants less time than it was asked for; renewals follow from the next one on.
    package mutating func shorten(to granted: Duration) { duration = min(duration, granted) }

    /// How long after a renewal without an answer the next one follows.
    package var retryDelay: Duration { duration / 8 }

    /// The items whose lock the server holds for us.
    package var held: [ItemReference] {
        leases.values.filter {
            switch $0.phase {
            case .held, .renewing: $0.holders > 0
            case .locking, .unlocking, .pausing, .lost: false
            }
        }.map(\.item)
    }

    /// The items the table knows anything of.
    package var items: [ItemReference] { leases.values.map(\.item) }

    /// When the next renewal is due; nil where none is.
    package var nextRenewal: Duration? {
        leases.values.compactMap {
            if case .held(let renewAt) = $0.phase { renewAt } else { nil }
        }.min()
    }

    /// What to do now that something has happened.
    package mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        switch event {
        case .acquire(let item, let ticket): acquire(item, ticket, now)
        case .release(let item, let ticket): release(item, ticket, now)
        case .releaseAll(let item, let ticket): releaseAll(item, ticket, now)
        case .adopt(let item, let ticket): adopt(item, ticket, now)
        case .cancel(let ticket): cancel(ticket)
        case .answered(let call, let error): answered(call, error, now)
        case .pauseOver(let call): pauseOver(call, now)
        case .rekey(let from, let to): rekey(from, to, now)
        case .tick: tick(now)
        }
    }

    // MARK: Callers

    private mutating func acquire(
        _ item: ItemReference, _ ticket: Ticket, _ now: Duration
    ) -> [Action] {
        let key = resolve(item)
        guard var lease = leases[key] else {
            var lease = Lease(item: item, phase: .lost, waiters: [ticket])
            defer { leases[key] = lease }
            return startLocking(&lease, now)
        }
        defer { leases[key] = lease }
        switch lease.phase {
        case .held, .renewing:
            lease.holders += 1
            return [.resume(ticket, nil)]
        case .locking, .unlocking:
            lease.waiters.append(ticket)
            return []
        case .pausing, .lost:
            lease.waiters.append(ticket)
            return dismissLeavers(&lease) + startLocking(&lease, now)
        }
    }

    private mutating func release(
        _ item: ItemReference, _ ticket: Ticket, _ now: Duration
    ) -> [Action] {
        let key = resolve(item)
        guard var lease = leases[key], lease.holders > 0 else { return [.resume(ticket, nil)] }
        lease.holders -= 1
        guard !lease.isWanted else {
            leases[key] = lease
            return [.resume(ticket, nil)]
        }
        lease.leavers.append(ticket)
        return giveBack(&lease, key, now)
    }

    private mutating func releaseAll(
        _ item: ItemReference, _ ticket: Ticket, _ now: Duration
    ) -> [Action] {
        let key = resolve(item)
        guard var lease = leases[key] else { return [.resume(ticket, nil)] }
        let stopped = CloudStorageError(.cancelled, "all locks are being given back")
        let dismissed = dismissWaiters(&lease, stopped)
        lease.holders = 0
        lease.leavers.append(ticket)
        return dismissed + giveBack(&lease, key, now)
    }

    private mutating func adopt(
        _ item: ItemReference, _ ticket: Ticket, _ now: Duration
    ) -> [Action] {
        let key = resolve(item)
        guard leases[key] == nil else { return [.resume(ticket, nil)] }
        var lease = Lease(item: item, phase: .lost, leavers: [ticket])
        defer { leases[key] = lease }
        return startUnlocking(&lease, attempt: 1, now)
    }

    private mutating func cancel(_ ticket: Ticket) -> [Action] {
        for (key, lease) in leases {
            if let index = lease.waiters.firstIndex(of: ticket) {
                leases[key]?.waiters.remove(at: index)
                let error = CloudStorageError(.cancelled, "gave up waiting for the lock")
                return [.resume(ticket, error)]
            }
            if let index = lease.leavers.firstIndex(of: ticket) {
                leases[key]?.leavers.remove(at: index)
                return [.resume(ticket, nil)]
            }
        }
        return []
    }

    /// Begins to give back a lease that nobody wants; one with a call under way comes later.
    private mutating func giveBack(
        _ lease: inout Lease, _ key: LeaseKey, _ now: Duration
    ) -> [Action] {
        switch lease.phase {
        case .held:
            defer { leases[key] = lease }
            return startUnlocking(&lease, attempt: 1, now)
        case .lost: return end(&lease, key)
        case .locking, .renewing, .unlocking, .pausing:
            leases[key] = lease
            return []
        }
    }

    private mutating func rekey(
        _ from: ItemReference, _ to: ItemReference?, _ now: Duration
    ) -> [Action] {
        let oldKey = resolve(from)
        guard var lease = leases[oldKey] else { return [] }
        guard let to else {
            let gone = CloudStorageError(.notFound, "the locked item is gone")
            return dismissWaiters(&lease, gone) + [.tell(.givenBack(lease.item))]
                + end(&lease, oldKey)
        }
        let newKey = LeaseKey(to)
        guard newKey != oldKey else {
            leases[oldKey]?.item = to
            return []
        }
        switch lease.phase {
        case .unlocking, .pausing:
            // The old lock is on its way out anyway; who waits for the next wants the new item's.
            let waiters = lease.waiters
            leases[oldKey]?.waiters = []
            var actions: [Action] = []
            for ticket in waiters { actions += acquire(to, ticket, now) }
            return actions
        case .locking, .held, .renewing, .lost:
            let told: [Action] = [.tell(.givenBack(lease.item))]
            let former = lease
            return told + end(&lease, oldKey) + move(former, oldKey, to: to, now)
        }
    }

    /// Gives the holders and waiters of `former` the lease of another item, locking that.
    private mutating func move(
        _ former: Lease, _ oldKey: LeaseKey, to item: ItemReference, _ now: Duration
    ) -> [Action] {
        guard former.isWanted else { return [] }
        let key = LeaseKey(item)
        var lease = leases[key] ?? Lease(item: item, phase: .lost)
        defer {
            leases[key] = lease
            for old in lease.formerKeys { forwarding[old] = key }
        }
        lease.formerKeys += former.formerKeys.filter { $0 != key } + [oldKey]
        forwarding[key] = nil
        lease.holders += former.holders
        switch lease.phase {
        case .held, .renewing:
            lease.holders += former.waiters.count
            return former.waiters.map { .resume($0, nil) }
        case .locking, .unlocking:
            lease.waiters += former.waiters
            return []
        case .pausing, .lost:
            lease.waiters += former.waiters
            return dismissLeavers(&lease) + startLocking(&lease, now)
        }
    }

    // MARK: The server

    private mutating func answered(
        _ call: Call, _ error: CloudStorageError?, _ now: Duration
    ) -> [Action] {
        let key = LeaseKey(call.item)
        guard var lease = leases[key] else { return [] }
        switch lease.phase {
        case .locking(call.serial):
            guard let error else { return granted(&lease, key, call, now) }
            return refused(&lease, key, error, now)
        case .renewing(call.serial): return renewed(&lease, key, (call, error), now)
        case .unlocking(call.serial, let attempt):
            return unlocked(&lease, key, (attempt, error), now)
        case .locking, .held, .renewing, .unlocking, .pausing, .lost: return []
        }
    }

    private mutating func granted(
        _ lease: inout Lease, _ key: LeaseKey, _ call: Call, _ now: Duration
    ) -> [Action] {
        let resumed = lease.waiters.map { Action.resume($0, nil) }
        lease.holders += lease.waiters.count
        lease.waiters = []
        lease.phase = .held(renewAt: renewal(of: call))
        guard lease.holders > 0 else { return giveBack(&lease, key, now) }
        defer { leases[key] = lease }
        return resumed + dismissLeavers(&lease)
    }

    private mutating func refused(
        _ lease: inout Lease, _ key: LeaseKey, _ error: CloudStorageError, _ now: Duration
    ) -> [Action] {
        let dismissed = dismissWaiters(&lease, error)
        guard lease.holders == 0 else {
            lease.phase = .lost
            leases[key] = lease
            return dismissed + [.tell(.lost(lease.item, error))]
        }
        guard error.mayHaveHappened else {
            return dismissed + [.tell(.givenBack(lease.item))] + end(&lease, key)
        }
        // The server may hold a lock of which nobody knows.
        defer { leases[key] = lease }
        return dismissed + startUnlocking(&lease, attempt: 1, now)
    }

    private mutating func renewed(
        _ lease: inout Lease, _ key: LeaseKey, _ answer: (call: Call, error: CloudStorageError?),
        _ now: Duration
    ) -> [Action] {
        if let error = answer.error {
            switch error.failureClass {
            case .retry, .signIn: lease.phase = .held(renewAt: now + retryDelay)
            case .wait, .giveUp:
                lease.phase = .lost
                leases[key] = lease
                let told: [Action] = [.tell(.lost(lease.item, error))]
                return lease.isWanted ? told : told + end(&lease, key)
            }
        } else {
            lease.phase = .held(renewAt: renewal(of: answer.call))
        }
        guard !lease.isWanted else {
            defer { leases[key] = lease }
            return dismissLeavers(&lease)
        }
        return giveBack(&lease, key, now)
    }

    private mutating func unlocked(
        _ lease: inout Lease, _ key: LeaseKey, _ answer: (attempt: Int, error: CloudStorageError?),
        _ now: Duration
    ) -> [Action] {
        if lease.isWanted {
            defer { leases[key] = lease }
            return dismissLeavers(&lease) + startLocking(&lease, now)
        }
        guard let error = answer.error, error.failureClass == .retry,
            answer.attempt < Self.unlockAttempts
        else { return [.tell(.givenBack(lease.item))] + end(&lease, key) }
        let call = newCall(.unlock, lease.item, now)
        lease.phase = .pausing(serial: call.serial, attempt: answer.attempt)
        leases[key] = lease
        let backoff = Double(1 << (answer.attempt - 1))
        let seconds = min(max(backoff, error.retryAfter ?? 0), Self.longestPause)
        return [.pause(call, .seconds(seconds))]
    }

    private mutating func pauseOver(_ call: Call, _ now: Duration) -> [Action] {
        let key = LeaseKey(call.item)
        guard var lease = leases[key], case .pausing(call.serial, let attempt) = lease.phase
        else { return [] }
        defer { leases[key] = lease }
        return startUnlocking(&lease, attempt: attempt + 1, now)
    }

    /// Half the duration after the call, or up to a twentieth of the duration earlier, so that many
    /// locks that were taken at once are not all renewed at once.
    private func renewal(of call: Call) -> Duration {
        call.startedAt + duration / 2 - duration / 160 * Int((call.serial - 1) % 8)
    }

    private mutating func tick(_ now: Duration) -> [Action] {
        var actions: [Action] = []
        for (key, lease) in leases {
            guard case .held(let renewAt) = lease.phase, renewAt <= now else { continue }
            let call = newCall(.renew, lease.item, now)
            leases[key]?.phase = .renewing(serial: call.serial)
            actions.append(.call(call))
        }
        return actions
    }

    // MARK: Steps

    private mutating func startLocking(_ lease: inout Lease, _ now: Duration) -> [Action] {
        let call = newCall(.lock, lease.item, now)
        lease.phase = .locking(serial: call.serial)
        return [.tell(.taken(lease.item)), .call(call)]
    }

    private mutating func startUnlocking(
        _ lease: inout Lease, attempt: Int, _ now: Duration
    ) -> [Action] {
        let call = newCall(.unlock, lease.item, now)
        lease.phase = .unlocking(serial: call.serial, attempt: attempt)
        return [.call(call)]
    }

    private func dismissLeavers(_ lease: inout Lease) -> [Action] {
        defer { lease.leavers = [] }
        return lease.leavers.map { .resume($0, nil) }
    }

    private func dismissWaiters(_ lease: inout Lease, _ error: CloudStorageError) -> [Action] {
        defer { lease.waiters = [] }
        return lease.waiters.map { .resume($0, error) }
    }

    /// Forgets a lease.
    private mutating func end(_ lease: inout Lease, _ key: LeaseKey) -> [Action] {
        leases[key] = nil
        for former in lease.formerKeys { forwarding[former] = nil }
        return dismissLeavers(&lease)
    }

    private mutating func newCall(
        _ operation: Call.Operation, _ item: ItemReference, _ now: Duration
    ) -> Call {
        lastSerial += 1
        return Call(operation: operation, item: item, serial: lastSerial, startedAt: now)
    }

    /// The key under which an item's lease is kept, perhaps since `rekey`.
    private func resolve(_ item: ItemReference) -> LeaseKey {
        let key = LeaseKey(item)
        return leases[key] == nil ? forwarding[key] ?? key : key
    }
}
