package import CloudStorage
import HTTPTransport
import LeitzCloudAPI
import Synchronization

// Source: API v2, "Sperren" and "Entsperren" of files, folders and roots.
extension LeitzCloudClient {
    /// - Parameter seconds: rounded up to whole minutes.
    package func lock(_ item: ItemReference, seconds: Int) async throws(CloudStorageError) {
        let minutes = max(1, (min(max(seconds, 1), 10_000_000) + 59) / 60)
        do throws(CloudStorageError) {
            try await change(item, "lock", [("duration", String(minutes))])
            state.withLock { $0.didLock(item) }
        } catch {
            if error.kind == .locked { state.withLock { $0.didUnlock(item) } }
            throw error
        }
    }

    package func unlock(_ item: ItemReference) async throws(CloudStorageError) {
        do throws(CloudStorageError) {
            try await change(item, "unlock", [])
        } catch {
            // Somebody else's lock: then there is none of ours.
            guard error.kind == .locked else { throw error }
        }
        state.withLock { $0.didUnlock(item) }
    }

    private func change(
        _ item: ItemReference, _ method: String, _ fields: [(String, String)]
    ) async throws(CloudStorageError) {
        let route = APIRoute.item(try itemAddress(item), method: method)
        var call = HTTPCall(method, .post, url: address.url(route), isIdempotent: true)
        call.body = .form(fields)
        _ = try await succeeding(call, subject: .item)
    }
}
