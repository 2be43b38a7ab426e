import CloudStorage
import FoundationEssentials
package import HTTPTransport
import Synchronization

/// An administrator's calls on an ownCloud, a Nextcloud or a Leviia Drive Pro: users, groups, apps.
///
/// Safe from any task. Calls that only ask are repeated where no answer came; the others only
/// where the server can't have done them, so that a lost answer ends with `mayHaveHappened`. The
/// first refused sign-in stops all calls: servers slow down all accounts of a network after a few.
package final class ProvisioningClient: Sendable {
    /// From sending a call to the end of its answer: servers hash passwords and send mail meanwhile.
    static let deadline = Duration.seconds(60)
    /// Bytes of one answer: a page of names is far below.
    static let maximumAnswerSize = 16 << 20

    private struct State {
        var isRefused = false
        /// Some call was answered: the password is right, and 401 means that a right is missing.
        var isKnown = false
        /// The session's cookies by name, without which each request costs the password's hash.
        var cookies: [String: String] = [:]
    }

    package let dialect: ProvisioningDialect
    private let address: ServerAddress
    private let transport: HTTPTransport
    private let authorization: String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - address: of the server, with the path below which it lies.
    ///   - user: an administrator, or a user who administers groups.
    ///   - password: the account's, or an app password.
    package init(
        _ address: ServerAddress, dialect: ProvisioningDialect, user: String, password: String,
        transport: HTTPTransport
    ) {
        self.address = address
        self.dialect = dialect
        self.transport = transport
        authorization = "Basic " + Data((user + ":" + password).utf8).base64EncodedString()
    }

    /// Sends a call; answers the `data` of its envelope.
    func data(of call: ProvisioningCall) async throws(ProvisioningError) -> OCSNode {
        let prepared = try prepared(call)
        let answer: HTTPAnswer
        do throws(CloudStorageError) {
            answer = try await transport.send(prepared)
        } catch {
            throw ProvisioningError(error)
        }
        keepCookies(of: answer)
        let envelope: OCSAnswer
        do throws(CloudStorageError) {
            envelope = try OCSAnswer(answer)
        } catch {
            throw failure(answer, of: call, error)
        }
        if envelope.isSuccess {
            state.withLock { $0.isKnown = true }
            return envelope.data
        }
        throw failure(answer, envelope, of: call)
    }

    private func prepared(_ call: ProvisioningCall) throws(ProvisioningError) -> HTTPCall {
        let (isRefused, cookies) = state.withLock { ($0.isRefused, $0.cookies) }
        guard !isRefused else {
            throw ProvisioningError(.signInRequired, "the server does not take the password")
        }
        var prepared = HTTPCall(
            "ocs-" + call.name, call.method,
            url: address.url(dialect.route + call.path, query: call.query))
        prepared.headers = [
            ("OCS-APIRequest", "true"), ("Authorization", authorization),
            ("Accept", dialect == .nextcloud ? "application/json" : "application/xml"),
        ]
        if !cookies.isEmpty {
            let pairs = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            prepared.headers.append(("Cookie", pairs.joined(separator: "; ")))
        }
        switch call.body {
        case .none: break
        case .form(let fields): prepared.body = .form(fields)
        case .json(let bytes): prepared.body = .bytes(bytes, type: "application/json")
        }
        prepared.deadline = Self.deadline
        prepared.maximumAnswerSize = Self.maximumAnswerSize
        return prepared
    }

    private func keepCookies(of answer: HTTPAnswer) {
        let pairs = answer.headers.filter { $0.0.lowercased() == "set-cookie" }.compactMap {
            header -> (String, String)? in
            let pair = header.1.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, !pair[0].isEmpty else { return nil }
            return (String(pair[0]), String(pair[1]))
        }
        guard !pairs.isEmpty else { return }
        state.withLock { state in
            for (name, value) in pairs where state.cookies[name] != nil || state.cookies.count < 50
            {
                state.cookies[name] = value == "deleted" ? nil : value
            }
        }
    }

    /// An answer whose envelope says no.
    private func failure(
        _ answer: HTTPAnswer, _ envelope: OCSAnswer, of call: ProvisioningCall
    ) -> ProvisioningError {
        var kind = call.kind(envelope)
        if answer.status == 401 || envelope.code == 401 {
            // ownCloud answers a missing right just as a wrong password.
            kind = state.withLock { state in
                if !state.isKnown { state.isRefused = true }
                return state.isKnown ? .forbidden : .signInRequired
            }
        }
        if answer.status == 429 { kind = .temporarilyUnavailable }
        return ProvisioningError(
            kind, code: envelope.code, Self.shortened(envelope.message),
            retryAfter: answer.retryAfter)
    }

    /// An answer without an envelope.
    private func failure(
        _ answer: HTTPAnswer, of call: ProvisioningCall, _ error: CloudStorageError
    ) -> ProvisioningError {
        let words = "the server answered HTTP \(answer.status)"
        switch answer.status {
        case 200..<300:
            // ownCloud 10 answers the end of an unknown app so.
            return ProvisioningError(
                .invalidAnswer, error.message, mayHaveHappened: !call.method.isSafe)
        case 401:
            let isKnown = state.withLock { state in
                if !state.isKnown { state.isRefused = true }
                return state.isKnown
            }
            return ProvisioningError(isKnown ? .forbidden : .signInRequired, words)
        case 403: return ProvisioningError(.forbidden, words)
        case 404, 405, 501: return ProvisioningError(.unsupported, words)
        case 400, 412, 413, 414, 415, 422: return ProvisioningError(.invalidInput, words)
        case 429, 503:
            return ProvisioningError(
                .temporarilyUnavailable, words, retryAfter: answer.retryAfter)
        case 502, 504:
            return ProvisioningError(
                .temporarilyUnavailable, words, mayHaveHappened: !call.method.isSafe)
        case 500..<600:
            return ProvisioningError(
                .serverFailure, words, mayHaveHappened: !call.method.isSafe)
        default: return ProvisioningError(.invalidAnswer, words)
        }
    }

    private static func shortened(_ message: String) -> String {
        message.utf8.count <= 500 ? message : String(message.prefix(500))
    }
}
