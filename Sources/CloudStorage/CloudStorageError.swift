/// Why a cloud refused or failed a call.
package struct CloudStorageError: Error, Sendable, CustomStringConvertible {
    /// The closed set of reasons, the same for every cloud.
    package enum Kind: Sendable, Hashable, CaseIterable {
        case notFound
        /// Signed in, but without the right.
        case forbidden
        /// Sign-in failed for good: the stored credentials are no longer taken.
        case signInRequired
        case nameConflict
        /// Somebody else holds a lock.
        case locked
        case invalidName
        case nameTooLong
        case invalidExtension
        /// The organisation's policy refused it.
        case policy
        case tooLarge
        case quotaExceeded
        case rootDeleted
        /// The revision the call was based on is no longer the server's.
        case revisionChanged
        /// 429, 5xx, `temporarily_unavailable`: kept failing after the retries.
        case temporarilyUnavailable
        /// No connection, or it broke.
        case unreachable
        /// No answer within the deadline.
        case timedOut
        /// The caller gave up.
        case cancelled
        /// The answer breaks the protocol: a bug or an attack.
        case invalidAnswer
        /// The server refused the request as malformed.
        case invalidRequest
        /// This cloud has no such call.
        case unsupported
        /// Reading or writing the local file failed.
        case localFile
    }

    /// What to do about it (DESIGN section 4, rule 7).
    package enum Class: Sendable, Hashable {
        case retry
        case signIn
        /// Locked by somebody else: try again later.
        case wait
        case giveUp
    }

    package let kind: Kind
    /// One sentence for logs and `ordner status`; never a secret.
    package let message: String
    /// Seconds to wait before the next try, where the server said so.
    package let retryAfter: Double?
    /// Whether the server may have done the work although no good answer came.
    package let mayHaveHappened: Bool

    package init(
        _ kind: Kind, _ message: String, retryAfter: Double? = nil, mayHaveHappened: Bool = false
    ) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
        self.mayHaveHappened = mayHaveHappened
    }

    package var failureClass: Class {
        switch kind {
        case .temporarilyUnavailable, .unreachable, .timedOut, .invalidAnswer: .retry
        case .signInRequired: .signIn
        case .locked: .wait
        case .notFound, .forbidden, .nameConflict, .invalidName, .nameTooLong, .invalidExtension,
            .policy, .tooLarge, .quotaExceeded, .rootDeleted, .revisionChanged, .cancelled,
            .invalidRequest, .unsupported, .localFile:
            .giveUp
        }
    }

    package var description: String { "\(kind): \(message)" }
}
