package import CloudStorage
import FoundationEssentials
package import HTTPTransport
import LeitzCloudAPI

/// Turns a refusal of the server into the seam's closed set of errors (DESIGN section 7).
///
/// The `error` word decides; where the body has none that is known (a proxy's page, the
/// document's own misprinted JSON), the status does.
package enum AnswerErrors {
    /// What the call was about, for the statuses that have several meanings.
    package enum Subject: Sendable {
        /// Upload, create, rename, move: a bare 409 means that the name is taken.
        case naming
        /// An existing item: a bare 409 means that somebody else holds a lock.
        case item
        case other
    }

    /// - Parameter subject: what the call was about.
    package static func error(for answer: HTTPAnswer, of subject: Subject) -> CloudStorageError {
        let kind = kind(
            status: answer.status, word: word(of: answer), description: text(of: answer),
            subject: subject)
        return CloudStorageError(
            kind, text(of: answer), retryAfter: answer.retryAfter,
            // After these a server may have done the work and lost only the answer.
            mayHaveHappened: [500, 502, 504].contains(answer.status))
    }

    /// What the server said, in one line of at most 300 characters.
    package static func text(of answer: HTTPAnswer) -> String {
        let body = try? JSONDecoder().decode(WireError.self, from: answer.body)
        let words = [body?.error, body?.errorDescription].compactMap { $0 }.filter { !$0.isEmpty }
        let text = words.isEmpty ? "HTTP \(answer.status)" : words.joined(separator: ": ")
        return String(text.prefix(300).map { $0.isNewline ? " " : $0 })
    }

    static func kind(
        status: Int, word: String?, description: String, subject: Subject
    ) -> CloudStorageError.Kind {
        if status >= 400, let known = word.flatMap(ErrorWord.init(rawValue:)),
            let kind = kind(of: known, description: description)
        {
            return kind
        }
        switch status {
        case 401: return .signInRequired
        case 403: return .forbidden
        case 404: return .notFound
        case 405, 501: return .unsupported
        case 408, 425, 429, 500, 502, 503, 504, 508...599: return .temporarilyUnavailable
        case 409:
            switch subject {
            case .naming: return .nameConflict
            case .item: return .locked
            case .other: return .invalidRequest
            }
        case 410: return .rootDeleted
        case 413: return .tooLarge
        case 414: return .nameTooLong
        case 416: return .revisionChanged
        case 423: return .locked
        case 507: return .quotaExceeded
        case 400..<500: return .invalidRequest
        default: return .invalidAnswer
        }
    }

    /// The word even where the rest of the body is no JSON: the document's own 503 sample is not.
    private static func word(of answer: HTTPAnswer) -> String? {
        if let body = try? JSONDecoder().decode(WireError.self, from: answer.body) {
            return body.error
        }
        let text = String(decoding: answer.body.prefix(4_096), as: UTF8.self)
        return ErrorWord.allCases.first { text.contains("\"\($0.rawValue)\"") }?.rawValue
    }

    /// Nil for words that say no more than the status.
    private static func kind(
        of word: ErrorWord, description: String
    ) -> CloudStorageError.Kind? {
        switch word {
        case .insecureTransport, .invalidRequest, .invalidDateFormat, .invalidDatetimeFormat,
            .noFileReceived, .userLimitExceeded:
            .invalidRequest
        case .accessDenied, .missingTotp, .invalidGrant, .invalidClient: .signInRequired
        case .unsupportedGrantType, .methodNotAllowed: .unsupported
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .nameConflict: .nameConflict
        case .resourceLocked: .locked
        case .policyError: description.lowercased().contains("quota") ? .quotaExceeded : .policy
        case .rootDeleted: .rootDeleted
        case .temporarilyUnavailable: .temporarilyUnavailable
        case .invalidName: .invalidName
        case .nameTooLong: .nameTooLong
        case .invalidExtension: .invalidExtension
        case .unknown: nil
        }
    }
}
