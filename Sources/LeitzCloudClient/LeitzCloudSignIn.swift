package import CloudStorage
import FoundationEssentials
package import HTTPTransport
import LeitzCloudAPI

/// Why a sign-in with name and password failed. It is never repeated by itself: servers lock an
/// account after a few wrong passwords.
package enum SignInError: Error, Sendable {
    /// The server's own words.
    case wrongCredentials(message: String)
    /// The second step is needed: ask for the code and sign in again with it. `mode` is `email`,
    /// `sms` or `authenticator`; for the first two the server has sent the code already.
    case twoStepRequired(mode: String)
    case other(CloudStorageError)
}

/// What a person types in to sign in, and what the server is told of this machine.
package struct SignInRequest: Sendable {
    package var address: ServerAddress
    package var user: String
    package var password: String
    /// The code of the second step, once the server has asked for it.
    package var authCode: String?
    /// From an earlier sign-in of this installation.
    package var guid: String?
    package var clientID = LeitzCloudCredentials.defaultClientID
    package var clientSecret: String?
    /// How the organisation's administrators see this installation.
    package var hostName = "ordner"
    package var systemType = "linux"
    package var systemVersion: String?

    package init(address: ServerAddress, user: String, password: String) {
        self.address = address
        self.user = user
        self.password = password
    }
}

/// Sign-in (OAuth2 password grant), sign-out, and recognising a server of this kind.
package enum LeitzCloudSignIn {
    /// Trades name and password for tokens. Source: the vendor's OAuth2 document.
    package static func signIn(
        _ request: SignInRequest, transport: HTTPTransport
    ) async throws(SignInError) -> LeitzCloudCredentials {
        let exchange = TokenExchange(address: request.address, transport: transport)
        let answer: HTTPAnswer
        do {
            answer = try await exchange.post(
                APIRoute.token, fields(request), name: "sign-in")
        } catch {
            throw .other(error)
        }
        guard answer.isSuccess else { throw refusal(answer) }
        var empty = LeitzCloudCredentials(
            url: request.address.description, user: request.user, accessToken: "",
            refreshToken: "", expiry: 0)
        empty.clientID = request.clientID
        empty.clientSecret = request.clientSecret
        empty.guid = request.guid
        do throws(CloudStorageError) {
            return try TokenExchange.granted(
                answer, updating: empty, now: Int64(Date().timeIntervalSince1970))
        } catch {
            throw .other(error)
        }
    }

    /// Makes both tokens worthless on the server.
    package static func revoke(
        _ credentials: LeitzCloudCredentials, transport: HTTPTransport
    ) async throws(CloudStorageError) {
        let exchange = TokenExchange(
            address: try ServerAddress(credentials.url), transport: transport)
        let tokens = [
            (credentials.refreshToken, "refresh_token"), (credentials.accessToken, "access_token"),
        ]
        for (token, hint) in tokens where !token.isEmpty {
            let answer = try await exchange.post(
                APIRoute.revoke,
                [
                    ("client_id", credentials.clientID), ("token", token),
                    ("token_type_hint", hint),
                ], name: "revoke")
            // 400 and 401: the server no longer knows the token, which is what was asked for.
            guard answer.isSuccess || [400, 401].contains(answer.status) else {
                throw AnswerErrors.error(for: answer, of: .other)
            }
        }
    }

    /// The API version of a server of this kind, e.g. `2.0.9`; nil where it is no such server.
    /// - Throws: where it could not be asked.
    package static func detect(
        _ address: ServerAddress, transport: HTTPTransport
    ) async throws(CloudStorageError) -> String? {
        let call = HTTPCall("version", .get, url: address.url(APIRoute.version))
        let answer = try await transport.send(call)
        if answer.status >= 500 { throw AnswerErrors.error(for: answer, of: .other) }
        guard answer.isSuccess,
            let version = try? JSONDecoder().decode(WireVersion.self, from: answer.body).version,
            version.utf8.count <= 40, version.split(separator: ".").first.flatMap({ Int($0) }) == 2
        else { return nil }
        return version
    }

    private static func fields(_ request: SignInRequest) -> [(String, String)] {
        var fields = [
            ("grant_type", "password"), ("client_id", request.clientID),
            ("username", request.user), ("password", request.password),
            ("dns_name", request.hostName), ("os_type", request.systemType),
        ]
        if let version = request.systemVersion { fields.append(("os_version", version)) }
        if let secret = request.clientSecret { fields.append(("client_secret", secret)) }
        if let code = request.authCode { fields.append(("auth_code", code)) }
        if let guid = request.guid { fields.append(("guid", guid)) }
        return fields
    }

    private static func refusal(_ answer: HTTPAnswer) -> SignInError {
        let body = try? JSONDecoder().decode(WireError.self, from: answer.body)
        if body?.word == .missingTotp {
            return .twoStepRequired(mode: body?.twoStepMode ?? "authenticator")
        }
        let isAboutClient = body?.word == .invalidClient || body?.word == .unsupportedGrantType
        if [400, 401, 403].contains(answer.status), !isAboutClient {
            return .wrongCredentials(message: AnswerErrors.text(of: answer))
        }
        return .other(AnswerErrors.error(for: answer, of: .other))
    }
}
