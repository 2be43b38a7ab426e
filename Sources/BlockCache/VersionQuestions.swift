import CloudStorage
import Synchronization

/// Asks for the versions of small files together: one question for each would cost as much as the file.
///
/// Nothing less is asked than for a large file: each answer comes after the last byte of the file, so
/// that it is about what was fetched. Safe from any thread.
final class VersionQuestions: Sendable {
    /// Contents that wait at most; each of them keeps its file open.
    static let limit = 256

    private struct State {
        var waiting: [CachedContent] = []
        var timer: Task<Void, Never>?
        /// Questions under way.
        var flights: [UInt64: Task<Void, Never>] = [:]
        var lastFlight: UInt64 = 0
        var isClosed = false

        mutating func takeWaiting() -> [CachedContent] {
            timer?.cancel()
            timer = nil
            defer { waiting = [] }
            return waiting
        }
    }

    private let state = Mutex(State())

    /// Has a content that waits (`ContentState.Confirmation`) asked about within so many seconds.
    func add(_ content: CachedContent, forSeconds delay: Double) {
        let isRefused = state.withLock { state in
            guard !state.isClosed else { return true }
            state.waiting.append(content)
            if state.timer == nil {
                state.timer = Task {
                    do { try await Task.sleep(for: .seconds(delay)) } catch { return }
                    self.askNow()
                }
            }
            return false
        }
        if isRefused { return content.versionHeard(nil) }
        if state.withLock({ $0.waiting.count >= Self.limit }) { askNow() }
    }

    /// Asks about all that wait now, without waiting for the answers.
    func askNow() {
        state.withLock { state in
            let waiting = state.takeWaiting()
            guard !waiting.isEmpty else { return }
            state.lastFlight += 1
            let flight = state.lastFlight
            state.flights[flight] = Task {
                await Self.ask(waiting)
                self.state.withLock { $0.flights[flight] = nil }
            }
        }
    }

    /// Waits until no question is under way.
    func settle() async {
        while let flight = state.withLock({ $0.flights.first?.value }) { await flight.value }
    }

    /// Ends the questions that are under way; what they are about is not kept.
    func giveUp() {
        for flight in state.withLock({ $0.flights.values }) { flight.cancel() }
    }

    private static func ask(_ contents: [CachedContent]) async {
        var rest = contents
        while let first = rest.first {
            // All of a cache come from one cloud, but nothing says so.
            let cloud = first.cloud
            let asked = rest.filter { $0 === first || $0.cloud as AnyObject === cloud as AnyObject }
            let ids = Set(asked.map { ObjectIdentifier($0) })
            rest = rest.filter { !ids.contains(ObjectIdentifier($0)) }
            await ask(asked, from: cloud)
        }
    }

    private static func ask(_ contents: [CachedContent], from cloud: any CloudStorage) async {
        let items = contents.map { $0.versionIsAskedFor() }
        let revisions = await cloud.revisions(of: items)
        for (content, revision) in zip(contents, revisions) { content.versionHeard(revision) }
    }

    /// Asks no more; what waits is not kept.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            return state.takeWaiting()
        }
        for content in waiting { content.versionHeard(nil) }
        giveUp()
    }
}

extension BlockCache {
    /// Has the server asked, for so many seconds at most, about the versions that wait to be asked about,
    /// so that what was just fetched is kept.
    package func confirmWaiting(forSeconds limit: Double) async {
        let questions = questions
        questions.askNow()
        let limit = Task {
            do { try await Task.sleep(for: .seconds(limit)) } catch { return }
            questions.giveUp()
        }
        await questions.settle()
        limit.cancel()
    }
}
