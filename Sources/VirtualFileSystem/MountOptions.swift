package import Reconciler

/// How a mount behaves, fixed when it starts.
package struct MountOptions: Sendable {
    /// When opening for writing takes the server's lock (DESIGN section 6).
    package enum Locking: String, Sendable, CaseIterable {
        /// Where policy allows; goes on without where it doesn't.
        case open
        case off
        /// Opening for writing fails without the lock.
        case require
    }

    /// When a program is answered (DESIGN section 1).
    package enum Synchronization: String, Sendable, CaseIterable {
        /// When the change is journaled here.
        case none
        /// As `none` for content; for names when the server has the change, or with its error.
        case names
        /// When the server has the change, or with its error.
        case all
    }

    /// What becomes of symbolic links.
    package enum SymbolicLinks: String, Sendable, CaseIterable {
        /// Kept on the server as a small text file `NAME.rclonelink` that holds the target.
        case store
        case refuse
    }

    /// The folder to show as the mount's top, as names from the list of roots down; empty shows
    /// the roots themselves.
    package var path: [String] = []
    package var locking: Locking = .open
    package var synchronization: Synchronization = .none
    /// How soon changes go to the server.
    package var pace = ReconciliationPace()
    /// Whether changes go to the server by themselves; where not, `carryOutNextJob` sends them.
    package var synchronizesInBackground = true
    /// Whether folders and small files are fetched before a program that walks asks for them.
    package var readsAhead = true
    /// Bytes from which on complete files are read by the kernel itself, where it can.
    package var smallestBacked: Int64 = 1 << 20
    /// Clocks and random names.
    package var chance = Chance.system
    package var symbolicLinks: SymbolicLinks = .store
    /// Names that never leave this machine, as shell patterns; WPS's owner files don't either.
    package var localOnlyPatterns: [String] = [
        ".~lock.*#", "~$*", ".~*.doc*", ".~*.xls*", ".~*.ppt*", ".~*.wps", ".~*.et", ".~*.dps",
        ".*.sw?", ".nfs*",
    ]
    /// Names that are temporary by nature: they stay on this machine where the organisation's policy
    /// excludes them, instead of being refused.
    package var temporaryPatterns: [String] = [
        "*.tmp", "*.temp", "*.swp", "*.swo", "*.swx", "*.bak", "*~", "~*", ".~*", "*.part",
        "*.crdownload", "*.lock",
    ]
    /// Who owns the files of the mount, where nothing else was set.
    package var userID: UInt32 = 0
    package var groupID: UInt32 = 0
    /// Permission bits taken from new and from the server's files.
    package var umask: UInt16 = 0o022
    package var isReadOnly = false
    /// Seconds between two looks at the server's change feed.
    package var pollSeconds: Double = 5
    /// Seconds the kernel may keep names and attributes without asking.
    package var entrySeconds: Double = 60
    /// Seconds after which a listing nobody watches is checked before it is used.
    package var staleSeconds: Double = 30
    /// How long a check of a known listing may hold up a program before the known one is used.
    package var revalidationSeconds: Double = 2
    /// The same at the first look after a mount that follows an orderly end.
    package var firstLookSeconds: Double = 0.3
    /// How long opening a file for writing waits for the server's lock before it counts as offline.
    package var lockAnswerSeconds: Double = 10
    /// How long a lock is asked for, where the server allows that much; renewed at its half.
    package var lockSeconds = 1_800
    /// Inodes kept in memory before the folders that were not used for longest leave it.
    package var nodeLimit = 20_000
    /// Has what was freed given back to the system, which else stays this process's.
    package var returnsMemory: @Sendable () -> Void = {}
    /// Whether something is mounted on a folder of the mount: the kernel would unmount that with the
    /// folder that it is asked to forget.
    package var hasMountsBelow: @Sendable () -> Bool = { false }
    /// Open files and folders at one time.
    package var handleLimit = 65_536
    /// This machine's name in the names of conflict copies.
    package var hostName = "localhost"

    package init() {}
}
