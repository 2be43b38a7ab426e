import ChangeFeed
import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport
import Testing

/// A cloud that tells of changes as long as the test lets it.
private final class TellingCloud: PartialCloud {
    private struct State {
        var listener: (any ChangeListener)?
        var end: CheckedContinuation<Void, Never>?
        var connections = 0
        var polls = 0
    }

    private let state = Mutex(State())
    private let refusal: CloudStorageError.Kind?

    /// - Parameter refusal: nil connects.
    init(refusal: CloudStorageError.Kind? = nil) { self.refusal = refusal }

    var connections: Int { state.withLock { $0.connections } }
    var polls: Int { state.withLock { $0.polls } }
    var listener: (any ChangeListener)? { state.withLock { $0.listener } }

    var capabilities: Capabilities {
        var capabilities = Capabilities(
            supportsRanges: nil, uploadOntoName: nil, relocatesInOneCall: true,
            setsModificationTime: false, movesBetweenRoots: false, isCaseSensitive: true,
            lockSeconds: nil)
        capabilities.tellsChanges = true
        return capabilities
    }

    func changes(
        in root: RootIdentifier, since cursor: String?
    ) async throws(CloudStorageError) -> ChangePage {
        state.withLock { $0.polls += 1 }
        return ChangePage(items: [], cursor: "c")
    }

    func hearChanges(_ listener: any ChangeListener) async throws(CloudStorageError) {
        state.withLock { state in
            state.connections += 1
            state.listener = listener
        }
        if let refusal { throw CloudStorageError(refusal, "refused") }
        listener.connected()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.end = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            disconnect()
        }
        throw CloudStorageError(.unreachable, "disconnected")
    }

    func disconnect() {
        let end = state.withLock { state in
            defer { state.end = nil }
            return state.end
        }
        end?.resume()
    }
}

@Suite(.timeLimit(.minutes(3))) struct NoticeTests {
    private let clock = ManualClock()
    private let gap = Duration.milliseconds(500)

    private func feed(_ cloud: TellingCloud) -> ChangeFeed {
        ChangeFeed(
            cloud: cloud, interval: .seconds(60), clock: clock,
            receiver: RecordingReceiver(roots: [rootR]))
    }

    private func until(_ condition: () -> Bool) async {
        try? await eventually { condition() }
        #expect(condition())
    }

    /// Lets the feed get to the long pause between its rounds.
    private func rest(_ cloud: TellingCloud) async {
        await until { cloud.polls == 1 && cloud.connections == 1 && clock.nextWait == gap }
        clock.advance(by: gap)
        // Being connected is news itself: what came before was not told.
        await until { cloud.polls == 3 && clock.nextWait == gap }
        clock.advance(by: gap)
        await until { clock.nextWait == .seconds(240) - gap }
    }

    @Test func whatIsToldIsLookedForAtOnce() async {
        let cloud = TellingCloud()
        let feed = feed(cloud)
        let run = Task { await feed.run() }
        await rest(cloud)
        for _ in 0..<20 { cloud.listener?.changed() }
        await until { cloud.polls >= 5 && clock.nextWait == gap }
        // However much is told, rounds keep a distance.
        clock.advance(by: gap)
        await until { cloud.polls == 7 || clock.nextWait == .seconds(240) - gap }
        #expect(cloud.polls <= 7)
        run.cancel()
        await run.value
    }

    @Test func withoutNewsTheServerIsAskedLessOften() async {
        let cloud = TellingCloud()
        let feed = feed(cloud)
        let run = Task { await feed.run() }
        await rest(cloud)
        clock.advance(by: .seconds(240) - gap)
        await until { cloud.polls == 4 && clock.nextWait == gap }
        run.cancel()
        await run.value
    }

    @Test func aBrokenConnectionIsMadeAgain() async {
        let cloud = TellingCloud()
        let feed = feed(cloud)
        let run = Task { await feed.run() }
        await rest(cloud)
        cloud.disconnect()
        // At once, and then as often as ever.
        await until { cloud.polls == 5 && clock.sleeperCount == 2 }
        clock.advance(by: gap)
        await until { clock.sleeperCount == 2 && clock.nextWait == .seconds(60) - gap }
        clock.advance(by: .seconds(60) - gap)
        await until { cloud.connections == 2 }
        run.cancel()
        await run.value
    }

    @Test(arguments: [CloudStorageError.Kind.unreachable, .unsupported])
    func whoCannotConnectAsksAsEver(_ refusal: CloudStorageError.Kind) async {
        let cloud = TellingCloud(refusal: refusal)
        let feed = feed(cloud)
        let run = Task { await feed.run() }
        for round in 1...5 {
            await until { cloud.polls == round && clock.nextWait == gap }
            clock.advance(by: gap)
            let sleepers = refusal == .unsupported ? 1 : 2
            await until { clock.sleeperCount == sleepers && clock.nextWait == .seconds(60) - gap }
            clock.advance(by: .seconds(60) - gap)
        }
        // After 120 and 240 seconds more.
        await until { cloud.connections == (refusal == .unsupported ? 1 : 2) }
        run.cancel()
        await run.value
    }
}
