import AsyncHTTPClient
import CloudStorage
import NIOCore
import NIOHTTP1
import NIOPosix

/// Why one attempt got no answer.
struct TransportFailure: Error {
    var error: CloudStorageError
    var progress: RequestProgress
    /// Whether bytes already reached a download sink, which can't take them twice.
    var hasDelivered = false

    /// How the retry policy sees it; nil where no repetition can help.
    var retryOutcome: RetryPolicy.Outcome? {
        guard !hasDelivered else { return nil }
        return switch error.kind {
        case .unreachable: .connectionFailed(progress)
        case .timedOut: .timedOut(progress)
        default: nil
        }
    }

    /// Whether it says something about the connection (and not about our own disk or wish).
    var isConnectivity: Bool { error.kind == .unreachable || error.kind == .timedOut }

    /// The error for the caller once no further attempt is made.
    func final(isIdempotent: Bool) -> CloudStorageError {
        guard !isIdempotent, progress == .complete else { return error }
        return CloudStorageError(
            error.kind, error.message, retryAfter: error.retryAfter, mayHaveHappened: true)
    }

    /// Classes whatever the HTTP client threw.
    static func classify(_ error: any Error) -> CloudStorageError {
        switch error {
        case let error as CloudStorageError: return error
        case is CancellationError: return CloudStorageError(.cancelled, "cancelled")
        case let error as HTTPClientError: return classify(error)
        case let error as HTTPParserError:
            // The parser's word for a body that ended before its announced length.
            return error == .invalidEOFState
                ? CloudStorageError(
                    .unreachable, "the connection closed in the middle of an answer")
                : CloudStorageError(.invalidAnswer, "the answer is not HTTP: \(error)")
        default:
            return CloudStorageError(.unreachable, summary(of: error))
        }
    }

    private static func classify(_ error: HTTPClientError) -> CloudStorageError {
        switch error {
        case .cancelled: CloudStorageError(.cancelled, "cancelled")
        case .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout:
            CloudStorageError(.timedOut, "no answer in time")
        case .connectTimeout, .tlsHandshakeTimeout:
            CloudStorageError(.unreachable, "no connection in time")
        case .remoteConnectionClosed, .uncleanShutdown:
            CloudStorageError(.unreachable, "the server closed the connection")
        case .alreadyShutdown: CloudStorageError(.cancelled, "the transport was shut down")
        case .invalidURL, .emptyHost, .emptyScheme:
            CloudStorageError(.invalidRequest, error.shortDescription)
        default: CloudStorageError(.unreachable, error.shortDescription)
        }
    }

    private static func summary(of error: any Error) -> String {
        if let error = error as? NIOConnectionError {
            let cause = error.connectionErrors.first.map { String(describing: $0.error) }
            return "no connection to \(error.host):\(error.port): "
                + (cause ?? error.dnsAError.map { String(describing: $0) } ?? "unknown host")
        }
        return String(String(describing: error).prefix(300))
    }
}
