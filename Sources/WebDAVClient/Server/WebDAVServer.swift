import CloudStorage
package import HTTPTransport

/// One account's place on a WebDAV server, as `WebDAVDetection` found it: what a mount has to know
/// before it asks anything.
package struct WebDAVServer: Hashable, Sendable, Codable {
    /// The folder that holds the account's files, absolute, escaped, without a `/` at its end.
    package var filesURL: String
    package var profile: WebDAVProfile
    /// What the server says it is, e.g. `34.0.1`; nil where it does not tell.
    package var version: String?
    /// How the person is called, where the server tells.
    package var displayName: String?

    package init(filesURL: String, profile: WebDAVProfile) {
        self.filesURL = filesURL
        self.profile = profile
    }

    /// - Throws: `invalidRequest` where the address is none that may be used.
    package var address: ServerAddress {
        get throws(CloudStorageError) { try ServerAddress(filesURL) }
    }
}

/// What a person signs in with: an app password where the server has them.
package struct WebDAVCredentials: Hashable, Sendable {
    package var user: String
    package var password: String

    package init(user: String, password: String) {
        self.user = user
        self.password = password
    }
}
