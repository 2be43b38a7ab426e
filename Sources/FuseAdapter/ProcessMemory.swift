import CFuse3

/// The driver's memory as the system sees it.
package enum ProcessMemory {
    /// Gives back what is free: the allocator keeps it otherwise. Takes milliseconds.
    package static func returnFree() { cfuse3_return_memory() }
}
