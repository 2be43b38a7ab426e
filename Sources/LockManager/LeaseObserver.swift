package import CloudStorage

/// What happened to a lease.
package enum LeaseChange: Sendable {
    /// The server is about to be asked for the lock: from now on it may hold one.
    case taken(ItemReference)
    /// The server no longer holds the lock for us, or will let it expire.
    case givenBack(ItemReference)
    /// The lock is gone although it is still wanted: somebody else has it, or the item is gone.
    case lost(ItemReference, CloudStorageError)
}

/// Hears of leases in the order in which they change, so that they can be journaled.
package protocol LeaseObserver: Sendable {
    /// Called under the lock of the lease table: must return at once, without I/O, and must not
    /// call the `LockManager`.
    func leaseChanged(_ change: LeaseChange)
}
