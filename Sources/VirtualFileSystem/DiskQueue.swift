import Dispatch
import FileSystemTypes

/// Runs disk work that may block on threads of its own, never on Swift's cooperative pool.
final class DiskQueue: Sendable {
    private let queue: DispatchQueue

    /// At most as many threads as Dispatch gives a concurrent queue.
    init(label: String) {
        queue = DispatchQueue(label: label, attributes: .concurrent)
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

    /// As `run`, for what can't fail.
    func look<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
