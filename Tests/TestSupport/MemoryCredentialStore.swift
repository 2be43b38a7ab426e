package import CloudStorage
package import LeitzCloudClient
import Synchronization

/// Credentials in memory, with a count of how often they were saved.
package final class MemoryCredentialStore: CredentialStore {
    private struct State {
        var credentials: LeitzCloudCredentials?
        var saves = 0
        var failures = 0
    }

    private let state: Mutex<State>

    package init(_ credentials: LeitzCloudCredentials? = nil) {
        state = Mutex(State(credentials: credentials))
    }

    package var credentials: LeitzCloudCredentials? {
        get { state.withLock { $0.credentials } }
        set { state.withLock { $0.credentials = newValue } }
    }

    package var saveCount: Int { state.withLock { $0.saves } }

    /// The next so many saves fail with `localFile`.
    package func failSaves(_ count: Int) { state.withLock { $0.failures = count } }

    package func load() throws(CloudStorageError) -> LeitzCloudCredentials {
        guard let credentials else { throw CloudStorageError(.signInRequired, "none stored") }
        return credentials
    }

    package func save(_ credentials: LeitzCloudCredentials) throws(CloudStorageError) {
        let saved = state.withLock { state in
            if state.failures > 0 {
                state.failures -= 1
                return false
            }
            state.credentials = credentials
            state.saves += 1
            return true
        }
        if !saved { throw CloudStorageError(.localFile, "the disk is full") }
    }
}
