import GRDB
import HummingbirdCore
import LeitzCloudAPI

/// `/oauth/token` and `/oauth/revoke`.
struct SignInCalls: Sendable {
    static let clientID = "anchor"

    let services: CloudServices
    let context: CallContext

    func token(_ fields: FormFields) async throws -> Response {
        try Self.checkClient(fields)
        let context = context
        switch try fields.required("grant_type") {
        case "password": return try Response(json: try await password(fields))
        case "refresh_token":
            let token = try fields.required("refresh_token")
            return try Response(
                json: try await services.database.write {
                    try SignIn.refresh($0, token: token, context)
                })
        default: throw APIError(400, .unsupportedGrantType)
        }
    }

    func revoke(_ fields: FormFields) async throws -> Response {
        try Self.checkClient(fields)
        let token = try fields.required("token")
        try await services.database.write { try SignIn.revoke($0, token: token) }
        return try Response.ok()
    }

    private static func checkClient(_ fields: FormFields) throws(APIError) {
        if try fields.required("client_id") != clientID { throw APIError(401, .invalidClient) }
    }

    private func password(_ fields: FormFields) async throws -> WireToken {
        let context = context
        let email = try fields.required("username")
        let password = try fields.required("password")
        let account = try await services.database.read { try SignIn.account($0, email: email) }
        if let account, account.lockedUntil > context.now { throw SignIn.accountLocked }
        let isRight = try await services.passwords.matches(password, record: account?.password)
        guard let account else { throw SignIn.invalidCredentials }
        if !isRight { throw try await failure(account, SignIn.invalidCredentials) }
        if account.passwordExpires ?? .max <= context.now {
            throw APIError.invalidGrant("The password has expired.")
        }
        try await checkCode(fields, account)
        let machine = SignIn.Machine(
            guid: fields["guid"], dnsName: fields["dns_name"], osType: fields["os_type"],
            osVersion: fields["os_version"])
        return try await services.database.write { db in
            // The account may have been locked while the password was checked.
            guard let current = try SignIn.account(db, email: email),
                current.lockedUntil <= context.now
            else { throw SignIn.accountLocked }
            return try SignIn.open(db, person: current.person, machine: machine, context)
        }
    }

    /// The second step, for accounts that have one.
    private func checkCode(_ fields: FormFields, _ account: SignIn.Account) async throws {
        guard let mode = account.twoStepMode, let code = account.twoStepCode else { return }
        guard let sent = fields["auth_code"], !sent.isEmpty else {
            var error = APIError(401, .missingTotp)
            error.body.twoStepMode = mode
            throw error
        }
        if sent != code {
            throw try await failure(
                account, APIError.invalidGrant("Invalid authentication code."))
        }
    }

    /// Counts a failed try and gives the error to answer with.
    private func failure(_ account: SignIn.Account, _ error: APIError) async throws -> APIError {
        let now = context.now
        try await services.database.write {
            try SignIn.recordFailure($0, person: account.person, now: now)
            try SignIn.note($0, .signInFailed, person: account.person, guid: nil, now: now)
        }
        return error
    }
}
