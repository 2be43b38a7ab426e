package import FileSystemTypes

/// The answer to an operation: there already, or to be waited for.
///
/// Operations never block the calling thread on the network. Whoever gets `pending` runs the work
/// in a task; it ends with exactly one result.
package enum Outcome<Value: Sendable>: Sendable {
    case ready(Result<Value, FileSystemError>)
    case pending(@Sendable () async -> Result<Value, FileSystemError>)

    package static func success(_ value: Value) -> Outcome { .ready(.success(value)) }

    package static func failure(_ code: FileSystemError.Code, _ message: String) -> Outcome {
        .ready(.failure(FileSystemError(code, message)))
    }

    /// The value, waiting where needed. For callers that are tasks anyway, such as tests.
    package func value() async throws(FileSystemError) -> Value {
        switch self {
        case .ready(let result): try result.get()
        case .pending(let work): try await work().get()
        }
    }
}
