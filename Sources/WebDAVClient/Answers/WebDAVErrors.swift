import CloudStorage
import FoundationEssentials
import HTTPTransport

/// Turns a refusal of the server into the seam's closed set of errors (DESIGN section 7).
///
/// The status decides, and where several meanings have one status, the exception that sabre/dav
/// names in the body. What neither says is found out by the calls themselves.
enum WebDAVErrors {
    /// - Parameter answer: any that is no success.
    static func error(for answer: HTTPAnswer) -> CloudStorageError {
        guard answer.status != 207 else { return partialFailure(answer) }
        let body = body(of: answer)
        var words = ["HTTP \(answer.status)"]
        if let exception = body.exception { words.append(exception) }
        if let message = body.message, !message.isEmpty { words.append(message) }
        let text = words.joined(separator: ": ").map { $0.isNewline ? " " : $0 }
        return CloudStorageError(
            kind(status: answer.status, body), String(String(text).prefix(300)),
            retryAfter: answer.retryAfter,
            // After these a server may have done the work and lost only the answer.
            mayHaveHappened: [500, 502, 504].contains(answer.status))
    }

    /// The first error of a multistatus answer to a change.
    private static func partialFailure(_ answer: HTTPAnswer) -> CloudStorageError {
        let reader = DAVAnswerReader()
        do throws(CloudStorageError) {
            try reader.feed(Array(answer.body))
        } catch {
            return CloudStorageError(error.kind, error.message, mayHaveHappened: true)
        }
        let statuses = reader.takeResponses().compactMap(\.status).filter { $0 >= 400 }
        // A failed dependency only says that something else has failed.
        let error = error(status: statuses.first { $0 != 424 } ?? statuses.first ?? 500)
        // Apache refuses the change of a locked folder that way, and has done nothing.
        return CloudStorageError(
            error.kind, error.message, mayHaveHappened: error.kind != .locked)
    }

    /// Of a status inside a multistatus answer.
    static func error(status: Int) -> CloudStorageError {
        CloudStorageError(kind(status: status, DAVErrorBody()), "HTTP \(status) in the answer")
    }

    /// What an error body says; nothing where it is none.
    static func body(of answer: HTTPAnswer) -> DAVErrorBody {
        let reader = DAVAnswerReader()
        do throws(CloudStorageError) {
            try reader.feed(Array(answer.body))
        } catch {
            // A proxy's page, or half a document: what was read before counts.
            return reader.error
        }
        return reader.error
    }

    /// Whether a 423 is one of Nextcloud's and ownCloud's own, which end within seconds.
    static func isTransientLock(_ answer: HTTPAnswer) -> Bool {
        answer.status == 423 && body(of: answer).exception?.hasSuffix("FileLocked") == true
    }

    private static func kind(status: Int, _ body: DAVErrorBody) -> CloudStorageError.Kind {
        if let kind = exceptionKind(status: status, body) { return kind }
        switch status {
        case 401: return .signInRequired
        case 402, 403: return .forbidden
        case 404, 410: return .notFound
        case 405, 501: return .unsupported
        case 408, 425, 429, 500, 502, 503, 504: return .temporarilyUnavailable
        // The parent is missing, says RFC 4918 of PUT, MKCOL and MOVE.
        case 409: return .notFound
        case 412, 416: return .revisionChanged
        case 413: return .tooLarge
        case 414: return .nameTooLong
        case 415: return .policy
        case 423, 424: return .locked
        case 507: return .quotaExceeded
        case 508: return .invalidRequest
        case 509...599: return .temporarilyUnavailable
        case 400..<500: return .invalidRequest
        default: return .invalidAnswer
        }
    }

    /// Nil where the exception says no more than the status.
    private static func exceptionKind(
        status: Int, _ body: DAVErrorBody
    ) -> CloudStorageError.Kind? {
        guard let exception = body.exception?.split(separator: "\\").last else { return nil }
        let message = body.message?.lowercased() ?? ""
        switch exception {
        case "InvalidPath":
            if message.contains("too long") { return .nameTooLong }
            return message.contains("file type") || message.contains("extension")
                ? .invalidExtension : .invalidName
        case "BadRequest" where message.contains("checksum") || message.contains("expected file"):
            // The bytes got lost on the way: the next try may bring them.
            return .temporarilyUnavailable
        case "ForbiddenException", "Forbidden": return status == 401 ? nil : .forbidden
        case "EntityTooLarge": return .tooLarge
        case "UnsupportedMediaType": return .policy
        case "InsufficientStorage": return .quotaExceeded
        case "PasswordLoginForbidden", "NotAuthenticated": return .signInRequired
        default: return nil
        }
    }
}

extension DAVAnswerReader {
    /// Reads a body that is in memory.
    func feed(_ bytes: [UInt8]) throws(CloudStorageError) {
        let result = bytes.withUnsafeBytes { bytes -> Result<Void, CloudStorageError> in
            do throws(CloudStorageError) {
                return .success(try feed(bytes))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
