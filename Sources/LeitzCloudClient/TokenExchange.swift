import CloudStorage
import FoundationEssentials
import HTTPTransport
import LeitzCloudAPI

/// The requests to the sign-in addresses (`/oauth/…`), which carry no access token.
struct TokenExchange: Sendable {
    let address: ServerAddress
    let transport: HTTPTransport

    /// Trades a refresh token for new tokens.
    /// - Throws: `signInRequired` where the server does not take it; it must not be sent again.
    func refresh(
        _ credentials: LeitzCloudCredentials, now: Int64
    ) async throws(CloudStorageError) -> LeitzCloudCredentials {
        var fields = [
            ("grant_type", "refresh_token"), ("client_id", credentials.clientID),
            ("refresh_token", credentials.refreshToken),
        ]
        if let secret = credentials.clientSecret { fields.append(("client_secret", secret)) }
        if let guid = credentials.guid { fields.append(("guid", guid)) }
        let answer = try await post(APIRoute.token, fields, name: "refresh")
        guard answer.isSuccess else {
            if [400, 401, 403].contains(answer.status) {
                throw CloudStorageError(.signInRequired, AnswerErrors.text(of: answer))
            }
            throw AnswerErrors.error(for: answer, of: .other)
        }
        return try Self.granted(answer, updating: credentials, now: now)
    }

    /// Sends a form without a token; never repeated where it may have been carried out.
    func post(
        _ route: String, _ fields: [(String, String)], name: String
    ) async throws(CloudStorageError) -> HTTPAnswer {
        var call = HTTPCall(name, .post, url: address.url(route))
        call.body = .form(fields)
        return try await transport.send(call)
    }

    /// The credentials with the tokens of a success answer in them.
    static func granted(
        _ answer: HTTPAnswer, updating credentials: LeitzCloudCredentials, now: Int64
    ) throws(CloudStorageError) -> LeitzCloudCredentials {
        let token: WireToken
        do {
            token = try JSONDecoder().decode(WireToken.self, from: answer.body)
        } catch {
            throw CloudStorageError(.invalidAnswer, "the sign-in answer can't be read")
        }
        guard Self.isHeaderSafe(token.accessToken) else {
            throw CloudStorageError(.invalidAnswer, "the access token has forbidden characters")
        }
        let life = min(max(token.expiresIn?.value ?? 3_600, 2), 365 * 86_400)
        var renewed = credentials
        renewed.accessToken = token.accessToken
        renewed.refreshToken = token.refreshToken ?? credentials.refreshToken
        renewed.guid = token.guid ?? credentials.guid
        renewed.renewal = now + life / 2
        renewed.expiry = now + life
        return renewed
    }

    private static func isHeaderSafe(_ token: String) -> Bool {
        !token.isEmpty && token.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}
