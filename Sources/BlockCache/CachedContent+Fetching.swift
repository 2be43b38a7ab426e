package import CloudStorage
import Dispatch
package import FileSystemTypes
import Synchronization

extension CachedContent {
    /// Waits until the range can be read, fetching what is missing.
    ///
    /// Many readers of one block make one request. A cancelled wait throws `cancelled` and leaves
    /// the others alone. Every request has the deadline of the cloud's calls. Throws the fetch's
    /// error, `revisionChanged` where the server has another version, `localFile` where the disk
    /// is full.
    package func ensure(_ range: ByteRange) async throws(CloudStorageError) {
        guard cache.configuration.isSequential else { return try await fetch(range) }
        let result: Result<Void, CloudStorageError>
        do throws(CloudStorageError) {
            try await fetch(range)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await activitiesEnded()
        try result.get()
    }

    /// Waits until the range can be copied: the blocks it is in are whole on this machine.
    ///
    /// Throws as `ensure` does.
    package func ensureWhole(_ range: ByteRange) async throws(CloudStorageError) {
        try await ensure(geometry.range(of: geometry.blocks(in: range)))
    }

    private func fetch(_ range: ByteRange) async throws(CloudStorageError) {
        let range = geometry.clipped(range)
        state.withLock { state in
            if !state.map.isComplete { state.noteRead(range) }
        }
        // A stored block that fails its check is missing after it, and then waited for: each turn
        // leaves fewer unchecked blocks.
        while !range.isEmpty {
            let cell = WaiterCell()
            let result = await withTaskCancellationHandler {
                await withCheckedContinuation { enter(range, cell: cell, continuation: $0) }
            } onCancel: {
                cancel(cell)
            }
            switch result {
            case .success: break
            case .failure(let error): throw error
            }
            if state.withLock({ $0.readiness(of: range) == .ready }) { return }
            if Task.isCancelled { throw CloudStorageError(.cancelled, "the reader gave up") }
        }
    }

    /// Where a waiting reader can be found by the one who cancels it.
    private final class WaiterCell: Sendable {
        let id = Mutex<UInt64?>(nil)
    }

    private typealias Wait = CheckedContinuation<Result<Void, CloudStorageError>, Never>

    /// Answers at once, or leaves the continuation with the waiting readers.
    private func enter(_ range: ByteRange, cell: WaiterCell, continuation: Wait) {
        let waiter = ContentState.Waiter(range: range, continuation: continuation)
        let supportsRanges = cloud.capabilities.supportsRanges
        let (admission, requests, fillers) = state.withLock { state in
            let admission = state.admit(waiter)
            state.board.note(supportsRanges: supportsRanges)
            guard case .waiting = admission else {
                return (admission, [FetchRequest](), [BlockFiller]())
            }
            return (admission, state.plan(), state.fillers(holding: range))
        }
        switch admission {
        case .ready:
            continuation.resume(returning: .success(()))
        case .refused(let error):
            continuation.resume(returning: .failure(error))
        case .unverified:
            verifyElsewhere(range, continuation: continuation)
        case .waiting(let id):
            cell.id.withLock { $0 = id }
            start(requests)
            for filler in fillers { cache.verification.async { filler.writeStaged() } }
            if Task.isCancelled { cancel(cell) }
        }
    }

    private func verifyElsewhere(_ range: ByteRange, continuation: Wait) {
        cache.verification.async {
            do throws(FileSystemError) {
                _ = try self.verify(range)
                continuation.resume(returning: .success(()))
            } catch {
                continuation.resume(
                    returning: .failure(CloudStorageError(.localFile, error.message)))
            }
        }
    }

    private func cancel(_ cell: WaiterCell) {
        guard let id = cell.id.withLock({ $0 }) else { return }
        let waiter = state.withLock { $0.removeWaiter(id) }
        waiter?.continuation.resume(
            returning: .failure(CloudStorageError(.cancelled, "the reader gave up")))
    }

    // MARK: Running fetches

    /// Starts requests that `plan` chose.
    func start(_ requests: [FetchRequest]) {
        for request in requests {
            let task = Task { await self.run(request) }
            if state.withLock({ $0.board.attach(task, to: request.id) }) { task.cancel() }
        }
    }

    private func run(_ first: FetchRequest) async {
        var next: FetchRequest? = first
        while let request = next {
            let filler = BlockFiller(content: self, request: request)
            state.withLock { $0.staged[request.id] = (filler, ByteRange(0, 0)) }
            var failure: CloudStorageError?
            do throws(CloudStorageError) {
                try await cloud.download(
                    request.item, revision: key.revision.isEmpty ? nil : key.revision,
                    range: request.range, to: filler)
                if !cache.configuration.isSequential { filler.tellLine() }
            } catch {
                failure = error
            }
            do throws(CloudStorageError) {
                try filler.finish()
            } catch {
                failure = failure ?? error
            }
            state.withLock { $0.staged[request.id] = nil }
            next = await conclude(request.id, failure: failure, diskError: filler.diskError)
        }
        if state.withLock({ $0.isConfirmationDue }) { confirm() }
        endActivity()
    }

    /// Settles the end of one request; returns the one that takes it up again.
    private func conclude(
        _ id: UInt64, failure: CloudStorageError?, diskError: FileSystemError?
    ) async -> FetchRequest? {
        var canResume = failure.map { $0.failureClass == .retry } ?? true
        if diskError?.code == .noSpace { canResume = await cache.makeRoom() }
        if failure?.kind == .revisionChanged { becomeStale() }
        let supportsRanges = cloud.capabilities.supportsRanges
        let (next, answers, requests) = state.withLock { [canResume] state in
            state.board.note(supportsRanges: supportsRanges)
            let ending = state.board.ended(
                id, error: failure, canResume: canResume, map: state.map, item: state.item)
            switch ending {
            case .resumed(let request):
                return (request as FetchRequest?, [ContentState.Answer](), [FetchRequest]())
            case .failed(let range, let error):
                let answers = state.failWaiters(in: range, with: error)
                return (nil, answers, state.plan())
            case .finished:
                return (nil, [], state.plan())
            }
        }
        deliver(answers)
        start(requests)
        return next
    }

    func fetchBegan(_ id: UInt64, at offset: Int64) throws(CloudStorageError) {
        let requests = try state.withLock { state throws(CloudStorageError) in
            try state.board.began(id, at: offset, geometry: geometry)
            return state.plan()
        }
        start(requests)
    }

    /// Bytes came up to `position`; of the block under way `arrived` is on disk, from its start.
    /// - Parameter staged: those that came after them and are not on disk yet.
    /// - Returns: whether a reader waits for these and for nothing after them.
    func fetchAdvanced(
        _ id: UInt64, to position: Int64, arrived: ByteRange, staged: ByteRange
    ) throws(CloudStorageError) -> Bool {
        let (answers, isAwaited) = try state.withLock { state throws(CloudStorageError) in
            let answers = try state.fetchAdvanced(id, to: position, arrived: arrived)
            state.staged[id]?.bytes = staged
            return (answers, state.isAwaited(staged))
        }
        deliver(answers)
        return isAwaited
    }

    func has(_ block: Int) -> Bool { state.withLock { $0.map.present[block] } }

    func blockArrived(_ block: Int, checksum: UInt32) {
        let (bytes, answers) = state.withLock { $0.blockArrived(block, checksum: checksum) }
        if bytes > 0 { cache.noteStored(bytes, of: self) }
        deliver(answers)
    }

    // MARK: Confirming the version

    /// Those of so many bytes and more are asked about alone, and at once: they may become the kernel's then.
    private static let smallestUrgent: Int64 = 1 << 20

    /// Asks the server whether it still has this version, if fetched blocks depend on it; with others
    /// where nobody waits for the answer.
    func confirm() {
        let delay = cache.configuration.confirmationDelay
        let mayWait = delay > 0 && size < Self.smallestUrgent && !cache.configuration.isSequential
        switch state.withLock({ $0.beginConfirmation(mayWait: mayWait) }) {
        case .nothing: break
        case .waits: cache.questions.add(self, forSeconds: delay)
        case .asks(let item): Task { versionHeard(await cloud.revisions(of: [item]).first ?? nil) }
        }
    }

    /// The question is about to be asked: it is about what is here now.
    func versionIsAskedFor() -> ItemReference {
        state.withLock { state in
            state.confirmationIsAsked()
            return state.item
        }
    }

    /// Takes the answer: a revision, or nil where the server could not be asked. Then the blocks stay
    /// readable, but are not kept beyond this use unless a later answer confirms them.
    func versionHeard(_ revision: String?) {
        let stands = revision.map { $0 == key.revision }
        if stands == false { becomeStale() }
        let (asksAgain, isWhole) = state.withLock { state in
            let asksAgain = state.confirmationEnded(stands: stands)
            return (asksAgain, state.map.isConfirmed && state.isDirty)
        }
        if isWhole { cache.store(self) }
        if asksAgain { confirm() }
        endActivity()
    }

    /// Gives the version up: the server has another one.
    private func becomeStale() {
        let (removed, answers, tasks) = state.withLock { $0.becomeStale() }
        cache.noteStored(-removed, of: self)
        cache.forget(self)
        for task in tasks { task.cancel() }
        deliver(answers)
    }
}
