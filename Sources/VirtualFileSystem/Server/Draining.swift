import FileSystemTypes
import FoundationEssentials
import Logging
import Reconciler
import StateStore
import Synchronization

/// Sending everything now: `ordner sync`, and the end of a mount.
extension VirtualFileSystem {
    /// How far a sending has come.
    package struct Progress: Sendable, Equatable {
        /// Changes that are not on the server yet.
        package var remaining = 0
        package var remainingBytes: Int64 = 0
        /// Of `remaining`, those that can't be sent as things are, with the reasons.
        package var failed: [MountStatus.Unsent] = []

        package init() {}
    }

    /// Has everything below a path (as of the mount's top; empty: everything) sent at once.
    package func sendNow(below path: [String]) async {
        await keepMappings()
        tree.withLock { tree in
            let items = tree.unsettled(below: path)
            // Only what happens from now on counts.
            for item in items { tree.nodes[item]?.saveError = nil }
            tree.work.expedite(items)
        }
        wake()
    }

    /// What below a path is not on the server yet. Never waits.
    package func progress(below path: [String]) -> Progress {
        tree.withLock { tree in
            var progress = Progress()
            for id in tree.unsettled(below: path) {
                guard let node = tree.nodes[id] else { continue }
                let unsent = tree.unsent(node)
                progress.remaining += 1
                progress.remainingBytes += unsent.bytes
                let isBlocked = tree.work.chain(from: id).contains { other in
                    tree.nodes[other]?.saveError != nil && !tree.work.isRunning(other)
                }
                if isBlocked { progress.failed.append(unsent) }
            }
            return progress
        }
    }

    /// Sends everything; returns when all is sent, what is left can't be, or the time is over.
    package func drain(forSeconds limit: Double) async -> Progress {
        await sendNow(below: [])
        let end = SystemClocks.monotonicSeconds() + limit
        while true {
            let progress = progress(below: [])
            if progress.remaining <= progress.failed.count { return progress }
            guard SystemClocks.monotonicSeconds() < end else { return progress }
            await jobEnded(within: min(1, end - SystemClocks.monotonicSeconds()))
        }
    }

    /// Waits for the end of any job, or for so many seconds.
    package func jobEnded(within seconds: Double) async {
        let latch = Latch<Void>()
        jobObservers.withLock { $0.append(latch) }
        let timer = Task {
            // Cancelled when a job has ended.
            do { try await Task.sleep(for: .seconds(seconds)) } catch { return }
            latch.set(())
        }
        await latch.value()
        timer.cancel()
    }

    // MARK: Conflicts

    private static let conflictsKey = "conflicts"

    func loadConflicts() async throws(FileSystemError) {
        guard let text = try await store.value(forKey: Self.conflictsKey) else { return }
        do {
            let known = try JSONDecoder().decode([Conflict].self, from: Data(text.utf8))
            tree.withLock { $0.conflicts = known }
        } catch {
            throw FileSystemError(.inputOutput, "the list of conflicts can't be read: \(error)")
        }
    }

    func journalConflicts() {
        let conflicts = tree.withLock { $0.conflicts }
        do {
            let text = try JSONEncoder().encode(conflicts)
            store.enqueue([
                .setValue(key: Self.conflictsKey, value: String(decoding: text, as: UTF8.self))
            ])
        } catch {
            logger.error("the list of conflicts can't be written", metadata: ["error": "\(error)"])
        }
    }

    /// Takes a conflict off the list: somebody has decided.
    package func forgetConflict(_ conflict: Conflict) {
        tree.withLock { $0.conflicts.removeAll { $0 == conflict } }
        journalConflicts()
    }
}

extension Tree {
    /// Items below a path whose two sides differ, the path's own among them; without what only a
    /// program can end: files still being written, and removed ones still being read.
    func unsettled(below path: [String]) -> [UInt64] {
        unsettledItems(below: path).filter { id in
            guard let difference = work.difference(of: id) else { return false }
            if difference.isHeld { return false }
            return difference.content != .open
                || (difference.home != nil && difference.home != difference.wanted)
        }
    }

    private func unsettledItems(below path: [String]) -> [UInt64] {
        guard !path.isEmpty else { return Array(work.items) }
        var top = Tree.rootID
        for name in path {
            guard let child = child(of: top, named: name) else { return [] }
            top = child.id
        }
        return work.items.filter { id in
            if isBelow(id, top) { return true }
            guard let home = work.difference(of: id)?.home else { return false }
            return isBelow(home.folder, top)
        }
    }
}
