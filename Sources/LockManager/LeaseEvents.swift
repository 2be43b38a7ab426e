package import CloudStorage

extension LeaseTable {
    /// Stands for one caller who waits for an answer. Chosen by the owner of the table, once each.
    package typealias Ticket = UInt64

    /// One call to the server. Its answer comes back as `Event.answered` with the same value.
    package struct Call: Sendable, Hashable {
        package enum Operation: Sendable, Hashable {
            case lock
            /// `CloudStorage.lock` for a lock that is held.
            case renew
            case unlock
        }

        package let operation: Operation
        package let item: ItemReference
        /// Tells an answer that is still waited for from one that is not.
        let serial: UInt64
        /// When the call was decided; the lease counts from here.
        let startedAt: Duration
    }

    /// What happened.
    package enum Event: Sendable {
        /// The caller wants a hold on the item's lock and waits for `Action.resume`.
        case acquire(ItemReference, Ticket)
        /// A hold is given back; `Action.resume` follows when the server has been told.
        case release(ItemReference, Ticket)
        /// All holds are given back at once.
        case releaseAll(ItemReference, Ticket)
        /// A lock that an earlier process left is given back, unless it is held again by now.
        case adopt(ItemReference, Ticket)
        /// The caller waits no longer.
        case cancel(Ticket)
        /// The server has answered a call; nil: it was done.
        case answered(Call, CloudStorageError?)
        /// The pause asked for by `Action.pause` is over.
        case pauseOver(Call)
        /// The item became another one on the server; nil: it is gone.
        case rekey(from: ItemReference, to: ItemReference?)
        /// Time has passed.
        case tick
    }

    /// What the owner of the table is to do, in this order.
    package enum Action: Sendable {
        case call(Call)
        /// Report `Event.pauseOver` after this time.
        case pause(Call, Duration)
        /// Ends the wait of a caller; nil: with success.
        case resume(Ticket, CloudStorageError?)
        case tell(LeaseChange)
    }
}
