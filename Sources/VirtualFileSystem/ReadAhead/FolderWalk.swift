/// Recognises a program that goes through a tree, and says which folders to list before it asks.
///
/// A walk is a program that opens a folder and then two that are below it: what is likely to come next
/// are the folders in the last one, then its neighbours, in the order in which they are listed.
/// A value without I/O, clock or lock.
package struct FolderWalk: Sendable {
    /// What follows from opening a folder.
    package enum Step: Sendable {
        case nothing
        /// The folders in it come next.
        case goesInto
        /// Its neighbours come next, after those in it.
        case goesAround
    }

    /// Opened folders that are remembered.
    package static let rememberedFolders = 1024
    /// Folders that wait for their turn.
    package static let queueLimit = 16_384
    /// Listings at one time, so that what programs ask for does not wait behind them.
    package static let parallelListings = 10
    /// Folders that were listed ahead and not opened, within the time that they are remembered, beside as
    /// many as were.
    package static let unusedLimit = 256

    private var window = AheadWindow(first: 16, limit: 64)
    private var openedAt: [UInt64: Double] = [:]
    /// Folders that were opened one after the other below such as had been opened before.
    private var steps = 0
    /// Folders that were not listed when their parent was opened, the next one last.
    private var queue: [UInt64] = []
    /// Folders whose folders were put into the queue.
    private var told: Set<UInt64> = []
    /// Listed ahead, or tried, and not opened since, each with the time.
    private var unused: [UInt64: Double] = [:]
    private var underWay: Set<UInt64> = []
    /// Folders of this walk that had been listed ahead when they were opened.
    private var hits = 0
    private var now = -Double.infinity
    /// The top of a tree in which nobody has walked yet: what is in it is listed ahead, then what is in
    /// those folders, until the window is full.
    private var top: UInt64?
    /// Folders further down, the next one first, while nobody has opened a folder yet. They are told of
    /// again when somebody walks, because then it is known which come first.
    private var deeper: [UInt64]?
    /// What was listed from the top before somebody walked, and not opened since: the walk may be elsewhere,
    /// and then what is in these does not come next.
    private var guessed: Set<UInt64> = []

    package init() {}

    /// Whether a walk is being followed.
    package var isActive: Bool { window.size > 0 }

    /// A program opens a folder to read its entries.
    package mutating func opened(
        _ folder: UInt64, in parent: UInt64?, isListed: Bool, at time: Double
    ) -> Step {
        now = time
        let isBelowOpened = isBelowOpened(parent)
        remember(folder)
        if isBelowOpened, let parent { openedAt[parent] = now }
        let wasAhead = unused.removeValue(forKey: folder) != nil
        guessed.remove(folder)
        if window.used(folder, at: now) || wasAhead {
            hits += 1
            leaveTop()
            return .goesInto
        }
        guard !isListed else { return .nothing }
        // The walk has gone another way than the folders that fill the window.
        deeper = nil
        window.missed(passed: .max)
        steps = isBelowOpened ? steps + 1 : 0
        guard steps >= 2 else { return .nothing }
        if !isActive {
            queue = []
            told = []
            hits = 0
        }
        leaveTop()
        window.open(at: now)
        return .goesAround
    }

    /// A program has begun to walk.
    private mutating func leaveTop() {
        if top != nil { guessed = Set(unused.keys) }
        top = nil
        deeper = nil
    }

    /// A tree of which nothing is known yet was listed from the top: what is in it comes next, as if a
    /// program walked there.
    package mutating func begins(at top: UInt64, at time: Double) {
        now = time
        self.top = top
        deeper = []
        remember(top)
        window.open(at: now)
    }

    private func isBelowOpened(_ parent: UInt64?) -> Bool {
        guard let at = parent.flatMap({ openedAt[$0] }) else { return false }
        return now - at < AheadWindow.forgetsAfter
    }

    private mutating func remember(_ folder: UInt64) {
        if openedAt.count >= Self.rememberedFolders {
            let median = openedAt.values.sorted()[openedAt.count / 2]
            openedAt = openedAt.filter { $0.value > median }
        }
        openedAt[folder] = now
    }

    /// Whether the folders in one are wanted: more may be listed, and they were not told of yet.
    package func wantsFolders(in folder: UInt64) -> Bool {
        guard isActive, !told.contains(folder), !guessed.contains(folder) else { return false }
        return top == nil || top == folder || (deeper != nil && window.room > 0)
    }

    /// The folders in one that a program has opened, or that was listed ahead: they come next.
    package mutating func found(_ folders: [UInt64], in folder: UInt64) {
        if let top, top != folder {
            deeper?.append(contentsOf: folders.prefix(window.room))
            return
        }
        if told.count >= Self.queueLimit { told = [] }
        told.insert(folder)
        queue.append(contentsOf: folders.reversed())
        if queue.count > Self.queueLimit { queue.removeFirst(queue.count - Self.queueLimit) }
    }

    /// The next folder to list, which counts as begun.
    package mutating func next() -> UInt64? {
        while window.room > 0, underWay.count < Self.parallelListings, hasRoomForUnused,
            let folder = queue.popLast() ?? nextBelow()
        {
            guard unused[folder] == nil else { continue }
            window.begin(folder)
            underWay.insert(folder)
            unused[folder] = now
            return folder
        }
        return nil
    }

    private mutating func nextBelow() -> UInt64? {
        guard let first = deeper?.first else { return nil }
        deeper?.removeFirst()
        return first
    }

    private var hasRoomForUnused: Bool {
        mutating get {
            if unused.count >= Self.unusedLimit + hits {
                let limit = now - AheadWindow.forgetsAfter
                unused = unused.filter { $0.value > limit }
            }
            return unused.count < Self.unusedLimit + hits
        }
    }

    /// The listing of a folder that `next` returned has ended; where it failed, the folder is left to
    /// who opens it.
    package mutating func ended(_ folder: UInt64, isListed: Bool) {
        underWay.remove(folder)
        if !isListed { window.drop(folder) }
    }

    /// A folder that `next` returned needs no listing.
    package mutating func drop(_ folder: UInt64) {
        ended(folder, isListed: false)
        unused[folder] = nil
    }
}
