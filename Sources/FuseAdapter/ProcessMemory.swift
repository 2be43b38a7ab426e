import CFuse3

/// The driver's memory as the system sees it.
package enum ProcessMemory {
    /// Gives back what is free: the allocator keeps it otherwise. Takes milliseconds.
    package static func returnFree() { cfuse3_return_memory() }

    /// Has all threads allocate from the same pools, which then grow less. To be called early.
    package static func share() { cfuse3_share_memory() }
}
