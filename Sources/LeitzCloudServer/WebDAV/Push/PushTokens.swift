import Synchronization

/// Tokens that stand for a person's password at the push server, once and for a minute. Safe from
/// any thread.
final class PushTokens: Sendable {
    private static let maximumSeconds: Int64 = 60
    private static let maximum = 1_000

    private let tokens = Mutex<[String: Int64]>([:])

    func make(now: Int64) -> String {
        let token = TokenHash.random()
        tokens.withLock { tokens in
            tokens = tokens.filter { $0.value > now }
            if tokens.count >= Self.maximum { tokens = [:] }
            tokens[TokenHash.hash(token)] = now + Self.maximumSeconds
        }
        return token
    }

    /// Whether a token was made lately; it is good once.
    func take(_ token: String, now: Int64) -> Bool {
        let hash = TokenHash.hash(token)
        return tokens.withLock { $0.removeValue(forKey: hash).map { $0 > now } ?? false }
    }
}
