import CloudStorage
import FileSystemTypes
import Reconciler

/// Why a job on the server failed, and what is to become of it (DESIGN section 4, rule 7).
struct JobFailure: Error {
    /// As a program is told.
    let error: FileSystemError
    let result: ReconciliationResult

    init(_ error: CloudStorageError) {
        self.error = FileSystemError(error)
        result =
            switch (error.failureClass, error.kind) {
            case (.retry, _), (.signIn, _): .retry(after: error.retryAfter)
            case (.wait, _): .waiting
            // Room can be made, on either side.
            case (_, .quotaExceeded), (_, .localFile): .retry(after: 15)
            case (_, .cancelled): .retry(after: nil)
            default: .refused
            }
    }

    init(_ error: FileSystemError) {
        self.error = error
        result =
            switch error.code {
            case .locked: .waiting
            case .networkUnreachable, .timedOut, .interrupted, .inputOutput, .noSpace,
                .tooManyOpen:
                .retry(after: nil)
            default: .refused
            }
    }

    init(_ error: FileSystemError, _ result: ReconciliationResult) {
        self.error = error
        self.result = result
    }
}

extension JobFailure {
    /// Rights and policies change: what can't be undone here is tried again, seldom.
    fileprivate static var refusedRetry: Double { 300 }

    func retried(for job: ReconciliationJob) -> JobFailure {
        guard result == .refused else { return self }
        switch job {
        case .store, .makeFolder: return JobFailure(error, .retry(after: Self.refusedRetry))
        case .relocate, .replace, .delete, .adopt, .setTime, .stepAside: return self
        }
    }
}

/// Runs a call of the cloud as a part of a job.
func asJob<Value: Sendable>(
    _ call: () async throws(CloudStorageError) -> Value
) async throws(JobFailure) -> Value {
    do throws(CloudStorageError) {
        return try await call()
    } catch {
        throw JobFailure(error)
    }
}

/// Runs local work as a part of a job.
func asLocalJob<Value: Sendable>(
    _ work: () async throws(FileSystemError) -> Value
) async throws(JobFailure) -> Value {
    do throws(FileSystemError) {
        return try await work()
    } catch {
        throw JobFailure(error)
    }
}
