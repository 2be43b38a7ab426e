/// The answer to a granted `/oauth/token` request.
package struct WireToken: Codable, Hashable, Sendable {
    package var accessToken: String
    /// Seconds.
    package var expiresIn: LenientInteger?
    /// The id of this client installation; send it again with the next password grant.
    package var guid: String?
    package var tokenType: String?
    /// Each refresh answers with a new one; the old one is no longer taken.
    package var refreshToken: String?
    package var scope: String?

    package init(
        accessToken: String, expiresIn: Int64, guid: String, refreshToken: String
    ) {
        self.accessToken = accessToken
        self.expiresIn = LenientInteger(expiresIn)
        self.guid = guid
        self.tokenType = "Bearer"
        self.refreshToken = refreshToken
        self.scope = "full"
    }

    enum CodingKeys: String, CodingKey {
        case guid, scope
        case accessToken = "access_token"
        case expiresIn = "expires_in"
        case tokenType = "token_type"
        case refreshToken = "refresh_token"
    }
}

/// The body of every failed call.
package struct WireError: Codable, Hashable, Sendable {
    package var error: String
    package var errorDescription: String?
    /// `email`, `sms` or `authenticator`, with `missing_totp`.
    package var twoStepMode: String?

    package init(_ error: ErrorWord, description: String? = nil, twoStepMode: String? = nil) {
        self.error = error.rawValue
        self.errorDescription = description
        self.twoStepMode = twoStepMode
    }

    /// The word as a known case; nil for one the document does not have.
    package var word: ErrorWord? { ErrorWord(rawValue: error) }

    enum CodingKeys: String, CodingKey {
        case error
        case errorDescription = "error_description"
        case twoStepMode = "two_step_mode"
    }
}

/// Every `error` word of the document, of OAuth2 (RFC 6749 section 5.2) and of two-step sign-in.
package enum ErrorWord: String, Sendable, Hashable, CaseIterable {
    case insecureTransport = "insecure_transport"
    case invalidRequest = "invalid_request"
    case invalidDateFormat = "invalid_date_format"
    case invalidDatetimeFormat = "invalid_datetime_format"
    case accessDenied = "access_denied"
    case forbidden
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case nameConflict = "name_conflict"
    case resourceLocked = "resource_locked"
    case policyError = "policy_error"
    case userLimitExceeded = "user_limit_exceeded"
    case rootDeleted = "root_deleted"
    case unknown
    case temporarilyUnavailable = "temporarily_unavailable"
    case invalidName = "invalid_name"
    case nameTooLong = "name_too_long"
    case invalidExtension = "invalid_extension"
    case noFileReceived = "no_file_received"
    case missingTotp = "missing_totp"
    case invalidGrant = "invalid_grant"
    case invalidClient = "invalid_client"
    case unsupportedGrantType = "unsupported_grant_type"
}

/// `{"status": "ok"}` and `{"status": "not_modified"}`.
package struct WireStatus: Codable, Hashable, Sendable {
    package var status: String

    package init(_ status: String) { self.status = status }

    package static let ok = WireStatus("ok")
    package static let notModified = WireStatus("not_modified")
}

/// The answer of `GET /api/2/version`.
package struct WireVersion: Codable, Hashable, Sendable {
    package var version: String

    package init(_ version: String) { self.version = version }
}
