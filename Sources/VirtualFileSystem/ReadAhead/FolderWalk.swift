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

    private var window = AheadWindow(first: 16, limit: 64)
    private var openedAt: [UInt64: Double] = [:]
    /// Folders that were opened one after the other below such as had been opened before.
    private var steps = 0
    /// Folders that were not listed when their parent was opened, the next one last.
    private var queue: [UInt64] = []

    package init() {}

    /// Whether a walk is being followed.
    package var isActive: Bool { window.size > 0 }

    /// A program opens a folder to read its entries.
    package mutating func opened(
        _ folder: UInt64, in parent: UInt64?, isListed: Bool, at now: Double
    ) -> Step {
        let parentOpenedAt = parent.flatMap { openedAt[$0] } ?? -.infinity
        if openedAt.count >= Self.rememberedFolders { openedAt = [:] }
        openedAt[folder] = now
        if window.used(folder, at: now) { return .goesInto }
        guard !isListed else { return .nothing }
        window.missed()
        steps = now - parentOpenedAt < AheadWindow.forgetsAfter ? steps + 1 : 0
        guard steps >= 2 else { return .nothing }
        if !isActive { queue = [] }
        window.open(at: now)
        return .goesAround
    }

    /// Folders in one that a program has opened, or that was listed ahead: they come next.
    package mutating func found(_ folders: [UInt64]) {
        queue.append(contentsOf: folders.reversed())
        if queue.count > Self.queueLimit { queue.removeFirst(queue.count - Self.queueLimit) }
    }

    /// The next folder to list, which counts as begun.
    package mutating func next() -> UInt64? {
        guard window.room > 0, let folder = queue.popLast() else { return nil }
        window.begin(folder)
        return folder
    }

    /// The folder needed no listing, or can't be listed.
    package mutating func drop(_ folder: UInt64) { window.drop(folder) }
}
