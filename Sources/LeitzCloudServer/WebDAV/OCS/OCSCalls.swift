import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore
import Synchronization

/// `/ocs/v1.php` and `/ocs/v2.php`, as far as a client of the files needs them (FACTS 2.3), and
/// `/status.php`.
struct OCSCalls: Sendable {
    enum Call: Sendable {
        case capabilities
        case user
        /// A new app password for a password.
        case newAppPassword
        /// The end of the app password that was used.
        case endAppPassword
        /// Users, groups and apps.
        case provisioning(ProvisioningCalls.Route)
        case unknown
    }

    /// The Nextcloud that this face speaks like.
    private static let version = (
        major: Int64(34), minor: Int64(0), micro: Int64(1), text: "34.0.1"
    )

    let services: CloudServices
    let context: CallContext

    /// - Parameter version: 1 or 2, as in the path.
    func run(_ call: Call, version: Int, _ request: Request) async throws -> Response {
        guard Self.header("OCS-APIRequest", request)?.lowercased() == "true" else {
            return Response(
                json: ByteBuffer(string: "{\"message\":\"CSRF check failed\"}"),
                status: .preconditionFailed)
        }
        let asJSON = try Self.wantsJSON(request)
        do {
            let data = try await data(call, version: version, request)
            return Self.response(
                data, code: version == 1 ? 100 : 200, message: "OK", http: 200, asJSON: asJSON)
        } catch let error as DAVError where error.status == 401 || error.status == 429 {
            var response = Self.response(
                .list([]), code: 997, message: "Current user is not logged in",
                http: error.status, asJSON: asJSON)
            if error.status == 401 {
                response.headers[.wwwAuthenticate] = error.headers[.wwwAuthenticate]
            }
            response.headers[.retryAfter] = error.headers[.retryAfter]
            return response
        } catch let error as OCSRefusal {
            return Self.response(error, version: version, asJSON: asJSON)
        } catch let error as APIError {
            return Self.response(OCSRefusal(error), version: version, asJSON: asJSON)
        } catch let error as DAVError {
            return Self.response(
                .list([]), code: error.status == 404 ? 998 : Int64(error.status),
                message: error.message, http: version == 1 ? 200 : error.status, asJSON: asJSON)
        }
    }

    private static let challenge = "Basic realm=\"Ordner\", charset=\"UTF-8\""

    private func data(_ call: Call, version: Int, _ request: Request) async throws -> OCSValue {
        let authorization = request.headers[.authorization]
        let check = AccountCheck(services: services, context: context)
        switch call {
        case .capabilities:
            if authorization != nil { _ = try await check.caller(authorization) }
            return capabilities(base: LoginCalls.base(request, services))
        case .user: return try await user(try await check.caller(authorization))
        case .newAppPassword:
            let caller = try await check.caller(authorization)
            if caller.appPassword != nil {
                throw DAVError.forbidden(
                    "You cannot request an new apppassword with an apppassword")
            }
            let (now, name) = (context.now, request.headers[.userAgent] ?? "unknown")
            let password = try await services.database.write {
                try AppPasswords.make($0, person: caller.person, name: name, now: now)
            }
            return .object([("apppassword", .text(password))])
        case .endAppPassword:
            let caller = try await check.caller(authorization)
            guard let id = caller.appPassword else {
                throw DAVError.forbidden("no app password in use")
            }
            try await services.database.write {
                try AppPasswords.revoke($0, id, person: caller.person)
            }
            return .list([])
        case .provisioning(let route):
            let caller = try await check.caller(authorization)
            return try await ProvisioningCalls(
                services: services, context: context, version: version, caller: caller.person
            ).run(route, request)
        case .unknown:
            throw DAVError(404, "", "Invalid query, please check the syntax.")
        }
    }

    private func user(_ caller: DAVCaller) async throws -> OCSValue {
        let context = context
        return try await services.database.read { db in
            let directory = try ProvisioningDirectory(
                db, caller: caller.person, version: 2, context)
            return try directory.description(of: try directory.callerRecord())
        }
    }

