import Crypto
import FoundationEssentials
import GRDB
import LeitzCloudAPI
import Synchronization

/// Finds out whose password it is, for Basic authentication and for the sign-in page. Failed tries
/// count together with those of the other face.
struct AccountCheck: Sendable {
    static let wrong = DAVError.unauthorized("Username or password was incorrect")

    private struct Account: Sendable {
        var caller: DAVCaller
        var record: String
        var code: String?
        var lockedUntil: Int64
        var hasRoot: Bool
        /// Seconds since 1970 from which the password is no longer taken.
        var passwordExpires: Int64?
    }

    let services: CloudServices
    let context: CallContext

    /// The person behind an `Authorization` header: with the account's password, unless the account
    /// asks for a code, or with an app password.
    func caller(_ header: String?) async throws -> DAVCaller {
        guard let header else {
            throw DAVError.unauthorized(
                "No 'Authorization: Basic' header found. Either the client didn't send one, or the"
                    + " server is misconfigured")
        }
        guard let (user, password) = Self.basic(header) else { throw Self.wrong }
        let hash = TokenHash.hash(password)
        let (account, appPassword) = try await services.database.read { db in
            let account = try Self.account(db, user)
            let id = try account.flatMap {
                try AppPasswords.find(db, person: $0.caller.person, hash: hash)
            }
            return (account, id)
        }
        if var account, let appPassword {
            account.caller.appPassword = appPassword
            return try await withRoot(account)
        }
        let known = try await verified(account, password)
        if known.code != nil {
            throw DAVError.unauthorized("This account needs an app password")
        }
        return try await withRoot(known)
    }

    /// The person who fills in the sign-in page.
    ///
    /// - Parameter code: of the second step, for accounts that have one.
    func caller(user: String, password: String, code: String) async throws -> DAVCaller {
        let account = try await services.database.read { try Self.account($0, user) }
        let known = try await verified(account, password)
        if let wanted = known.code, wanted != code {
            try await recordFailure(known)
            throw Self.wrong
        }
        return try await withRoot(known)
    }

    private static func basic(_ header: String) -> (user: String, password: String)? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic",
            let data = Data(base64Encoded: String(parts[1])),
            let text = String(validating: data, as: UTF8.self),
            let colon = text.firstIndex(of: ":")
        else { return nil }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    private static func account(_ db: Database, _ user: String) throws -> Account? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT p.id, coalesce(p.username, p.email), p.display_name, p.password,
                        p.two_step_code, p.locked_until, r.id IS NOT NULL, p.password_expires,
                        EXISTS (SELECT 1 FROM policies y
                            WHERE y.organization_id = p.organization_id
                            AND y.name = 'webdav_enabled' AND y.value = 'false')
                    FROM active_persons p
                    LEFT JOIN roots r ON r.id = p.own_root_id AND r.is_deleted = 0
                    WHERE p.id = coalesce(
                        (SELECT id FROM persons WHERE username = ?1),
                        (SELECT id FROM persons WHERE email = ?1))
                    """), arguments: [user]
        ).map {
            var caller = DAVCaller(person: $0[0], user: $0[1], displayName: $0[2])
            caller.isBarred = $0[8]
            return Account(
                caller: caller, record: $0[3], code: $0[4], lockedUntil: $0[5], hasRoot: $0[6],
                passwordExpires: $0[7])
        }
    }

    private func verified(_ account: Account?, _ password: String) async throws -> Account {
        if let account, account.lockedUntil > context.now {
            throw DAVError.tooManyRequests(retryAfter: account.lockedUntil - context.now)
        }
        if account?.passwordExpires ?? .max <= context.now { throw Self.wrong }
        if let account, services.verifiedPasswords.contains(password, account.record) {
            return account
        }
        let isRight = try await services.passwords.matches(password, record: account?.record)
        guard let account else { throw Self.wrong }
        guard isRight else {
            try await recordFailure(account)
            throw Self.wrong
        }
        services.verifiedPasswords.insert(password, account.record)
        return account
    }

    private func recordFailure(_ account: Account) async throws {
        let now = context.now
        try await services.database.write {
            try SignIn.recordFailure($0, person: account.caller.person, now: now)
        }
    }

    /// Who comes for the first time gets a root of their own: the top of their files.
    private func withRoot(_ account: Account) async throws -> DAVCaller {
        if !account.hasRoot {
            try await services.database.write {
                _ = try Accounts.ensureOwnRoot($0, person: account.caller.person)
            }
        }
        return account.caller
    }
}

/// Passwords that were right a moment ago: Basic authentication brings them with every request,
/// and the slow hash of each would take longer than the request. Safe from any thread.
final class VerifiedPasswords: Sendable {
    private static let maximum = 1000

    /// Known to this process only, so that what is kept can't be tried against a list of passwords.
    private let key = SymmetricKey(size: .bits256)
    private let known = Mutex<Set<[UInt8]>>([])

    func contains(_ password: String, _ record: String) -> Bool {
        let mark = mark(password, record)
        return known.withLock { $0.contains(mark) }
    }

    /// Forgets all others where there are too many.
    func insert(_ password: String, _ record: String) {
        let mark = mark(password, record)
        known.withLock { known in
            if known.count >= Self.maximum { known = [] }
            known.insert(mark)
        }
    }

    /// With the stored record, so that a changed password is not known any more.
    private func mark(_ password: String, _ record: String) -> [UInt8] {
        Array(
            HMAC<SHA256>.authenticationCode(
                for: Array((record + "\n" + password).utf8), using: key))
    }
}
