import CloudStorage
import HTTPTransport
import Logging
import Synchronization

/// Finding out, once, whether the server heeds `If-None-Match`, which spares a look before each new
/// file (RFC 9110 section 13.1.2).
extension WebDAVClient {
    /// What is sent again to find out has no more bytes.
    private static let largestTrial: Int64 = 64 << 10
    private static let trialSeconds = 60

    /// Tries it with a file that an upload has just made. Returns the file as it is then.
    ///
    /// Its content is sent again under its lock only: it can't overwrite another client's.
    func tryConditions(
        with upload: Upload, _ item: CloudItem
    ) async throws(CloudStorageError) -> CloudItem {
        guard profile.supportsLocks, upload.target == .nothing,
            upload.content.size <= Self.largestTrial, beginTrial()
        else { return item }
        do throws(CloudStorageError) {
            try await lock(item.reference, seconds: Self.trialSeconds)
        } catch {
            options.logger.debug("No trial of conditions", metadata: ["error": "\(error.kind)"])
            return item
        }
        let result: Result<CloudItem, CloudStorageError>
        do throws(CloudStorageError) {
            result = .success(try await sendAgain(upload, item))
        } catch {
            result = .failure(error.asMaybeHappened)
        }
        do throws(CloudStorageError) {
            try await unlock(item.reference)
        } catch {
            // It ends by itself, and until then this client's calls carry its token.
            options.logger.debug("A lock was left", metadata: ["error": "\(error.kind)"])
        }
        return try result.get()
    }

    private func beginTrial() -> Bool {
        state.withLock { state in
            guard !state.honoursConditions, !state.hasTriedConditions else { return false }
            state.hasTriedConditions = true
            return true
        }
    }

    private func sendAgain(
        _ upload: Upload, _ item: CloudItem
    ) async throws(CloudStorageError) -> CloudItem {
        // What came before the lock is not to be overwritten.
        guard try await self.item(item.reference).revision == item.revision else { return item }
        let answer = try await put(upload, conditions: Self.conditions(of: .nothing))
        if answer.status == 412 {
            // The same answer is given to a lock's token that is not taken.
            let other = try await put(upload, conditions: [])
            if Self.isSuccess(other) { state.withLock { $0.honoursConditions = true } }
        }
        return try await self.item(item.reference)
    }
}

extension CloudStorageError {
    /// The same failure, of a call that may have been carried out.
    fileprivate var asMaybeHappened: CloudStorageError {
        CloudStorageError(kind, message, retryAfter: retryAfter, mayHaveHappened: true)
    }
}
