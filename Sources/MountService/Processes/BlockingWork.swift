import Dispatch

/// Runs calls that block (sockets, terminals, child processes) away from Swift's thread pool.
package enum BlockingWork {
    private static let queue = DispatchQueue(label: "ordner.blocking", attributes: .concurrent)

    /// The work's result, computed on a thread that may block.
    package static func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(ServiceFailure) -> Value
    ) async throws(ServiceFailure) -> Value {
        let result: Result<Value, ServiceFailure> = await withCheckedContinuation { waiting in
            queue.async { waiting.resume(returning: Result(catching: work)) }
        }
        return try result.get()
    }
}
