import LeitzCloudAPI

/// A failed call: its status and its body (API v2, "Fehlermeldungen").
struct APIError: Error {
    var status: Int
    var body: WireError
    /// Seconds for a `Retry-After` header.
    var retryAfter: Int?

    init(_ status: Int, _ word: ErrorWord, _ description: String? = nil) {
        self.status = status
        body = WireError(word, description: description)
    }

    static let insecureTransport = APIError(
        400, .insecureTransport, "Requests MUST utilize https.")
    static let accessDenied = APIError(401, .accessDenied)
    static let forbidden = APIError(403, .forbidden)
    static let notFound = APIError(404, .notFound)
    static let methodNotAllowed = APIError(405, .methodNotAllowed)
    static let nameConflict = APIError(409, .nameConflict)
    static let resourceLocked = APIError(409, .resourceLocked)
    static let policyError = APIError(409, .policyError)
    static let rootDeleted = APIError(410, .rootDeleted, "Root was previously deleted.")
    static let unknown = APIError(500, .unknown)
    static let invalidName = APIError(400, .invalidName)
    static let nameTooLong = APIError(400, .nameTooLong)
    static let invalidExtension = APIError(400, .invalidExtension)
    static let noFileReceived = APIError(400, .noFileReceived, "Missing required file: file")
    static let invalidDate = APIError(
        400, .invalidDateFormat, "Invalid date format. The expected format is: YYYY-MM-DD")
    static let invalidDatetime = APIError(
        400, .invalidDatetimeFormat,
        "Invalid datetime format. The expected format is: YYYY-MM-DD HH:MM:SS")
    static let malformedBody = APIError(400, .invalidRequest, "The request body is malformed.")

    static var temporarilyUnavailable: APIError {
        var error = APIError(
            503, .temporarilyUnavailable, "Service is temporarily unavailable.")
        error.retryAfter = 1
        return error
    }

    static func missing(_ parameter: String) -> APIError {
        APIError(400, .invalidRequest, "Missing required parameter: \(parameter)")
    }

    static func invalid(_ parameter: String) -> APIError {
        APIError(400, .invalidRequest, "Invalid value for parameter: \(parameter)")
    }

    static func invalidGrant(_ description: String) -> APIError {
        APIError(400, .invalidGrant, description)
    }
}
