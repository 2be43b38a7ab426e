package import CloudStorage
import FoundationEssentials
package import HTTPTransport

/// Login flow v2 of Nextcloud: a person signs in with a browser, and the program gets an app password
/// of its own. Source: Nextcloud's developer manual, "Login flow v2".
package struct LoginFlow: Sendable {
    /// What the server forgets a sign-in after that nobody finishes.
    private static let duration = Duration.seconds(20 * 60)
    private static let pause = Duration.seconds(2)

    private struct Begun: Decodable {
        struct Poll: Decodable {
            var token: String
            var endpoint: String
        }
        var poll: Poll
        var login: String
    }

    private struct Granted: Decodable {
        var loginName: String
        var appPassword: String
    }

    /// The address to sign in at.
    package let page: String
    private let endpoint: String
    private let token: String
    private let transport: HTTPTransport

    /// - Throws: `unsupported` where the server has no such thing.
    package static func begin(
        _ address: ServerAddress, transport: HTTPTransport
    ) async throws(CloudStorageError) -> LoginFlow {
        let answer = try await transport.send(
            HTTPCall("login-flow", .post, url: address.url("/index.php/login/v2")))
        guard answer.isSuccess else {
            guard [401, 403, 404, 405, 501].contains(answer.status) else {
                throw WebDAVErrors.error(for: answer)
            }
            throw CloudStorageError(.unsupported, "the server has no sign-in with a browser")
        }
        let begun: Begun
        do {
            begun = try JSONDecoder().decode(Begun.self, from: answer.body)
        } catch {
            throw CloudStorageError(.unsupported, "the server has no sign-in with a browser")
        }
        // The app password comes from there: never over a weaker connection than the server's own.
        guard begun.poll.endpoint.hasPrefix(address.scheme + "://"),
            begun.login.hasPrefix(address.scheme + "://")
        else {
            throw CloudStorageError(
                .invalidAnswer, "the server sends the sign-in to an address that is not as safe")
        }
        return LoginFlow(
            page: begun.login, endpoint: begun.poll.endpoint, token: begun.poll.token,
            transport: transport)
    }

    /// Waits until the person has signed in. The server tells the password once only.
    /// - Throws: `timedOut` where nobody does within 20 minutes.
    package func credentials(
        sleep: (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) async throws(CloudStorageError) -> WebDAVCredentials {
        var waited = Duration.zero
        while waited < Self.duration {
            var call = HTTPCall("login-poll", .post, url: endpoint)
            call.body = .form([("token", token)])
            let answer = try await transport.send(call)
            if answer.isSuccess {
                do {
                    let granted = try JSONDecoder().decode(Granted.self, from: answer.body)
                    return WebDAVCredentials(
                        user: granted.loginName, password: granted.appPassword)
                } catch {
                    throw CloudStorageError(.invalidAnswer, "the server's grant can't be read")
                }
            }
            guard answer.status == 404 else { throw WebDAVErrors.error(for: answer) }
            do {
                try await sleep(Self.pause)
            } catch {
                throw CloudStorageError(.cancelled, "cancelled before anybody signed in")
            }
            waited += Self.pause
        }
        throw CloudStorageError(.timedOut, "nobody has signed in within 20 minutes")
    }
}
