package import CloudStorage
import Synchronization

/// Keeps the mount fresh: asks the server for changes, and for the folders in use whether they
/// changed (DESIGN section 1, Freshness).
///
/// May be used from any task. Each question has the cloud's own deadline.
package final class ChangeFeed: Sendable {
    /// While the server tells of changes, it is asked so many times less often.
    private static let calmFactor = 4
    /// Own changes are told too: rounds because of what was told have a pause between them.
    private static let noticePause = Duration.milliseconds(500)
    private static let longestReconnectPause = Duration.seconds(300)
    /// How many questions of a round are asked at the same time.
    private static let parallelSteps = 4

    private let cloud: any CloudStorage
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let elapsed: @Sendable () -> Duration
    private let receiver: any ChangeReceiver
    private let storeCursor: @Sendable (RootIdentifier, String?) -> Void
    private let schedule: Mutex<FeedSchedule>
    private let gate = RoundGate()
    private let notices = ChangeNotices()

    /// - Parameter interval: the time from the end of one round to the next, more than zero.
    package init(
        cloud: any CloudStorage, interval: Duration, clock: any Clock<Duration>,
        receiver: any ChangeReceiver, cursors: CursorStorage = CursorStorage()
    ) {
        precondition(interval > .zero, "rounds need a pause between them")
        self.cloud = cloud
        self.interval = interval
        self.clock = clock
        self.receiver = receiver
        storeCursor = cursors.store
        elapsed = Self.stopwatch(clock)
        var schedule = FeedSchedule(interval: interval, cursors: cursors.initial)
        schedule.cursorStandsForTree = cloud.capabilities.cursorStandsForTree
        self.schedule = Mutex(schedule)
    }

    /// Asks in rounds until the task is cancelled; what is under way is cancelled with it. Where the
    /// server tells of changes, it is asked at once when it does, and less often otherwise.
    package func run() async {
        guard cloud.capabilities.tellsChanges else {
            while !Task.isCancelled {
                await round(isForced: false)
                do { try await clock.sleep(for: interval) } catch { return }
            }
            return
        }
        await withTaskGroup { group in
            group.addTask { await self.hear() }
            while !Task.isCancelled {
                await round(isForced: false)
                guard let isTold = await pause() else { return }
                // The first round finds that the tree has changed, the next one where.
                if isTold { await round(isForced: false) }
            }
        }
    }

    /// Waits for the next round. Returns whether the server has told of a change; nil where the task
    /// is cancelled.
    private func pause() async -> Bool? {
        let least = min(interval, Self.noticePause)
        let rest = (notices.isConnected ? interval * Self.calmFactor : interval) - least
        do { try await clock.sleep(for: least) } catch { return nil }
        let isTold = await withTaskGroup(of: Bool.self) { group in
            group.addTask { [clock] in
                do { try await clock.sleep(for: rest) } catch {}
                return false
            }
            group.addTask { [notices] in await notices.wait() }
            let isTold = await group.next() ?? false
            group.cancelAll()
            return await group.next() ?? false || isTold
        }
        return Task.isCancelled ? nil : isTold
    }

    /// Has the server tell of changes, again and again, until the task is cancelled.
    private func hear() async {
        var failures = 0
        while !Task.isCancelled {
            do throws(CloudStorageError) {
                try await cloud.hearChanges(notices)
            } catch {
                // Another try with the same password would only have the account blocked.
                if [.unsupported, .signInRequired, .forbidden].contains(error.kind) { return }
            }
            failures = notices.disconnected() ? 0 : min(failures + 1, 8)
            let pause = min(interval * (1 << failures), Self.longestReconnectPause)
            do { try await clock.sleep(for: pause) } catch { return }
        }
    }

    /// One full round now, failing roots and all folders in use included; returns when it is done.
    package func pollNow() async { await round(isForced: true) }

    private static func stopwatch<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }

    private func round(isForced: Bool) async {
        guard await gate.enter() else { return }
        defer { gate.leave() }
        let roots = receiver.rootsInUse()
        let folders = receiver.foldersInUse()
        let now = elapsed()
        let steps = schedule.withLock {
            $0.nextRound(roots: roots, folders: folders, at: now, isForced: isForced)
        }
        await withTaskGroup { group in
            var rest = steps[...]
            for step in rest.prefix(Self.parallelSteps) {
                group.addTask { [self] in await take(step) }
            }
            rest = rest.dropFirst(Self.parallelSteps)
            while await group.next() != nil, !Task.isCancelled, let step = rest.popFirst() {
                group.addTask { [self] in await take(step) }
            }
        }
    }

    private func take(_ step: FeedSchedule.Step) async {
        switch step {
        case .poll(let root, let cursor): await poll(root, since: cursor)
        case .revalidate(let folder): await revalidate(folder)
        }
    }

    private func poll(_ root: RootIdentifier, since cursor: String?) async {
        do throws(CloudStorageError) {
            let page = try await cloud.changes(in: root, since: cursor)
            if !page.items.isEmpty { await receiver.changed(page.items, in: root) }
            // A receiver whose task was cancelled may not have handled everything.
            guard !Task.isCancelled else { return }
            schedule.withLock { $0.handled(root, cursor: page.cursor) }
            if page.cursor != cursor { storeCursor(root, page.cursor) }
        } catch {
            let now = elapsed()
            let isReset = schedule.withLock { $0.pollFailed(root, error, at: now) }
            if isReset { storeCursor(root, nil) }
        }
    }

    private func revalidate(_ folder: ItemReference) async {
        do throws(CloudStorageError) {
            try await receiver.revalidate(folder)
            schedule.withLock { $0.revalidated(folder) }
        } catch {
            let now = elapsed()
            schedule.withLock { $0.revalidationFailed(folder, error, at: now) }
        }
    }
}