    /// The app notify_push, where it is there.
    private func push(base: String) -> [(String, OCSValue)] {
        guard let address = services.pushAddress.withLock({ $0 }) else { return [] }
        let endpoints: [(String, OCSValue)] = [
            ("websocket", .text(address)),
            ("pre_auth", .text(base + "/index.php/apps/notify_push/pre_auth")),
        ]
        return [
            (
                "notify_push",
                .object([
                    ("type", .list([.text("files")])), ("endpoints", .object(endpoints)),
                ])
            )
        ]
    }

    private func capabilities(base: String) -> OCSValue {
        let version = Self.version
        let texts = { (names: [String]) in OCSValue.list(names.map { OCSValue.text($0) }) }
        var files: [(String, OCSValue)] = [
            ("bigfilechunking", .flag(true)),
            (
                "chunked_upload",
                .object([
                    ("max_size", .number(104_857_600)), ("max_parallel_count", .number(5)),
                ])
            ),
            ("blacklisted_files", texts(DAVNames.forbiddenNames)),
            ("forbidden_filenames", texts(DAVNames.forbiddenNames)),
            ("forbidden_filename_basenames", .list([])),
            ("forbidden_filename_characters", texts(DAVNames.forbiddenCharacters)),
            (
                "forbidden_filename_extensions",
                texts(DAVNames.forbiddenExtensions(context.behaviour))
            ),
        ]
        if context.behaviour.userLockFiles { files.append(("locking", .text("1.0"))) }
        return .object([
            (
                "version",
                .object([
                    ("major", .number(version.major)), ("minor", .number(version.minor)),
                    ("micro", .number(version.micro)), ("string", .text(version.text)),
                    ("edition", .text("")), ("extendedSupport", .flag(false)),
                ])
            ),
            (
                "capabilities",
                .object(
                    [
                        (
                            "core",
                            .object([
                                ("pollinterval", .number(60)),
                                ("webdav-root", .text("remote.php/webdav")),
                                ("can-create-app-token", .flag(true)),
                            ])
                        ),
                        ("files", .object(files)),
                        ("dav", .object([("chunking", .text("1.0"))])),
                    ] + push(base: base))
            ),
        ])
    }

    /// `/status.php`, which needs no sign-in.
    static func status() -> Response {
        var buffer = ByteBuffer()
        OCSValue.object([
            ("installed", .flag(true)), ("maintenance", .flag(false)),
            ("needsDbUpgrade", .flag(false)), ("version", .text(version.text + ".2")),
            ("versionstring", .text(version.text)), ("edition", .text("")),
            ("productname", .text("Nextcloud")), ("extendedSupport", .flag(false)),
        ]).writeJSON(to: &buffer)
        return Response(json: buffer)
    }

    private static func header(_ name: String, _ request: Request) -> String? {
        HTTPField.Name(name).flatMap { request.headers[$0] }
    }

    private static func wantsJSON(_ request: Request) throws(APIError) -> Bool {
        let query = try FormFields(urlEncoded: request.uri.query ?? "")
        if let format = query["format"] { return format == "json" }
        return request.headers[.accept]?.contains("application/json") ?? false
    }

    private static func response(_ error: OCSRefusal, version: Int, asJSON: Bool) -> Response {
        let http = error.httpStatus(version: version)
        var response = response(
            .list([]), code: error.code, message: error.message, http: http, asJSON: asJSON)
        if http == 401 { response.headers[.wwwAuthenticate] = challenge }
        return response
    }

    private static func response(
        _ data: OCSValue, code: Int64, message: String, http: Int, asJSON: Bool
    ) -> Response {
        let isGood = code == 100 || code == 200
        let meta = OCSValue.object([
            ("status", .text(isGood ? "ok" : "failure")), ("statuscode", .number(code)),
            ("message", .text(message)),
        ])
        var buffer = ByteBuffer()
        if asJSON {
            OCSValue.object([("ocs", .object([("meta", meta), ("data", data)]))])
                .writeJSON(to: &buffer)
        } else {
            buffer.writeStaticString("<?xml version=\"1.0\"?>\n<ocs><meta>")
            meta.writeXML(to: &buffer)
            buffer.writeStaticString("</meta><data>")
            data.writeXML(to: &buffer)
            buffer.writeStaticString("</data></ocs>\n")
        }
        let type = asJSON ? "application/json" : "application/xml"
        return Response(
            status: .init(code: http), headers: [.contentType: type + "; charset=utf-8"],
            body: ResponseBody(byteBuffer: buffer))
    }
}
