package import CloudStorage

/// Why a server refused or failed a call of its provisioning API.
package struct ProvisioningError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The closed set of reasons, the same for every server and both versions of OCS.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The server does not take user name and password.
        case signInRequired
        /// Signed in, but without the right.
        case forbidden
        case noSuchUser
        case noSuchGroup
        case noSuchApp
        case userExists
        case groupExists
        /// A name, address, quota, filter or key that the server does not take.
        case invalidInput
        /// The password rules of the server refuse it.
        case passwordRefused
        /// Neither a password nor an address to send an invitation to.
        case passwordOrEmailNeeded
        /// Who administers groups only must name one.
        case groupNeeded
        /// The invitation could not be sent.
        case invitationFailed
        /// The user does not administer the group.
        case notSubadministrator
        /// The server could not or would not do it, and says no more than its message.
        case refused
        /// This server has no such call.
        case unsupported
        /// Kept failing after the retries; maintenance, too many requests.
        case temporarilyUnavailable
        /// An error of the server's own.
        case serverFailure
        case unreachable
        case timedOut
        case cancelled
        /// The answer breaks the protocol.
        case invalidAnswer
    }

    package let kind: Kind
    /// The code of the answer's envelope; nil where it had none.
    package let code: Int?
    /// The server's own words; empty where it said nothing, and ours where it did not answer.
    package let message: String
    /// Seconds to wait before the next try, where the server said so.
    package let retryAfter: Double?
    /// Whether the server may have done the work although no good answer came.
    package let mayHaveHappened: Bool

    package init(
        _ kind: Kind, code: Int? = nil, _ message: String, retryAfter: Double? = nil,
        mayHaveHappened: Bool = false
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.mayHaveHappened = mayHaveHappened
    }

    /// What the transport could not do.
    package init(_ error: CloudStorageError) {
        let kind: Kind =
            switch error.kind {
            case .signInRequired: .signInRequired
            case .forbidden, .policy: .forbidden
            case .temporarilyUnavailable: .temporarilyUnavailable
            case .unreachable: .unreachable
            case .timedOut: .timedOut
            case .cancelled: .cancelled
            case .invalidRequest: .invalidInput
            case .unsupported: .unsupported
            case .invalidAnswer, .tooLarge: .invalidAnswer
            case .notFound, .nameConflict, .locked, .invalidName, .nameTooLong, .invalidExtension,
                .quotaExceeded, .rootDeleted, .revisionChanged, .localFile:
                .refused
            }
        self.init(
            kind, error.message, retryAfter: error.retryAfter,
            mayHaveHappened: error.mayHaveHappened)
    }

    package var description: String {
        let words = message.isEmpty ? "no reason given" : message
        return "\(kind.rawValue): \(words)" + (code.map { " (OCS \($0))" } ?? "")
    }
}
