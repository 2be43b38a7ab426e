import CloudStorage
import FileSystemTypes
import Logging
import Reconciler
import StateStore
import Synchronization

/// Bringing the server to what this machine wants, in the background.
extension VirtualFileSystem {
    /// Has the background look for work, where it would not do so in time by itself.
    func wake() {
        let isTooLate = tree.withLock { ($0.work.nextTime ?? .infinity) < $0.nextLook }
        if isTooLate { wakeSignal.signal() }
    }

    /// Carries out the reconciler's jobs, several at a time, until the task is cancelled.
    func synchronize() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let (job, next) = tree.withLock { tree in
                    let now = options.chance.monotonicSeconds()
                    tree.work.unhurriedWidth = tree.load.width(
                        now: now, most: tree.work.pace.width)
                    tree.work.programsAreBusy = tree.load.isBusy
                    let job = tree.beginJob(now: now)
                    // What is held back goes on when programs are done.
                    let next = [tree.work.nextTime, tree.load.isBusy ? tree.load.quietTime : nil]
                        .compactMap(\.self).min()
                    tree.nextLook = job == nil ? next ?? .infinity : -.infinity
                    return (job, next)
                }
                if let job {
                    group.addTask {
                        await self.carryOut(job, inBackground: true)
                        await self.retireWaiting()
                    }
                } else {
                    if retirements.withLock({ !$0.files.isEmpty }) {
                        group.addTask { await self.retireWaiting() }
                    }
                    let now = options.chance.monotonicSeconds()
                    await wakeSignal.wait(forSeconds: next.map { max(0.005, $0 - now) })
                }
            }
        }
    }

    /// Carries out one job, due or not, where the background doesn't (`MountOptions`): every order
    /// of events can be made, and made again. Returns false when there is nothing to do.
    package func carryOutNextJob() async -> Bool {
        guard let job = tree.withLock({ $0.beginJob(now: .infinity) }) else { return false }
        await carryOut(job)
        return true
    }

    /// Waits for the end of every listing that is under way.
    package func settleListings() async { await listings.settleAll() }

    /// Waits until nothing is being fetched ahead.
    package func settleReadAhead() async { await aheadTasks.settle() }

    private func carryOut(_ job: ReconciliationJob, inBackground: Bool = false) async {
        let result: Result<Void, JobFailure> = await gate.enter(Set(job.items)) {
            do throws(JobFailure) {
                try await perform(job)
                if case .store(let id) = job, !inBackground || !retireLater(id) {
                    await retireWorkingCopy(of: id)
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        end(job, result)
        if case .store(let id) = job { await finishClosing(id) }
    }

    private func end(_ job: ReconciliationJob, _ result: Result<Void, JobFailure>) {
        var failure: JobFailure?
        if case .failure(let error) = result { failure = error.retried(for: job) }
        let undone = failure?.result == .refused ? undoRefused(job) : []
        let result = undone.isEmpty ? failure?.result ?? .done : .done
        let isPutOff = if case .after = result { true } else { false }
        if isPutOff { failure = nil }
        let changes = tree.withLock { tree -> [StateChange] in
            for id in job.items {
                tree.nodes[id]?.busy -= 1
                tree.stamp(id)
                tree.compare(id)
            }
            if let item = job.items.first {
                tree.noteEnd(of: item, tree.work.isAskedAgain(item) ? nil : failure?.error)
            }
            tree.work.finished(job, result, now: options.chance.monotonicSeconds())
            let changes = tree.recordChanges(of: job.items)
            for id in job.items { tree.dropIfUnused(id) }
            tree.freshen()
            return changes
        }
        store.enqueue(changes + endRecords(of: job))
        logger.debug(
            "job", metadata: ["job": "\(job)", "result": "\(result)"])
        if let failure {
            noteFailure(failure, of: job)
        } else if !isPutOff {
            serverAnswered()
        }
        lookAgain(at: undone)
        resumeWaiters()
        wake()
    }

    /// A change of names that the server refuses for good is undone here, so that it is seen.
    /// Returns the items that were put back.
    private func undoRefused(_ job: ReconciliationJob) -> [UInt64] {
        let items: [UInt64] =
            switch job {
            case .relocate(let item), .delete(let item, _): [item]
            case .replace(let item, let removed): [item, removed]
            case .makeFolder, .store, .setTime, .adopt, .stepAside: []
            }
        return bringBack(items)
    }

    /// Has what was put back, and the folders around it, listed as they are on the server.
    func lookAgain(at items: [UInt64]) {
        let folders = tree.withLock { tree -> Set<UInt64> in
            var folders: Set<UInt64> = []
            for id in items {
                guard let node = tree.nodes[id] else { continue }
                if let home = tree.home(of: node) { folders.insert(home.folder) }
                if node.isFolder, node.children != nil { folders.insert(id) }
            }
            for folder in folders {
                tree.forgetValidator(of: folder)
                tree.nodes[folder]?.validatedAt = -.infinity
            }
            return folders
        }
        for folder in folders.sorted() { refreshLater(folder) }
    }

    /// Shows items again where the server has them. Returns those that could be.
    @discardableResult
    func bringBack(_ items: [UInt64]) -> [UInt64] {
        let isAnswered = options.synchronization == .none
        let sent = sentContents.withLock { Set($0.keys) }
        let (changes, entries, done) = tree.withLock { tree in
            var entries: [(parent: UInt64, name: String)] = []
            var done: [UInt64] = []
            var removals: [StateChange] = []
            for item in items {
                var id = item
                // A removal that a program counts on took its unsent content with it.
                let isSent = tree.nodes[id].map { sent.contains($0.inode.rawValue) } ?? false
                if isAnswered,
                    let rest = tree.partFromUnsent(id, isSent: isSent, store.allocateInode)
                {
                    id = rest.id
                    removals.append(rest.change)
                }
                if let node = tree.nodes[id], let parent = node.parent {
                    entries.append((parent, node.name))
                }
                if let place = tree.bringBack(id, hostName: options.hostName) {
                    entries.append(place)
                    done.append(id)
                    tree.touch(place.parent)
                    // What was removed with it is refused, and comes back, by itself.
                    tree.work.expedite(tree.work.items(in: id))
                }
            }
            return (removals + tree.recordChanges(of: items + done), entries, done)
        }
        store.enqueue(changes)
        for entry in entries {
            notifier?.invalidateEntry(parent: entry.parent, name: entry.name)
        }
        return done
    }

    private func noteFailure(_ failure: JobFailure, of job: ReconciliationJob) {
        if failure.error.code == .networkUnreachable || failure.error.code == .timedOut {
            serverIsSilent()
        }
        let path = job.items.first.flatMap { id in tree.withLock { $0.path(of: id) } }
        logger.log(
            level: failure.result == .refused ? .warning : .info, "not on the server yet",
            metadata: [
                "path": "\(path ?? "(removed)")", "error": "\(failure.error.message)",
            ])
    }

    // MARK: Waiting

    /// Waits until the server has what this machine wants of the items.
    ///
    /// What can't be sent yet, because a program still writes or reads it, is not waited for.
    func settle(_ items: [UInt64]) async throws(FileSystemError) {
        tree.withLock { tree in
            for item in items {
                // Only what happens from now on counts. What the item waits for is tried again with
                // it: its failure is all that there is to hear where it pauses after one.
                let chain = tree.work.chain(from: item, looksAhead: true)
                for id in chain { tree.nodes[id]?.saveError = nil }
                tree.work.expedite(chain)
            }
        }
        wake()
        for item in items {
            while let step = await oneStep(towards: item) { try step.get() }
            if let error = tree.withLock({ $0.nodes[item]?.saveError }) { throw error }
        }
    }

    /// Waits for the end of one job; nil when there is nothing left to wait for.
    private func oneStep(towards item: UInt64) async -> Result<Void, FileSystemError>? {
        typealias Waiter = CheckedContinuation<Result<Void, FileSystemError>?, Never>
        return await withCheckedContinuation { (waiter: Waiter) in
            let answer = tree.withLock { tree -> Result<Void, FileSystemError>?? in
                // A job may have failed, and wait for its next turn, since the last look.
                let chain = tree.work.chain(from: item, looksAhead: true)
                if let error = tree.firstError(of: chain) {
                    return .failure(error)
                }
                guard tree.work.isUnderWay(item) else { return .some(nil) }
                jobWaiters.withLock { $0.append(JobWaiter(item: item, waiter: waiter)) }
                return nil
            }
            if let answer { waiter.resume(returning: answer) }
        }
    }

    /// Lets everyone who waits look again.
    func resumeWaiters() {
        let observers = jobObservers.withLock { observers in
            let all = observers
            observers = []
            return all
        }
        for observer in observers { observer.set(()) }
        let waiters = jobWaiters.withLock { waiters in
            let all = waiters
            waiters = []
            return all
        }
        guard !waiters.isEmpty else { return }
        let answers = tree.withLock { tree in
            waiters.map { waiter in
                tree.firstError(of: tree.work.chain(from: waiter.item))
            }
        }
        for (waiter, error) in zip(waiters, answers) {
            waiter.waiter.resume(returning: error.map { .failure($0) } ?? .success(()))
        }
    }

    // MARK: The connection

    /// The server did not answer: for a while nothing that is known here waits for it.
    func serverIsSilent() {
        silentUntil.withLock { $0 = options.chance.monotonicSeconds() + Self.silentSeconds }
    }

    func serverAnswered() { silentUntil.withLock { $0 = -.infinity } }

    var isServerSilent: Bool {
        silentUntil.withLock { $0 } > options.chance.monotonicSeconds()
    }

    private static let silentSeconds = 10.0
}

extension Tree {
    /// The reconciler's next job, its items marked as being worked on.
    fileprivate mutating func beginJob(now: Double) -> ReconciliationJob? {
        let job = {
            // Given up before the change below, which would copy the table otherwise.
            let nodes = nodes
            let readers = directoryHandles
            return work.next(
                now: now, folderOf: { nodes[$0]?.parent },
                isBeingRead: { folder in readers.values.contains { $0.node == folder } })
        }()
        for id in job?.items ?? [] { self.nodes[id]?.busy += 1 }
        return job
    }

    fileprivate func firstError(of ids: [UInt64]) -> FileSystemError? {
        for id in ids { if let error = nodes[id]?.saveError { return error } }
        return nil
    }

    /// Keeps why a job failed, for `status` and for whoever asks next.
    fileprivate mutating func noteEnd(of id: UInt64, _ error: FileSystemError?) {
        guard let node = nodes[id] else { return }
        let isNothing = node.parent == nil && node.server == nil
        let error = isNothing ? nil : error
        nodes[id]?.saveError = error
        if error != nil, nodes[id]?.writeHandles == 0 { nodes[id]?.owesError = true }
        if error == nil { nodes[id]?.owesError = false }
    }
}
