import CloudStorage
import Logging
import StateStore
import Synchronization

/// Copies under temporary names that the server may still be making.
struct LateCopies: Sendable {
    /// One that is looked for.
    struct Expected: Sendable {
        var undertaking: Undertaking
        /// When it was first looked for in vain; seconds of the clock that knows no date.
        var missedSince: Double?
    }

    var expected: [Int64: Expected] = [:]
    var work: Task<Void, Never>?
    var isRunning = false
}

/// Removing what became of copies whose answer was lost, or that a crash left behind: a server goes
/// on with a copy when nobody listens any more.
extension VirtualFileSystem {
    private static let lateSeconds = 60.0
    private static let lookSeconds = 5.0

    /// Has what may arrive under a record's temporary name taken off the server; it is not shown.
    func expectLateCopy(_ undertaking: Undertaking, intent: Int64) {
        let begins = lateCopies.withLock { copies in
            copies.expected[intent] = LateCopies.Expected(undertaking: undertaking)
            guard !copies.isRunning, options.synchronizesInBackground else { return false }
            copies.isRunning = true
            return true
        }
        guard begins else { return }
        let work = Task { [weak self] in
            while await self?.clearLateCopies() ?? false {
                // Cancelled at the end of the mount; the records stay.
                do { try await Task.sleep(for: .seconds(Self.lookSeconds)) } catch { return }
            }
        }
        lateCopies.withLock { $0.work = work }
    }

    /// Looks for every copy once. Returns whether one may still come.
    private func clearLateCopies() async -> Bool {
        for (intent, copy) in lateCopies.withLock({ $0.expected }) {
            do throws(CloudStorageError) {
                try await clear(copy, intent: intent)
            } catch {
                logger.debug("a copy may be left", metadata: ["error": "\(error)"])
            }
        }
        return lateCopies.withLock { copies in
            copies.isRunning = !copies.expected.isEmpty
            return copies.isRunning
        }
    }

    private func clear(
        _ copy: LateCopies.Expected, intent: Int64
    ) async throws(CloudStorageError) {
        guard let name = copy.undertaking.uploadName, let folder = copy.undertaking.uploadFolder
        else { return endLateCopy(copy, intent: intent) }
        do throws(CloudStorageError) {
            if let found = try await entry(named: name, in: folder) {
                try await deleteItem(found.reference)
                return endLateCopy(copy, intent: intent)
            }
        } catch {
            // Gone with its folder.
            guard error.kind == .notFound else { throw error }
        }
        let now = options.chance.monotonicSeconds()
        let since = copy.missedSince ?? now
        guard now - since < Self.lateSeconds else { return endLateCopy(copy, intent: intent) }
        lateCopies.withLock { $0.expected[intent]?.missedSince = since }
    }

    private func endLateCopy(_ copy: LateCopies.Expected, intent: Int64) {
        lateCopies.withLock { _ = $0.expected.removeValue(forKey: intent) }
        closeUndertaking(intent, copy.undertaking)
    }
}
