package import CloudStorage
import FoundationEssentials
import HTTPTransport
import Logging
import Synchronization

// Source: the README of Nextcloud's app notify_push.
extension WebDAVClient {
    /// The answer to a right password, and the beginning of each one to a wrong one.
    private static let accepted = "authenticated"
    private static let refused = "err:"

    package func hearChanges(
        _ listener: any ChangeListener
    ) async throws(CloudStorageError) {
        guard profile.kind == .nextcloud, let endpoints = try await pushEndpoints(),
            let call = try await pushCall(endpoints)
        else {
            throw CloudStorageError(.unsupported, "the server does not tell of changes")
        }
        let isAccepted = Mutex(false)
        try await transport.messages(of: call) { text throws(CloudStorageError) in
            if isAccepted.withLock({ $0 }) {
                // Others are about what is no file.
                if text == "notify_file" || text.hasPrefix("notify_file_id") { listener.changed() }
            } else if text == Self.accepted {
                isAccepted.withLock { $0 = true }
                listener.connected()
            } else if text.hasPrefix(Self.refused) {
                throw CloudStorageError(.forbidden, "the server does not let us hear of changes")
            }
        }
        throw CloudStorageError(.unreachable, "the server has stopped to tell of changes")
    }

    /// Where the server's own paths begin.
    private var site: String? {
        let files = "/remote.php/dav/files/"
        return server.filesURL.ranges(of: files).first.map {
            String(server.filesURL[..<$0.lowerBound])
        }
    }

    private func pushEndpoints() async throws(CloudStorageError) -> CloudCapabilities.Push? {
        guard let site else { return nil }
        var call = HTTPCall(
            "push-capabilities", .get, url: site + "/ocs/v1.php/cloud/capabilities?format=json")
        call.headers = [("OCS-APIRequest", "true")]
        let answer = try await authorized(call)
        guard answer.isSuccess else { throw WebDAVErrors.error(for: answer) }
        return try OCSAnswer.decode(CloudCapabilities.self, from: answer.body)
            .capabilities.notify_push?.endpoints
    }

    /// How to sign in there: by a token that is good for this only, else by the password, which no
    /// other host than the account's is told. Nil where neither can be.
    private func pushCall(
        _ endpoints: CloudCapabilities.Push
    ) async throws(CloudStorageError) -> WebSocketCall? {
        guard let text = endpoints.websocket, text.lowercased().hasPrefix("ws") else { return nil }
        let socket = try ServerAddress("http" + text.dropFirst(2))
        // Neither token nor password goes in the clear where the account's own address is safe.
        guard socket.scheme == address.scheme || socket.scheme == "https" else { return nil }
        if let place = endpoints.pre_auth, try ServerAddress(place).origin == address.origin {
            let answer = try await authorized(HTTPCall("push-token", .post, url: place))
            if answer.isSuccess {
                let token = String(decoding: answer.body, as: UTF8.self)
                    .trimmingPrefix { $0.isWhitespace }.prefix { !$0.isWhitespace }
                guard !token.isEmpty, token.utf8.count < 4_096 else {
                    throw CloudStorageError(.invalidAnswer, "the token is none")
                }
                return WebSocketCall(socket, greeting: ["", String(token)])
            }
            options.logger.debug("No token", metadata: ["status": "\(answer.status)"])
        }
        guard socket.host == address.host else { return nil }
        return WebSocketCall(socket, greeting: [credentials.user, credentials.password])
    }
}
