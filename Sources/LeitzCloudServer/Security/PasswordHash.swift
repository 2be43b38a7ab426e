import Crypto
import CryptoExtras
import Dispatch
import FoundationEssentials
import Synchronization

/// Salted scrypt hashes of passwords, computed on a queue of their own: one at a time, since each
/// takes tens of milliseconds and 16 MiB.
final class PasswordHasher: Sendable {
    private static let maximumWaiting = 64

    private let queue = DispatchQueue(label: "ordner.server.password")
    private let waiting = Mutex(0)
    private let cost: Int

    /// - Parameter cost: the binary logarithm of the rounds of new records.
    init(cost: Int) { self.cost = cost }

    /// The record to keep for a password.
    func record(for password: String) async throws -> String {
        try await onQueue { [cost] in try Self.makeRecord(password, cost) }
    }

    /// Whether a password belongs to a record. A missing record takes as long as a wrong password.
    func matches(_ password: String, record: String?) async throws -> Bool {
        try await onQueue { [cost] in try Self.check(password, against: record, cost) }
    }

    /// Runs on the queue; refuses with `temporarily_unavailable` when too many wait.
    private func onQueue<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value)
        async throws -> Value
    {
        let isFree = waiting.withLock { count in
            guard count < Self.maximumWaiting else { return false }
            count += 1
            return true
        }
        guard isFree else { throw APIError.temporarilyUnavailable }
        defer { waiting.withLock { $0 -= 1 } }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: work)) }
        }
    }

    private static func makeRecord(_ password: String, _ cost: Int) throws -> String {
        let salt = TokenHash.random(bytes: 16)
        return "scrypt$\(cost)$\(salt)$\(try derive(password, salt: salt, cost))"
    }

    private static func check(_ password: String, against record: String?, _ cost: Int) throws
        -> Bool
    {
        let parts = (record ?? "scrypt$\(cost)$none$none").split(separator: "$")
        guard parts.count == 4, let rounds = Int(parts[1]), (1...20).contains(rounds) else {
            throw APIError.unknown
        }
        let derived = try derive(password, salt: String(parts[2]), rounds)
        var difference: UInt8 = derived.utf8.count == parts[3].utf8.count ? 0 : 1
        for (one, other) in zip(derived.utf8, parts[3].utf8) { difference |= one ^ other }
        return difference == 0
    }

    private static func derive(_ password: String, salt: String, _ log2Rounds: Int) throws
        -> String
    {
        let key = try KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: Array(salt.utf8), outputByteCount: 32,
            rounds: 1 << log2Rounds, blockSize: 8, parallelism: 1)
        return key.withUnsafeBytes { TokenHash.hex($0) }
    }
}
