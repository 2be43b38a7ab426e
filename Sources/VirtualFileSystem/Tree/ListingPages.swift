/// Which state of a folder's entries the kernel's pages of its listing are from (linux/fuse.h,
/// FOPEN_CACHE_DIR).
///
/// Changes by programs of this machine the kernel notices by itself; these pages are about all others.
package struct ListingPages {
    /// Nil where the pages are of no use.
    private var version: UInt64?
    /// When they began to be filled, in monotonic seconds.
    private var filledAt: Double = 0
    /// Open handles that fill them.
    private var handles = 0
    /// The opening that dropped the old pages may still be on its way to the kernel.
    private var isDropping = false

    /// Nothing is kept yet.
    package init() {}

    /// What to say to the kernel when the folder is opened.
    package struct Opening: Equatable {
        /// The listing may be kept.
        package var fills: Bool
        /// What is kept already is right.
        package var keeps: Bool
    }

    /// Counts one more handle on the entries of `current`.
    ///
    /// - Parameters:
    ///   - now: monotonic seconds
    ///   - validity: seconds after which the attributes that came with the listing have run out: it is
    ///     read again, with new ones, rather than asked for one by one.
    package mutating func open(version current: UInt64, now: Double, validity: Double) -> Opening {
        if handles > 0 {
            // Pages of two states must not mix.
            guard version == current else { return Opening(fills: false, keeps: false) }
            handles += 1
            return Opening(fills: true, keeps: !isDropping)
        }
        handles = 1
        let keeps = version == current && now - filledAt < validity / 2
        isDropping = !keeps
        if !keeps {
            version = current
            filledAt = now
        }
        return Opening(fills: true, keeps: keeps)
    }

    /// A handle that fills the pages was closed.
    package mutating func close() { handles -= 1 }
}
