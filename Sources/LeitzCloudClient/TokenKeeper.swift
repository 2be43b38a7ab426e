import CloudStorage
import Dispatch
import Synchronization

/// Hands out the access token and renews it, one renewal at a time for all who wait.
///
/// Carries out what `TokenState` decides. Safe from any task.
final class TokenKeeper: Sendable {
    private struct State {
        var tokens = TokenState()
        /// The work under way; its value is the error it ended with.
        var work: Task<CloudStorageError?, Never>?
    }

    private let store: any CredentialStore
    private let exchange: TokenExchange
    /// Seconds since 1970.
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())
    /// The store blocks on its disk, so it has a thread of its own.
    private let storeQueue = DispatchQueue(label: "ordner.credentials")

    init(
        store: any CredentialStore, exchange: TokenExchange, now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.exchange = exchange
        self.now = now
    }

    /// The credentials in use; nil before the first call.
    var current: LeitzCloudCredentials? { state.withLock { $0.tokens.current } }

    /// A token to send.
    /// - Throws: `signInRequired`; or why no token could be had for now.
    func token() async throws(CloudStorageError) -> String {
        try await resolve { tokens, now in tokens.request(now: now) }
    }

    /// Another token, after the server answered 401 to `rejected`.
    func replacement(for rejected: String) async throws(CloudStorageError) -> String {
        try await resolve { tokens, now in tokens.rejected(rejected, now: now) }
    }

    private func resolve(
        _ first: (inout TokenState, Int64) -> TokenState.Action
    ) async throws(CloudStorageError) -> String {
        var outcome = begin(first)
        // Loading, renewing and saving at most once each, and as much again for joined work.
        for _ in 0..<8 {
            switch outcome {
            case .token(let token): return token
            case .refused(let reason):
                throw CloudStorageError(.signInRequired, "sign-in required: \(reason)")
            case .wait(let work):
                if let error = await work.value {
                    if let token = state.withLock({ $0.tokens.usable(now: now()) }) {
                        return token
                    }
                    throw error
                }
                outcome = begin { tokens, now in tokens.request(now: now) }
            }
        }
        throw CloudStorageError(.temporarilyUnavailable, "the access token keeps changing")
    }

    private enum Step {
        case token(String)
        case wait(Task<CloudStorageError?, Never>)
        case refused(String)
    }

    private func begin(_ ask: (inout TokenState, Int64) -> TokenState.Action) -> Step {
        let now = now()
        return state.withLock { state in
            switch ask(&state.tokens, now) {
            case .use(let token): return .token(token)
            case .refuse(let reason): return .refused(reason)
            case .join:
                guard let work = state.work else { return .refused("no renewal is under way") }
                return .wait(work)
            case .start(let work):
                // Its own task: the caller that happened to start it may be cancelled, while
                // others wait for it. It ends by the transport's deadlines.
                let task = Task { await self.carryOut(work) }
                state.work = task
                return .wait(task)
            }
        }
    }

    private func carryOut(_ work: TokenState.Work) async -> CloudStorageError? {
        switch work {
        case .load: await load(refused: nil)
        case .reload(let reason): await load(refused: reason)
        case .save(let credentials): await save(credentials)
        case .refresh(let credentials): await refresh(credentials)
        }
    }

    private func load(refused: String?) async -> CloudStorageError? {
        switch await stored() {
        case .success(let loaded):
            state.withLock { $0.tokens.didLoad(loaded, refused: refused) }
            return nil
        case .failure(let error):
            state.withLock { $0.tokens.didFailToLoad(refused: refused) }
            return refused == nil ? error : nil
        }
    }

    private func refresh(_ credentials: LeitzCloudCredentials) async -> CloudStorageError? {
        do throws(CloudStorageError) {
            let renewed = try await exchange.refresh(credentials, now: now())
            state.withLock { $0.tokens.didRefresh(renewed, now: now()) }
            return await save(renewed)
        } catch {
            guard error.kind == .signInRequired else {
                state.withLock { $0.tokens.didFailToRefresh(now: now()) }
                return error
            }
            // Another program of this account may have used the refresh token and saved the next.
            return await load(refused: error.message)
        }
    }

    private func save(_ credentials: LeitzCloudCredentials) async -> CloudStorageError? {
        let store = store
        let failure = await blocking { () -> CloudStorageError? in
            do throws(CloudStorageError) {
                try store.save(credentials)
                return nil
            } catch {
                return error
            }
        }
        state.withLock { state in
            if failure == nil { state.tokens.didSave() } else { state.tokens.didFailToSave() }
        }
        return failure
    }

    private func stored() async -> Result<LeitzCloudCredentials, CloudStorageError> {
        let store = store
        return await blocking {
            do throws(CloudStorageError) {
                return .success(try store.load())
            } catch {
                return .failure(error)
            }
        }
    }

    private func blocking<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            storeQueue.async { continuation.resume(returning: work()) }
        }
    }
}
