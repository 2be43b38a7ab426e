import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// Takes the requests of the WebDAV face: signs the person in, runs the method, and turns errors
/// into the answers that Nextcloud gives.
struct DAVService: Sendable {
    static let allowedMethods =
        "OPTIONS, GET, HEAD, DELETE, PROPFIND, PUT, PROPPATCH, COPY, MOVE, MKCOL, PATCH, LOCK, UNLOCK"

    /// The classes of RFC 4918, and the one extension of Nextcloud's that is there.
    private static let features = "1, 2, 3, nextcloud-checksum-update"

    let services: CloudServices
    let context: CallContext

    /// Runs a call of this face; throws only what closes the connection.
    func respond(_ call: Route.FaceCall, _ request: Request) async throws -> Response {
        do {
            switch call {
            case .status: return OCSCalls.status()
            case .ocs(let version, let call):
                return try await OCSCalls(services: services, context: context)
                    .run(call, version: version, request)
            case .login(let step):
                return try await LoginCalls(services: services, context: context)
                    .run(step, request)
            case .pushToken:
                let check = AccountCheck(services: services, context: context)
                _ = try await check.caller(request.headers[.authorization])
                guard request.method == .post else { throw DAVError.methodNotAllowed("") }
                let token = services.pushTokens.make(now: context.now)
                return Response(
                    status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: token)))
            case .webDAV: return try await webDAV(request)
            }
        } catch let error as DAVError {
            return Response(error)
        } catch let error as APIError {
            return Response(DAVError(error, []))
        }
    }

    private func webDAV(_ request: Request) async throws -> Response {
        if request.head.path?.contains("#") == true {
            throw DAVError.badRequest("a request has no fragment")
        }
        let caller = try await AccountCheck(services: services, context: context)
            .caller(request.headers[.authorization])
        if caller.isBarred { throw DAVError.forbidden("WebDAV is disabled by the organization") }
        let target = try DAVTarget(path: request.uri.path)
        var response: Response
        let call = try DAVRequest(request, caller: caller, target: target)
        do {
            response = try await run(call, target, request)
        } catch let error as APIError {
            response = Response(DAVError(error, call.path))
        } catch let error as DAVError {
            response = Response(error)
        }
        response.headers[.userID] = DAVTarget.encode(caller.user)
        if ["OPTIONS", "PROPFIND"].contains(call.method) {
            response.headers[.dav] = Self.features
        }
        if call.method == "HEAD" {
            let length = response.headers[.contentLength]
            response.body = ResponseBody()
            response.headers[.contentLength] = length
        }
        if response.status.code == 204 || response.status.code == 304 {
            response.headers[.contentLength] = nil
        }
        return response
    }

    private func run(_ call: DAVRequest, _ target: DAVTarget, _ request: Request) async throws
        -> Response
    {
        switch target {
        case .service: return try await service(call, request)
        case .uploads(let user, _):
            guard call.caller.isNamed(user) else { throw Self.unknownPrincipal(user) }
            if call.method == "OPTIONS" { return Self.options() }
            return try await UploadFolderCalls(services: services, context: context, request: call)
                .run(request)
        case .files(let user, _):
            if let user, !call.caller.isNamed(user) { throw Self.unknownPrincipal(user) }
            return try await files(call, request)
        }
    }

    /// Other persons' files are not shown to be there.
    private static func unknownPrincipal(_ user: String) -> DAVError {
        DAVError(
            404, "Sabre\\DAV\\Exception\\NotFound", "Principal with name \(user) not found")
    }

    private func files(_ call: DAVRequest, _ request: Request) async throws -> Response {
        let reads = ReadCalls(services: services, context: context, request: call)
        let changes = NamespaceCalls(services: services, context: context, request: call)
        let locks = LockCalls(services: services, context: context, request: call)
        switch call.method {
        case "OPTIONS": return Self.options()
        case "GET", "HEAD": return try await reads.get()
        case "PATCH": return try await reads.recalculateChecksum()
        case "PUT":
            return try await PutCall(services: services, context: context, request: call)
                .run(request)
        case "PROPFIND":
            return try await PropfindCall(services: services, context: context, request: call)
                .run(try await body(request))
        case "PROPPATCH":
            return try await ProppatchCall(services: services, context: context, request: call)
                .run(try await body(request))
        case "MKCOL": return try await changes.makeFolder()
        case "DELETE": return try await changes.delete()
        case "MOVE": return try await changes.move()
        case "COPY": return try await changes.copy()
        case "LOCK": return try await locks.lock(try await body(request))
        case "UNLOCK": return try await locks.unlock()
        default:
            throw DAVError(
                501, "Sabre\\DAV\\Exception\\NotImplemented",
                "There was no handler found for this \"\(call.method)\" method")
        }
    }

    private func body(_ request: Request) async throws -> ByteBuffer {
        try await BodyPieces.collect(request, limit: DAVRequest.maximumBody)
    }

    private static func options() -> Response {
        var response = Response(
            status: .ok, headers: [.allow: allowedMethods, .acceptRanges: "bytes"])
        response.headers[.msAuthor] = "DAV"
        return response
    }

    /// `/remote.php/dav/`: there to say who is signed in.
    private func service(_ call: DAVRequest, _ request: Request) async throws -> Response {
        switch call.method {
        case "OPTIONS": return Self.options()
        case "PROPFIND": break
        default: throw DAVError.methodNotAllowed("This is not a collection of files")
        }
        var buffer = ByteBuffer()
        buffer.writeString(
            "<?xml version=\"1.0\"?>\n<d:multistatus" + ByteBuffer.xmlNamespaces + "><d:response>")
        buffer.writeElement("d:href", request.uri.path)
        buffer.writeStaticString("<d:propstat><d:prop>")
        var missing: [XMLName] = []
        var names = [XMLName.dav("resourcetype"), .dav("current-user-principal")]
        if case .named(let wanted) = try PropfindCall.wish(try await body(request)) {
            names = wanted
        }
        for name in names {
            switch name {
            case .dav("resourcetype"):
                buffer.writeStaticString("<d:resourcetype><d:collection/></d:resourcetype>")
            case .dav("current-user-principal"):
                let user = DAVTarget.encode(call.caller.user)
                buffer.writeStaticString("<d:current-user-principal>")
                buffer.writeElement("d:href", "/remote.php/dav/principals/users/\(user)/")
                buffer.writeStaticString("</d:current-user-principal>")
            default: missing.append(name)
            }
        }
        buffer.writeStaticString("</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>")
        if !missing.isEmpty { PropfindAnswer.writeStatus("404 Not Found", missing, to: &buffer) }
        buffer.writeStaticString("</d:response></d:multistatus>")
        return PropfindCall.response(ResponseBody(byteBuffer: buffer))
    }
}
