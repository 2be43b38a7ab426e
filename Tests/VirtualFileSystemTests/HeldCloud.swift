import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport

/// The model cloud, with downloads, and listings, that wait for the test.
final class HeldCloud: PartialCloud {
    private struct State {
        var passing: Int
        var holdsListings = false
        var held = 0
        var cancelled = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
    }

    let model: ModelCloud
    private let state: Mutex<State>

    /// - Parameter count: downloads that pass before the others wait.
    init(_ model: ModelCloud = ModelCloud(), holdingDownloads count: Int) {
        self.model = model
        state = Mutex(State(passing: count))
    }

    /// From now on listings wait, as downloads do.
    func holdListings() { state.withLock { ($0.holdsListings, $0.passing) = (true, 0) } }

    /// Downloads that had to wait.
    var held: Int { state.withLock { $0.held } }
    /// Of these, those that were given up.
    var cancelled: Int { state.withLock { $0.cancelled } }

    /// From now on all downloads pass.
    func letGo() {
        let waiters = state.withLock { state in
            state.passing = .max
            state.holdsListings = false
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume(returning: true) }
    }

    var capabilities: Capabilities { model.capabilities }

    func account() async throws(CloudStorageError) -> AccountDescription {
        try await model.account()
    }

    func list(
        _ folder: ItemReference, validator: String?
    ) async throws(CloudStorageError) -> FolderListing {
        if state.withLock({ $0.holdsListings }), let waiter = next() { try await wait(waiter) }
        return try await model.list(folder, validator: validator)
    }

    func item(_ reference: ItemReference) async throws(CloudStorageError) -> CloudItem {
        try await model.item(reference)
    }

    func download(
        _ file: ItemReference, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        if let waiter = next() { try await wait(waiter) }
        try await model.download(file, range: range, to: sink)
    }

    /// The next one to wait; nil where it passes.
    private func next() -> UInt64? {
        state.withLock { state in
            if state.passing > 0 {
                state.passing -= 1
                return nil
            }
            state.held += 1
            state.nextWaiter += 1
            return state.nextWaiter
        }
    }

    private func wait(_ id: UInt64) async throws(CloudStorageError) {
        let passes = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: CheckedContinuation<Bool, Never>) in
                let passes: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.passing > 0 { return true }
                    state.waiters[id] = waiter
                    return nil
                }
                if let passes { waiter.resume(returning: passes) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: false)
        }
        guard passes else {
            state.withLock { $0.cancelled += 1 }
            throw CloudStorageError(.cancelled, "given up")
        }
    }
}
