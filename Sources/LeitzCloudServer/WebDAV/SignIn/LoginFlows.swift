import Synchronization

/// Sign-ins by the browser that are under way (FACTS 2.2, login flow v2). They live in memory: what
/// is not finished within twenty minutes, or before the server ends, begins anew. Safe from any
/// thread.
final class LoginFlows: Sendable {
    static let maximumSeconds: Int64 = 20 * 60
    private static let maximum = 500

    private struct Flow {
        /// The program that asks, for its app password.
        var name: String
        var loginHash: String
        var began: Int64
        var person: DAVCaller?
    }

    /// What the poll gives.
    struct Grant: Sendable {
        var caller: DAVCaller
        var name: String
    }

    /// By the hash of the poll token.
    private let flows = Mutex<[String: Flow]>([:])

    /// Begins a sign-in; the oldest one ends where there are too many.
    func begin(name: String, now: Int64) -> (pollToken: String, loginToken: String) {
        let (poll, login) = (TokenHash.random(), TokenHash.random())
        let flow = Flow(name: name, loginHash: TokenHash.hash(login), began: now)
        flows.withLock { flows in
            flows = flows.filter { $0.value.began + Self.maximumSeconds > now }
            if flows.count >= Self.maximum,
                let oldest = flows.min(by: { $0.value.began < $1.value.began })
            {
                flows[oldest.key] = nil
            }
            flows[TokenHash.hash(poll)] = flow
        }
        return (poll, login)
    }

    /// The name of the program that waits for a login token; nil for none.
    func name(loginToken: String, now: Int64) -> String? {
        let hash = TokenHash.hash(loginToken)
        return flows.withLock { flows in
            flows.values.first {
                $0.loginHash == hash && $0.person == nil && $0.began + Self.maximumSeconds > now
            }?.name
        }
    }

    /// Notes who has signed in; false where nobody waits for it.
    func grant(loginToken: String, _ caller: DAVCaller, now: Int64) -> Bool {
        let hash = TokenHash.hash(loginToken)
        return flows.withLock { flows in
            let key = flows.first {
                $0.value.loginHash == hash && $0.value.person == nil
                    && $0.value.began + Self.maximumSeconds > now
            }?.key
            guard let key else { return false }
            flows[key]?.person = caller
            return true
        }
    }

    /// What has been granted, once.
    func take(pollToken: String, now: Int64) -> Grant? {
        let hash = TokenHash.hash(pollToken)
        return flows.withLock { flows in
            guard let flow = flows[hash], flow.began + Self.maximumSeconds > now,
                let caller = flow.person
            else { return nil }
            flows[hash] = nil
            return Grant(caller: caller, name: flow.name)
        }
    }
}
