package import Logging

import struct FoundationEssentials.Date

/// How an embedded cloud is set up.
package struct EmbeddedCloudConfiguration: Sendable {
    /// The folder that holds everything the server keeps; made where it is missing.
    package var dataFolder: String
    /// Host name or address to listen on; the certificate is made out to it too.
    package var host: String
    /// 0 for a free port.
    package var port: Int
    package var behaviour: ServerBehaviour
    package var logger: Logger
    /// Serves `/_test/faults` and `/_test/counts`, for tests that run the server in a process of
    /// its own.
    package var faultHooksOverHTTP = false
    /// Serves HTTP without TLS; only where the host is a loopback address.
    package var isPlain = false
    /// Tells WebDAV clients of changes, on a free port of its own.
    package var tellsChanges = false
    /// Tells of changes without TLS although the rest is HTTPS, as behind a proxy that was set up
    /// badly; only where the host is a loopback address. For tests of clients, which refuse that.
    package var hasPlainPush = false
    /// The binary logarithm of scrypt's rounds for new passwords; tests that make many accounts and
    /// are not about passwords lower it.
    package var passwordCost = 14
    /// Seconds since 1970; tests put a clock of their own here.
    package var clock: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970) }

    /// A configuration for a loopback server on a free port unless told otherwise.
    package init(
        dataFolder: String, host: String = "127.0.0.1", port: Int = 0,
        behaviour: ServerBehaviour = ServerBehaviour(),
        logger: Logger = Logger(label: "ordner.server")
    ) {
        self.dataFolder = dataFolder
        self.host = host
        self.port = port
        self.behaviour = behaviour
        self.logger = logger
    }
}

extension EmbeddedCloudConfiguration {
    /// Whether a host to listen on is one that only this machine reaches.
    package static func isLoopback(_ host: String) -> Bool {
        ["127.0.0.1", "::1", "localhost"].contains(host)
    }

    var hostInURL: String { host.contains(":") ? "[\(host)]" : host }
}

/// Why an embedded cloud can't start or an administrative call can't be done.
package enum EmbeddedCloudError: Error, Equatable, CustomStringConvertible {
    /// Another server has the data folder open.
    case dataFolderInUse(String)
    /// The data folder was written by a newer version.
    case dataFolderTooNew(String)
    /// A file of the data folder can't be made, read or written; with the system's reason.
    case fileFailure(path: String, reason: String)
    /// HTTP without TLS is for loopback addresses.
    case plainBeyondLoopback(host: String)
    /// The address can't be listened on.
    case cannotListen(String)
    /// An administrative call names a person or root that does not exist, or an unknown word.
    case noSuch(String)

    package var description: String {
        switch self {
        case .dataFolderInUse(let path): "another server is using the data folder \(path)"
        case .dataFolderTooNew(let path):
            "the data folder \(path) was written by a newer version of this program"
        case .fileFailure(let path, let reason): "\(path): \(reason)"
        case .plainBeyondLoopback(let host):
            "HTTP without TLS is served on loopback addresses only, and \(host) is none"
        case .cannotListen(let reason): "cannot listen: \(reason)"
        case .noSuch(let what): "no such \(what)"
        }
    }
}
