import FoundationEssentials
import Glibc

/// Where Ordner keeps its files (XDG Base Directory Specification 0.8).
package struct ProgramFolders: Sendable, Equatable {
    /// Settings: small, worth a backup, no secrets.
    package let configuration: String
    /// Content the server can give again; anyone may delete it at any time.
    package let cache: String
    /// What only this machine has: credentials, the state table, unsent data, logs.
    package let state: String
    /// Sockets; nil where the session has no runtime folder.
    package let runtime: String?

    /// Follows the environment; relative paths in it are ignored, as the specification demands.
    package init(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ServiceFailure) {
        func folder(_ variable: String) -> String? {
            environment[variable].flatMap { $0.hasPrefix("/") ? $0 + "/ordner" : nil }
        }
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        func folder(_ variable: String, below suffix: String) throws(ServiceFailure) -> String {
            if let folder = folder(variable) { return folder }
            guard let home else {
                throw ServiceFailure(
                    "neither HOME nor \(variable) is set", remedy: "Set HOME to an absolute path.")
            }
            return "\(home)/\(suffix)/ordner"
        }
        configuration = try folder("XDG_CONFIG_HOME", below: ".config")
        cache = try folder("XDG_CACHE_HOME", below: ".cache")
        state = try folder("XDG_STATE_HOME", below: ".local/state")
        runtime = folder("XDG_RUNTIME_DIR")
    }

    var accounts: String { configuration + "/accounts" }

    func settingsFile(of account: AccountName) -> String { "\(accounts)/\(account).toml" }

    /// Credentials, state table and log of one account.
    package func state(of account: AccountName) -> String { "\(state)/\(account)" }

    package func cache(of account: AccountName) -> String { "\(cache)/\(account)" }

    func credentialsFile(of account: AccountName) -> String {
        state(of: account) + "/credentials.json"
    }

    package func log(of account: AccountName) -> String { state(of: account) + "/log" }

    /// Where a new control socket goes.
    var sockets: String { runtime ?? state + "/run" }

    /// Where control sockets may be: the mount may have been made in another kind of session.
    var possibleSockets: [String] { [runtime, state + "/run"].compactMap { $0 } }
}
