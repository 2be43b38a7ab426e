import FileSystemTypes
import Synchronization

/// Makes one call of many equal ones that are asked for at the same time.
///
/// The call runs in a task of its own: a waiter that gives up does not take it from the others.
final class SingleFlight: Sendable {
    private typealias Flight = Task<Result<Void, FileSystemError>, Never>

    private typealias Body = @Sendable () async throws(FileSystemError) -> Void

    private struct State {
        var flights: [UInt64: Flight] = [:]
        var isOver = false
    }

    private let state = Mutex(State())
    private let startsAtOnce: Bool
    /// What nobody waits for yet, in the order in which it was asked for.
    private let later = Mutex<[(key: UInt64, body: Body)]>([])

    /// - Parameter startsAtOnce: where not, a call that nobody waits for is made when somebody
    ///   does, or by `settleAll`: then the order of calls is always the same.
    init(startsAtOnce: Bool = true) { self.startsAtOnce = startsAtOnce }

    /// What calls are under way for.
    var keys: Set<UInt64> { state.withLock { Set($0.flights.keys) } }

    func isUnderWay(_ key: UInt64) -> Bool { state.withLock { $0.flights[key] != nil } }

    /// How many calls are under way.
    var count: Int { state.withLock { $0.flights.count } }

    /// Waits for the call of `key` that is under way, or makes it.
    func run(
        _ key: UInt64, _ body: @escaping @Sendable () async throws(FileSystemError) -> Void
    ) async throws(FileSystemError) {
        try await start(key, body).value.get()
    }

    /// As `run`, without waiting.
    func startOnly(
        _ key: UInt64, _ body: @escaping @Sendable () async throws(FileSystemError) -> Void
    ) {
        guard startsAtOnce else {
            return later.withLock { later in
                if !later.contains(where: { $0.key == key }) { later.append((key, body)) }
            }
        }
        _ = start(key, body)
    }

    /// As `run`, waiting no longer than so many seconds. Returns whether the call ended in time.
    func run(
        _ key: UInt64, forSeconds seconds: Double,
        _ body: @escaping @Sendable () async throws(FileSystemError) -> Void
    ) async throws(FileSystemError) -> Bool {
        let flight = start(key, body)
        let ended: Result<Void, FileSystemError>? = await withTaskGroup { group in
            group.addTask { Optional(await Self.value(of: flight)) }
            group.addTask {
                do { try await Task.sleep(for: .seconds(seconds)) } catch {}
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        guard let ended else { return false }
        try ended.get()
        return true
    }

    /// Waits for the end of the call of `key` that is under way, if there is one.
    func settle(_ key: UInt64) async {
        if let body = takeLater(key) { _ = start(key, body) }
        _ = await state.withLock { $0.flights[key] }?.value
    }

    /// Waits until no call is under way.
    func settleAll() async {
        while true {
            while let flight = state.withLock({ $0.flights.first?.value }) {
                _ = await flight.value
            }
            guard let (key, body) = later.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
                return
            }
            _ = await start(key, body).value
        }
    }

    /// Cancels all calls and waits for their ends; whoever asks for one later hears `interrupted`.
    func end() async {
        let flights = state.withLock { state in
            state.isOver = true
            return state.flights.values
        }
        for flight in flights { flight.cancel() }
        for flight in flights { _ = await flight.value }
    }

    private func takeLater(_ key: UInt64) -> Body? {
        later.withLock { later in
            guard let index = later.firstIndex(where: { $0.key == key }) else { return nil }
            return later.remove(at: index).body
        }
    }

    /// The result of a flight; an abandoned wait ends early with `interrupted`.
    private static func value(of flight: Flight) async -> Result<Void, FileSystemError> {
        let latch = Latch<Result<Void, FileSystemError>>()
        Task { latch.set(await flight.value) }
        return await withTaskCancellationHandler {
            await latch.value()
        } onCancel: {
            latch.set(.failure(FileSystemError(.interrupted, "no longer waited for")))
        }
    }

    private func start(
        _ key: UInt64, _ body: @escaping @Sendable () async throws(FileSystemError) -> Void
    ) -> Flight {
        // Whoever waits for it makes it.
        _ = takeLater(key)
        return state.withLock { state in
            if let flight = state.flights[key] { return flight }
            guard !state.isOver else {
                return Flight { .failure(FileSystemError(.interrupted, "the mount ends")) }
            }
            let flight = Flight {
                let result: Result<Void, FileSystemError>
                do throws(FileSystemError) {
                    try await body()
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
                self.state.withLock { $0.flights[key] = nil }
                return result
            }
            state.flights[key] = flight
            return flight
        }
    }
}

/// A value that is set once and may be waited for by one task.
final class Latch<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, Never>)
        case set(Value)
    }

    private let state = Mutex(State.empty)

    /// Only the first value counts.
    func set(_ value: Value) {
        let waiter: CheckedContinuation<Value, Never>? = state.withLock { state in
            switch state {
            case .empty:
                state = .set(value)
                return nil
            case .waiting(let continuation):
                state = .set(value)
                return continuation
            case .set: return nil
            }
        }
        waiter?.resume(returning: value)
    }

    func value() async -> Value {
        await withCheckedContinuation { continuation in
            let value: Value? = state.withLock { state in
                if case .set(let value) = state { return value }
                state = .waiting(continuation)
                return nil
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}
