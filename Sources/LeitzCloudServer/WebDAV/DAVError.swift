import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// A refused WebDAV request: its status and its body, with the exceptions that sabre/dav names
/// (FACTS 2.10).
struct DAVError: Error {
    var status: Int
    /// The exception's class with its name space; empty for an answer without a body.
    var exception: String
    var message: String
    /// The request header that was to blame.
    var header: String?
    /// More XML for the body, complete.
    var details = ""
    var headers: HTTPFields = [:]

    init(_ status: Int, _ exception: String, _ message: String, header: String? = nil) {
        self.status = status
        self.exception = exception
        self.message = message
        self.header = header
    }

    private static func sabre(
        _ status: Int, _ name: String, _ message: String, header: String? = nil
    ) -> DAVError {
        DAVError(status, "Sabre\\DAV\\Exception\\" + name, message, header: header)
    }

    static func badRequest(_ message: String) -> DAVError { sabre(400, "BadRequest", message) }
    static func forbidden(_ message: String) -> DAVError { sabre(403, "Forbidden", message) }
    static func conflict(_ message: String) -> DAVError { sabre(409, "Conflict", message) }

    static func notFound(_ path: [String]) -> DAVError {
        sabre(
            404, "NotFound", "File with name /\(path.joined(separator: "/")) could not be located")
    }

    static func methodNotAllowed(_ message: String) -> DAVError {
        var error = sabre(405, "MethodNotAllowed", message)
        error.headers[.allow] = DAVService.allowedMethods
        return error
    }

    static func preconditionFailed(_ message: String, header: String) -> DAVError {
        sabre(412, "PreconditionFailed", message, header: header)
    }

    static func insufficientStorage(_ path: [String]) -> DAVError {
        sabre(507, "InsufficientStorage", "Insufficient space in /\(path.joined(separator: "/"))")
    }

    static let entityTooLarge = DAVError(
        413, "OCA\\DAV\\Connector\\Sabre\\Exception\\EntityTooLarge",
        "the file is larger than this server takes")

    static let unsupportedMediaType = sabre(
        415, "UnsupportedMediaType", "The request body has a type that is not taken here.")

    static func unauthorized(_ message: String) -> DAVError {
        var error = sabre(401, "NotAuthenticated", message)
        error.headers[.wwwAuthenticate] = "Basic realm=\"Ordner\", charset=\"UTF-8\""
        return error
    }

    static func tooManyRequests(retryAfter: Int64) -> DAVError {
        var error = sabre(429, "TooManyRequests", "Too many failed sign-ins; try again later")
        error.headers[.retryAfter] = String(retryAfter)
        return error
    }

    static func invalidPath(_ message: String) -> DAVError {
        var error = DAVError(
            400, "OCA\\DAV\\Connector\\Sabre\\Exception\\InvalidPath", message)
        var buffer = ByteBuffer()
        buffer.writeStaticString("  <o:retry xmlns:o=\"o:\">false</o:retry>\n  ")
        buffer.writeStaticString("<o:reason xmlns:o=\"o:\">")
        buffer.writeXML(message)
        buffer.writeStaticString("</o:reason>\n")
        error.details = String(buffer: buffer)
        return error
    }

    /// 423; `path` is that of the locked item.
    static func locked(_ path: [String]) -> DAVError {
        withHref(sabre(423, "Locked", ""), "lock-token-submitted", path)
    }

    /// 423: another lock stands against the one asked for.
    static func conflictingLock(_ path: [String]) -> DAVError {
        withHref(sabre(423, "ConflictingLock", ""), "no-conflicting-lock", path)
    }

    private static func withHref(_ error: DAVError, _ element: String, _ path: [String])
        -> DAVError
    {
        var error = error
        var buffer = ByteBuffer()
        buffer.writeString("  <d:\(element)>\n    ")
        buffer.writeElement("d:href", path.joined(separator: "/"))
        buffer.writeString("\n  </d:\(element)>\n")
        error.details = String(buffer: buffer)
        return error
    }

    /// What the tree refuses, in the words of this face.
    ///
    /// - Parameter path: what the request is about.
    init(_ error: APIError, _ path: [String]) {
        let name = path.last ?? ""
        switch (error.status, error.body.error) {
        case (401, _): self = .unauthorized("Username or password was incorrect")
        case (403, _): self = .forbidden("You have no permission to do this")
        case (404, _), (410, _): self = .notFound(path)
        case (_, ErrorWord.resourceLocked.rawValue): self = .locked(path)
        case (_, ErrorWord.policyError.rawValue): self = .insufficientStorage(path)
        case (_, ErrorWord.nameTooLong.rawValue): self = .invalidPath("Filename is too long")
        case (_, ErrorWord.invalidName.rawValue):
            self = .invalidPath("\"\(name)\" is not allowed as a file or folder name.")
        case (_, ErrorWord.invalidExtension.rawValue):
            let dot = name.lastIndex(of: ".") ?? name.startIndex
            self = .invalidPath("\"\(name[dot...])\" is a forbidden file type.")
        case (409, _): self = .conflict("The name is taken")
        case (503, _):
            self = Self.sabre(503, "ServiceUnavailable", "The server is busy; try again soon")
            if let seconds = error.retryAfter { headers[.retryAfter] = String(seconds) }
        default:
            self = Self.sabre(error.status, "BadRequest", error.body.errorDescription ?? "")
        }
    }
}

extension Response {
    init(_ error: DAVError) {
        var buffer = ByteBuffer()
        if !error.exception.isEmpty {
            buffer.writeStaticString("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n")
            buffer.writeStaticString(
                "<d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\">\n  ")
            buffer.writeElement("s:exception", error.exception)
            buffer.writeStaticString("\n  ")
            buffer.writeElement("s:message", error.message)
            buffer.writeStaticString("\n")
            if let header = error.header {
                buffer.writeStaticString("  ")
                buffer.writeElement("s:header", header)
                buffer.writeStaticString("\n")
            }
            buffer.writeString(error.details)
            buffer.writeStaticString("</d:error>\n")
        }
        var headers = error.headers
        if buffer.readableBytes > 0 { headers[.contentType] = "application/xml; charset=utf-8" }
        self.init(
            status: .init(code: error.status), headers: headers,
            body: ResponseBody(byteBuffer: buffer))
    }
}
