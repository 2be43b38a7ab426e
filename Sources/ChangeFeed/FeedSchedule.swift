package import CloudStorage

/// Decides what the feed asks next. Pure; times are counted from any fixed moment.
///
/// Each round polls every root once and revalidates those folders in use that have waited longest.
/// After a failure a root, with its folders, is left alone for twice as long as the time before.
package struct FeedSchedule: Sendable {
    /// One question to the server.
    package enum Step: Sendable, Hashable {
        /// Ask for changes; nil starts from now.
        case poll(RootIdentifier, cursor: String?)
        case revalidate(ItemReference)
    }

    private struct Root: Sendable {
        var cursor: String?
        /// False once the cloud has said that it has no change feed.
        var isPolled = true
        var failures = 0
        var notBefore: Duration?
        /// Folders asked for before this round may have changed since; only where the cursor stands
        /// for the tree.
        var changedIn: UInt64 = 1
    }

    /// Folders in use beyond this many are left to their next use.
    package static let consideredFolders = 4096
    /// The longest time a failing root is left alone.
    package static let longestPause: Duration = .seconds(300)

    /// As `Capabilities.cursorStandsForTree`: then folders are asked for only after a change.
    package var cursorStandsForTree = false

    private let interval: Duration
    private let foldersPerRound: Int
    private var roots: [RootIdentifier: Root]
    /// In which round a folder was last asked for; only folders in use.
    private var lastAsked: [ItemReference: UInt64] = [:]
    private var rounds: UInt64 = 0

    /// - Parameters:
    ///   - interval: the time between two rounds, and the first pause after a failure.
    ///   - foldersPerRound: how many folders are revalidated in one round.
    ///   - cursors: where each root's feed goes on.
    package init(
        interval: Duration, foldersPerRound: Int = 32, cursors: [RootIdentifier: String] = [:]
    ) {
        self.interval = interval
        self.foldersPerRound = foldersPerRound
        roots = cursors.mapValues { Root(cursor: $0) }
    }

    /// The questions of one round.
    /// - Parameters:
    ///   - roots: those wanted now; the state of others is kept only as far as its cursor.
    ///   - folders: those in use, most recent first.
    ///   - isForced: asks failing roots too, and every folder that is considered at all.
    package mutating func nextRound(
        roots wanted: [RootIdentifier], folders: [ItemReference], at now: Duration,
        isForced: Bool = false
    ) -> [Step] {
        rounds += 1
        var steps: [Step] = []
        for root in wanted {
            let state = roots[root, default: Root()]
            roots[root] = state
            guard state.isPolled, isForced || isDue(state, now) else { continue }
            steps.append(.poll(root, cursor: state.cursor))
        }
        let considered = folders.prefix(Self.consideredFolders)
        let inUse = Set(considered)
        lastAsked = lastAsked.filter { inUse.contains($0.key) }
        // Swift's sort is stable: among those that waited equally long, the most recently used.
        let waiting = inUse.count == considered.count ? Array(considered) : unique(considered)
        let due = waiting.filter { isForced || isDue($0, now) }
            .sorted { lastAsked[$0, default: 0] < lastAsked[$1, default: 0] }
        for folder in due.prefix(isForced ? due.count : foldersPerRound) {
            lastAsked[folder] = rounds
            steps.append(.revalidate(folder))
        }
        return steps
    }

    /// Changes up to `cursor` have been handled.
    package mutating func handled(_ root: RootIdentifier, cursor: String) {
        if roots[root]?.cursor != cursor {
            // What was asked for in this round may have been asked for before the change.
            roots[root, default: Root()].changedIn = rounds + 1
        }
        roots[root, default: Root()].cursor = cursor
        recovered(root)
    }

    /// A folder has been revalidated. Ends the pauses of a root without a change feed; with one,
    /// its polls decide, or a feed that always fails would be asked in every round.
    package mutating func revalidated(_ folder: ItemReference) {
        if roots[folder.root]?.isPolled == false { recovered(folder.root) }
    }

    private mutating func recovered(_ root: RootIdentifier) {
        roots[root, default: Root()].failures = 0
        roots[root, default: Root()].notBefore = nil
    }

    /// A poll failed. Returns whether the root's cursor was thrown away, as the server rejects it.
    package mutating func pollFailed(
        _ root: RootIdentifier, _ error: CloudStorageError, at now: Duration
    ) -> Bool {
        switch error.kind {
        case .cancelled: return false
        case .unsupported:
            roots[root, default: Root()].isPolled = false
            return false
        case .invalidRequest where roots[root]?.cursor != nil:
            roots[root, default: Root()].cursor = nil
            // What the lost cursor would have told is looked for in the folders.
            lastAsked = lastAsked.filter { $0.key.root != root }
            backOff(root, error, at: now)
            return true
        default:
            backOff(root, error, at: now)
            return false
        }
    }

    /// A folder could not be revalidated.
    package mutating func revalidationFailed(
        _ folder: ItemReference, _ error: CloudStorageError, at now: Duration
    ) {
        switch error.failureClass {
        case .retry, .signIn: backOff(folder.root, error, at: now)
        // Says something about this folder only, which the receiver has dealt with.
        case .wait, .giveUp: break
        }
    }

    private func isDue(_ folder: ItemReference, _ now: Duration) -> Bool {
        let root = roots[folder.root, default: Root()]
        guard isDue(root, now) else { return false }
        guard cursorStandsForTree, root.isPolled else { return true }
        return lastAsked[folder, default: 0] < root.changedIn
    }

    private func isDue(_ root: Root, _ now: Duration) -> Bool {
        root.notBefore.map { $0 <= now } ?? true
    }

    /// Several failures of one round count once.
    private mutating func backOff(
        _ root: RootIdentifier, _ error: CloudStorageError, at now: Duration
    ) {
        var state = roots[root, default: Root()]
        defer { roots[root] = state }
        if let notBefore = state.notBefore, notBefore > now { return }
        let exponent = min(state.failures, 16)
        state.failures += 1
        let asked = Duration.seconds(error.retryAfter ?? 0)
        let pause = max(interval * (1 << exponent), asked)
        state.notBefore = now + min(pause, Self.longestPause)
    }

    private func unique(_ folders: ArraySlice<ItemReference>) -> [ItemReference] {
        var seen = Set<ItemReference>()
        return folders.filter { seen.insert($0).inserted }
    }
}
