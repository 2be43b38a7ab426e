import CloudStorage
import Synchronization

/// Has one listing of a folder tell what has become of many uploads to it, on servers that don't
/// say it in their answers.
///
/// Who wants to know waits, though not for long, for the uploads to the same folder that are under
/// way; then one of them looks for all. What a listing doesn't show is looked at alone.
final class FolderLooks: Sendable {
    /// What one that has waited is to do.
    enum Turn: Sendable {
        case lookAlone
        /// To list the folder, and to tell the others.
        case list(tell: [Waiter])
        /// Another one has listed the folder since.
        case found(CloudItem)
    }

    struct Waiter: Sendable, Hashable {
        fileprivate var ticket: UInt64
        fileprivate var path: String
    }

    /// Uploads that one listing answers for are not more: the rest goes on meanwhile.
    fileprivate static let most = 20
    /// So many are looked at one by one: that takes less than a listing.
    private static let fewest = 3
    /// Entries of a folder that are listed as fast as one item is looked at.
    fileprivate static let entriesPerLook = 16
    private static let longestWait = Duration.milliseconds(100)
    /// Folders whose sizes are remembered.
    private static let limit = 4_096

    fileprivate struct Folder {
        /// Uploads under way whose answers have not come.
        var uploads = 0
        var waiting: [Waiter] = []
        /// Tells those who wait from those who did before.
        var batch = 0
    }

    fileprivate struct State {
        var folders: [RemotePath: Folder] = [:]
        var turns: [UInt64: CheckedContinuation<Turn, Never>] = [:]
        /// Entries at the last listing.
        var sizes: [RemotePath: Int] = [:]
        var lastTicket: UInt64 = 0
    }

    private let state = Mutex(State())
    private let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameter sleep: throws when the task is cancelled.
    init(sleep: @escaping @Sendable (Duration) async throws -> Void) { self.sleep = sleep }

    /// An upload to a folder begins; it ends with `end` or `turn`.
    func begin(in folder: RemotePath) {
        state.withLock { $0.folders[folder, default: Folder()].uploads += 1 }
    }

    /// An upload has ended of which nothing is to be known.
    func end(in folder: RemotePath) {
        let batch = state.withLock { state -> [Waiter] in
            state.folders[folder]?.uploads -= 1
            return state.takeDue(in: folder)
        }
        start(batch, in: folder)
    }

    /// A listing has shown how many entries a folder has.
    func note(size: Int, of folder: RemotePath) {
        state.withLock { state in
            if state.sizes.count >= Self.limit { state.sizes = [:] }
            state.sizes[folder] = size
        }
    }

    /// How many entries a folder had when it was last listed.
    func size(of folder: RemotePath) -> Int? { state.withLock { $0.sizes[folder] } }

    /// An upload has been answered: waits for what is to be done to know what it has made.
    func turn(for path: RemotePath, in folder: RemotePath) async -> Turn {
        let waiter = state.withLock { state in
            state.lastTicket += 1
            return Waiter(ticket: state.lastTicket, path: path.text)
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (batch, hurried) = state.withLock { state -> ([Waiter], Int?) in
                    state.turns[waiter.ticket] = continuation
                    state.folders[folder]?.uploads -= 1
                    if !Task.isCancelled { state.folders[folder]?.waiting.append(waiter) }
                    let batch = state.takeDue(in: folder)
                    let known = state.folders[folder]
                    return (batch, known?.waiting == [waiter] ? known?.batch : nil)
                }
                if Task.isCancelled { resume(waiter, .lookAlone) }
                start(batch, in: folder)
                if let hurried { hurryLater(hurried, in: folder) }
            }
        } onCancel: {
            state.withLock { $0.folders[folder]?.waiting.removeAll { $0 == waiter } }
            resume(waiter, .lookAlone)
        }
    }

    /// The end of a listing that `turn` asked for; without items where it has failed.
    func tell(_ waiters: [Waiter], _ items: [CloudItem]) {
        let found = Dictionary(
            items.map { ($0.reference.path, $0) }, uniquingKeysWith: { first, _ in first })
        for waiter in waiters {
            resume(waiter, found[waiter.path].map { .found($0) } ?? .lookAlone)
        }
    }

    /// Large uploads, or many, don't keep the others waiting.
    private func hurryLater(_ batch: Int, in folder: RemotePath) {
        Task {
            do { try await sleep(Self.longestWait) } catch { return }
            let waiters = state.withLock { state -> [Waiter] in
                guard state.folders[folder]?.batch == batch else { return [] }
                return state.take(in: folder)
            }
            start(waiters, in: folder)
        }
    }

    private func start(_ batch: [Waiter], in folder: RemotePath) {
        guard let first = batch.first else { return }
        let size = state.withLock { $0.sizes[folder] ?? 0 }
        guard batch.count >= Self.fewest, size <= batch.count * Self.entriesPerLook else {
            for waiter in batch { resume(waiter, .lookAlone) }
            return
        }
        let others = Array(batch.dropFirst())
        // Who has given up meanwhile tells nobody.
        if !resume(first, .list(tell: others)) { tell(others, []) }
    }

    @discardableResult
    private func resume(_ waiter: Waiter, _ turn: Turn) -> Bool {
        let continuation = state.withLock { $0.turns.removeValue(forKey: waiter.ticket) }
        continuation?.resume(returning: turn)
        return continuation != nil
    }
}

extension FolderLooks.State {
    /// Those that need not wait any more.
    fileprivate mutating func takeDue(in folder: RemotePath) -> [FolderLooks.Waiter] {
        guard let known = folders[folder] else { return [] }
        let isCrowded =
            (sizes[folder] ?? 0) > FolderLooks.most * FolderLooks.entriesPerLook
        guard known.uploads <= 0 || known.waiting.count >= FolderLooks.most || isCrowded else {
            return []
        }
        return take(in: folder)
    }

    fileprivate mutating func take(in folder: RemotePath) -> [FolderLooks.Waiter] {
        let batch = folders[folder]?.waiting ?? []
        folders[folder]?.waiting = []
        folders[folder]?.batch += 1
        if (folders[folder]?.uploads ?? 0) <= 0 { folders[folder] = nil }
        return batch
    }
}
