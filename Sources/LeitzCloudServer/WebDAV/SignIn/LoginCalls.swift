import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// Login flow v2 (FACTS 2.2): a program begins it, a person signs in on a page, and the program
/// fetches an app password.
struct LoginCalls: Sendable {
    /// What a URL below `/index.php/login/v2` is for.
    enum Step: Sendable {
        case begin
        case poll
        case page(token: String)
    }

    private struct Begun: Encodable {
        struct Poll: Encodable {
            var token: String
            var endpoint: String
        }
        var poll: Poll
        var login: String
    }

    private struct Granted: Encodable {
        var server: String
        var loginName: String
        var appPassword: String
    }

    let services: CloudServices
    let context: CallContext

    func run(_ step: Step, _ request: Request) async throws -> Response {
        let isPost = request.method == .post
        switch step {
        case .begin where isPost: return try begin(request)
        case .poll where isPost: return try await poll(request)
        case .page(let token) where isPost: return try await signIn(token, request)
        case .page(let token) where request.method == .get: return try page(token, nil)
        default: throw DAVError.methodNotAllowed("")
        }
    }

    private func begin(_ request: Request) throws -> Response {
        let name = request.headers[.userAgent] ?? "unknown"
        let tokens = services.loginFlows.begin(name: name, now: context.now)
        let base = Self.base(request, services)
        return try Response(
            json: Begun(
                poll: Begun.Poll(
                    token: tokens.pollToken, endpoint: base + "/index.php/login/v2/poll"),
                login: base + "/index.php/login/v2/flow/" + tokens.loginToken))
    }

    private func poll(_ request: Request) async throws -> Response {
        let token = try await fields(request)["token"] ?? ""
        guard let grant = services.loginFlows.take(pollToken: token, now: context.now) else {
            return Response(json: ByteBuffer(string: "[]"), status: .notFound)
        }
        let now = context.now
        let password = try await services.database.write {
            try AppPasswords.make(
                $0, person: grant.caller.person, name: grant.name, now: now)
        }
        return try Response(
            json: Granted(
                server: Self.base(request, services), loginName: grant.caller.user,
                appPassword: password))
    }

    private func signIn(_ token: String, _ request: Request) async throws -> Response {
        guard services.loginFlows.name(loginToken: token, now: context.now) != nil else {
            throw DAVError.notFound([])
        }
        let fields = try await fields(request)
        do {
            let caller = try await AccountCheck(services: services, context: context).caller(
                user: fields["user"] ?? "", password: fields["password"] ?? "",
                code: fields["code"] ?? "")
            guard services.loginFlows.grant(loginToken: token, caller, now: context.now) else {
                throw DAVError.notFound([])
            }
        } catch let error as DAVError where error.status == 401 || error.status == 429 {
            return try page(token, error)
        }
        return Self.html(
            "<h1>Signed in</h1><p>You can close this page and go back to the program.</p>")
    }

    private func page(_ token: String, _ error: DAVError?) throws -> Response {
        guard let name = services.loginFlows.name(loginToken: token, now: context.now) else {
            throw DAVError.notFound([])
        }
        var text = ByteBuffer()
        text.writeStaticString("<h1>Sign in</h1><p>This program asks for access to your files: <b>")
        text.writeXML(name)
        text.writeStaticString("</b></p>")
        if let error { text.writeElement("p", error.message) }
        text.writeStaticString(
            """
            <form method="post"><p><label>User <input name="user" required></label></p>
            <p><label>Password <input name="password" type="password" required></label></p>
            <p><label>Code, if your account has one <input name="code"></label></p>
            <p><button>Grant access</button></p></form>
            """)
        return Self.html(
            String(buffer: text), status: error == nil ? .ok : .init(code: error?.status ?? 401))
    }

    private static func html(_ body: String, status: HTTPResponse.Status = .ok) -> Response {
        let page =
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Ordner</title>"
            + "</head><body>\(body)</body></html>\n"
        var headers: HTTPFields = [
            .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
        ]
        // The page must not be shown inside another one, where clicks could be led to it.
        headers[.contentSecurityPolicy] =
            "default-src 'none'; form-action 'self'; frame-ancestors 'none'"
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: page)))
    }

    private func fields(_ request: Request) async throws -> FormFields {
        let body = try await BodyPieces.collect(request, limit: RequestHandler.maximumForm)
        guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
            throw APIError.malformedBody
        }
        return try FormFields(urlEncoded: text)
    }

    /// The server's address as the client knows it.
    static func base(_ request: Request, _ services: CloudServices) -> String {
        let host = request.head.authority ?? ""
        let isPlausible =
            !host.isEmpty && host.utf8.count <= 255
            && host.allSatisfy {
                $0.isASCII && ($0.isLetter || $0.isNumber || ".-:[]_".contains($0))
            }
        return services.scheme + "://" + (isPlausible ? host : "localhost")
    }
}
