/// Decides when the access token is used, renewed or given up; no clock, no I/O.
///
/// A refresh token that the server refused is never sent again: after `refused` nothing but new
/// credentials lets a request through. Times are seconds since 1970.
package struct TokenState {
    private enum Phase {
        /// Not yet read from the store.
        case unknown
        case ready
        /// Reading, renewing or saving; exactly one at a time.
        case busy
        /// New tokens the store did not take yet. The old ones are worth nothing any more.
        case unsaved
        case refused(String)
    }

    /// What the caller must do to get a token.
    package enum Action: Equatable {
        case use(String)
        /// Carry this out and report with one of the `did…` functions; nobody else will.
        case start(Work)
        /// Wait for the work under way and ask again.
        case join
        /// The person must sign in again; the text says why.
        case refuse(String)
    }

    package enum Work: Equatable {
        case load
        case refresh(LeitzCloudCredentials)
        case save(LeitzCloudCredentials)
        /// See whether somebody has signed in again meanwhile.
        case reload(refused: String)
    }

    /// A renewal that failed for now is not repeated before so many seconds.
    package static let pause: Int64 = 10
    /// A token that was refused although it is younger than this is no matter of age.
    package static let young: Int64 = 30

    private var phase = Phase.unknown
    private var credentials: LeitzCloudCredentials?
    /// Nil while the tokens in use came from the store.
    private var lastRefresh: Int64?
    private var noRefreshBefore = Int64.min
    private var noReloadBefore = Int64.min

    /// Nothing is known yet; the first request reads the store.
    package init() {}

    /// The credentials in use; nil before the first were read.
    package var current: LeitzCloudCredentials? { credentials }

    /// A request needs a token.
    package mutating func request(now: Int64) -> Action {
        switch phase {
        case .unknown:
            phase = .busy
            return .start(.load)
        case .busy: return .join
        case .unsaved:
            guard let credentials else { return .refuse("not signed in") }
            phase = .busy
            return .start(.save(credentials))
        case .refused(let reason): return reloadOrRefuse(reason, now: now)
        case .ready:
            guard let credentials else { return .refuse("not signed in") }
            let isDue = now >= credentials.renewal && now >= noRefreshBefore
            guard isDue || now >= credentials.expiry else { return .use(credentials.accessToken) }
            phase = .busy
            return .start(.refresh(credentials))
        }
    }

    /// The server answered 401 to a request with `token`.
    package mutating func rejected(_ token: String, now: Int64) -> Action {
        guard case .ready = phase, let credentials, credentials.accessToken == token else {
            return request(now: now)
        }
        if let lastRefresh, now < lastRefresh + Self.young {
            return .refuse("the server refuses a token it has just given")
        }
        phase = .busy
        return .start(.refresh(credentials))
    }

    /// The work was `load` or `reload`, and this is what the store holds.
    package mutating func didLoad(_ loaded: LeitzCloudCredentials, refused: String?) {
        if let refused, loaded.refreshToken == credentials?.refreshToken {
            phase = .refused(refused)
        } else {
            credentials = loaded
            lastRefresh = nil
            noRefreshBefore = .min
            phase = .ready
        }
    }

    /// The store could not be read.
    package mutating func didFailToLoad(refused: String?) {
        phase = refused.map { .refused($0) } ?? .unknown
    }

    /// The server gave new tokens; they must be saved before they are used.
    package mutating func didRefresh(_ renewed: LeitzCloudCredentials, now: Int64) {
        credentials = renewed
        lastRefresh = now
        phase = .unsaved
    }

    /// The store has the new tokens.
    package mutating func didSave() { phase = .ready }

    /// The store refused; the next request tries again.
    package mutating func didFailToSave() { phase = .unsaved }

    /// No answer, or one that says nothing about the refresh token.
    package mutating func didFailToRefresh(now: Int64) {
        noRefreshBefore = now + Self.pause
        phase = .ready
    }

    /// The server does not take the refresh token (any more).
    package mutating func didRefuseRefresh(_ reason: String) { phase = .refused(reason) }

    /// The token, where it has not ended; for the time when a renewal failed.
    package func usable(now: Int64) -> String? {
        guard case .ready = phase, let credentials, now < credentials.expiry else { return nil }
        return credentials.accessToken
    }

    private mutating func reloadOrRefuse(_ reason: String, now: Int64) -> Action {
        guard now >= noReloadBefore else { return .refuse(reason) }
        noReloadBefore = now + 2
        phase = .busy
        return .start(.reload(refused: reason))
    }
}
