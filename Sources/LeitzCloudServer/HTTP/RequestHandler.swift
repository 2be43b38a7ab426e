import GRDB
import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import Logging
import NIOCore

/// Takes every request of the server: counts it, injects faults, runs the call, and turns errors
/// into the document's answers.
struct RequestHandler: Sendable {
    /// Longest form body in bytes, files apart.
    static let maximumForm = 256 * 1024
    static let maximumDelay = 600.0

    let services: CloudServices

    func respond(_ request: Request, _ writer: consuming ResponseWriter) async throws {
        let method = request.method.rawValue
        let path = request.uri.path
        let route = Route.parse(path)
        let entry =
            route.kind == "test"
            ? nil : services.counts.begin(method: method, kind: route.kind, path: path)
        defer { if let entry { services.counts.end(entry) } }
        let faults =
            route.kind == "test"
            ? [] : services.faults.take(method: method, path: path, kind: route.kind)
        if faults.contains(.resetBeforeAnswer) { throw ConnectionDropped() }
        if request.method == .post || route.isFace,
            request.headers[.expect]?.lowercased() == "100-continue"
        {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        var response = try await answer(request, route, faults)
        for fault in faults {
            switch fault {
            case .loseAnswer: throw ConnectionDropped()
            case .cutBody(let bytes): response.body = response.body.cut(after: bytes)
            case .wrongLength(let difference):
                let length = response.body.contentLength ?? 0
                response.body = response.body.resized(to: max(0, length + difference))
            default: break
            }
        }
        response.headers[.date] = HTTPDate.format(max(0, services.clock()))
        response.headers[.server] = "ordner"
        try await writer.write(response: response.head, body: response.body)
    }

    /// Faults that replace or delay the work.
    private func answer(_ request: Request, _ route: Route, _ faults: [FaultAction]) async throws
        -> Response
    {
        for fault in faults {
            switch fault {
            case .delay(let seconds):
                try await Task.sleep(for: .seconds(min(max(0, seconds), Self.maximumDelay)))
            case .status(let code, let word, let retryAfter) where route.isFace:
                var error = DAVError(code, word, "injected")
                if let retryAfter { error.headers[.retryAfter] = String(retryAfter) }
                return Response(error)
            case .expireToken where route.isFace: return Response(AccountCheck.wrong)
            case .status(let code, let word, let retryAfter):
                var error = APIError(code, .unknown)
                error.body.error = word
                if word == ErrorWord.temporarilyUnavailable.rawValue {
                    error.body = APIError.temporarilyUnavailable.body
                }
                error.retryAfter = retryAfter
                return Response(error)
            case .expireToken: return Response(.accessDenied)
            default: break
            }
        }
        do {
            return try await run(request, route)
        } catch let error as APIError {
            return Response(error)
        } catch let error as ConnectionDropped {
            throw error
        } catch is CancellationError {
            return Response(.temporarilyUnavailable)
        } catch {
            // Paths and SQL may be in the error, tokens and passwords are not.
            services.logger.error(
                "request failed", metadata: ["route": "\(route.kind)", "error": "\(error)"])
            return route.isFace
                ? Response(DAVError(500, "Exception", "Internal Server Error"))
                : Response(.unknown)
        }
    }

    private func run(_ request: Request, _ route: Route) async throws -> Response {
        if request.headers[.xForwardedProto]?.lowercased() == "http" {
            throw APIError.insecureTransport
        }
        if case .unknown = route.call { throw APIError.notFound }
        if case .face(let call) = route.call {
            return try await DAVService(services: services, context: services.context(token: nil))
                .respond(call, request)
        }
        guard route.methods.contains(request.method) else {
            var response = Response(.methodNotAllowed)
            response.headers[.allow] = route.methods.map(\.rawValue).sorted()
                .joined(separator: ", ")
            return response
        }
        let context = services.context(token: Self.bearer(request).map(TokenHash.hash))
        switch route.call {
        case .version: return try Response(json: WireVersion("2.0.9"))
        case .token, .revoke: return try await signIn(request, route.call, context)
        case .administration(let call):
            let changes = request.method == .post
            let fields =
                try await changes
                ? form(request) : FormFields(urlEncoded: request.uri.query ?? "")
            return try await AdministrativeCalls(services: services, context: context)
                .run(call, fields, changes: changes)
        case .metadata, .search, .modifiedSince:
            let query = try FormFields(urlEncoded: request.uri.query ?? "")
            return try await QueryCalls(services: services, context: context)
                .run(route.call, query)
        case .download(let address):
            return try await DownloadCall(services: services, context: context)
                .run(address, range: request.headers[.range])
        case .upload(let address):
            return try await UploadCall(services: services, context: context)
                .run(address, request)
        case .testFaults, .testCounts:
            return try await TestHooks(services: services).run(request, route.call)
        case .unknown, .face: throw APIError.notFound
        case .createFolder, .rename, .move, .delete, .lock, .unlock, .share:
            let fields = try await form(request)
            return try await ChangeCalls(services: services, context: context)
                .run(route.call, fields)
        }
    }

    private func signIn(_ request: Request, _ call: Route.Call, _ context: CallContext)
        async throws -> Response
    {
        var fields = try await form(request)
        fields.add(try FormFields(urlEncoded: request.uri.query ?? ""))
        let calls = SignInCalls(services: services, context: context)
        if case .revoke = call { return try await calls.revoke(fields) }
        return try await calls.token(fields)
    }

    /// The fields of the body, urlencoded or multipart.
    private func form(_ request: Request) async throws -> FormFields {
        let body = try await BodyPieces.collect(request, limit: Self.maximumForm)
        guard
            let boundary = MultipartParser.boundary(
                ofContentType: request.headers[.contentType])
        else {
            guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
                throw APIError.malformedBody
            }
            return try FormFields(urlEncoded: text)
        }
        return try Self.multipartFields(body, boundary: boundary)
    }

    private static func multipartFields(_ body: ByteBuffer, boundary: String) throws(APIError)
        -> FormFields
    {
        var fields = FormFields()
        var parser = MultipartParser(boundary: boundary)
        parser.feed(body)
        var name: String?
        var value = ByteBuffer()
        while let event = try parser.next() {
            switch event {
            case .partBegan(let headers):
                name = headers.name
                value.clear()
            case .data(let piece): value.writeImmutableBuffer(piece)
            case .partEnded:
                guard let text = String(validating: value.readableBytesView, as: UTF8.self) else {
                    throw .malformedBody
                }
                if let name { fields.add(name, text) }
            case .finished: return fields
            }
        }
        throw .malformedBody
    }

    private static func bearer(_ request: Request) -> String? {
        guard let header = request.headers[.authorization] else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}

extension HTTPField.Name {
    /// Set by a proxy in front of the server.
    static let xForwardedProto = HTTPField.Name(validated: "x-forwarded-proto")
}

extension HTTPField.Name {
    fileprivate init(validated name: StaticString) {
        self = HTTPField.Name("\(name)") ?? .via
    }
}
