import Dispatch
import FileSystemTypes
import Synchronization

/// Runs disk work that may block on threads of its own, never on Swift's cooperative pool.
final class DiskQueue: Sendable {
    private let queue: DispatchQueue
    private let cleaning: DispatchQueue

    /// At most as many threads as Dispatch gives a concurrent queue.
    init(label: String) {
        queue = DispatchQueue(label: label, attributes: .concurrent)
        cleaning = DispatchQueue(label: label + ".cleaning")
    }

    /// Of the threads that serve requests some are left for other programs.
    private static let shortRunLimit = 4
    private let shortRuns = Atomic<Int>(0)

    /// As `run`, on this thread where it serves a request: for work that mostly takes about as long as a
    /// change of threads.
    func runShort<Value: Sendable>(
        _ work: @escaping @Sendable () throws(FileSystemError) -> Value
    ) async throws(FileSystemError) -> Value {
        guard RequestThread.isCurrent else { return try await run(work) }
        defer { shortRuns.subtract(1, ordering: .relaxed) }
        guard shortRuns.add(1, ordering: .relaxed).newValue <= Self.shortRunLimit else {
            return try await run(work)
        }
        return try work()
    }

    func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(FileSystemError) -> Value
    ) async throws(FileSystemError) -> Value {
        let result: Result<Value, FileSystemError> = await withCheckedContinuation { continuation in
            queue.async {
                do throws(FileSystemError) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// More is not left for later: each may keep a file open.
    private static let cleaningLimit = 256
    private let waitingToClean = Atomic<Int>(0)

    /// Does work that nobody waits for, such as the removal of files, one after the other; at once, on this
    /// thread, where much waits already.
    func later(_ work: @escaping @Sendable () -> Void) {
        guard waitingToClean.add(1, ordering: .relaxed).newValue <= Self.cleaningLimit else {
            waitingToClean.subtract(1, ordering: .relaxed)
            return work()
        }
        cleaning.async {
            work()
            self.waitingToClean.subtract(1, ordering: .relaxed)
        }
    }

    /// Waits for what `later` was given before.
    func cleaned() async {
        await withCheckedContinuation { continuation in
            cleaning.async { continuation.resume() }
        }
    }

    /// As `run`, for what can't fail.
    func look<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
