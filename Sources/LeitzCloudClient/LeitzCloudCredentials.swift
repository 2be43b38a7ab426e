package import CloudStorage

/// What a sign-in leaves behind and every later call needs.
package struct LeitzCloudCredentials: Codable, Hashable, Sendable {
    /// The server's address, as `ServerAddress` prints it.
    package var url: String
    /// The name the person signed in with.
    package var user: String
    package var accessToken: String
    /// Good for one refresh; the answer brings the next one.
    package var refreshToken: String
    /// The server's id for this installation; sent again with the next sign-in, so that the
    /// organisation's list of devices does not grow.
    package var guid: String?
    /// When the access token is due for renewal, in seconds since 1970: at half of its life.
    package var renewal: Int64
    /// When the access token ends, in seconds since 1970.
    package var expiry: Int64
    package var clientID: String
    /// Only for a client registered with the organisation.
    package var clientSecret: String?

    package init(
        url: String, user: String, accessToken: String, refreshToken: String, expiry: Int64
    ) {
        self.url = url
        self.user = user
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.renewal = expiry
        self.expiry = expiry
        self.clientID = Self.defaultClientID
    }

    /// The client id that the sign-in documents name for programs that are not registered.
    package static let defaultClientID = "anchor"
}

/// Keeps one account's credentials over restarts. Calls come one at a time, on a thread that may
/// block.
package protocol CredentialStore: Sendable {
    /// - Throws: `signInRequired` where there are none, `localFile` where they can't be read.
    func load() throws(CloudStorageError) -> LeitzCloudCredentials

    /// Replaces the stored credentials, all or nothing; durable when it returns.
    /// - Throws: `localFile`.
    func save(_ credentials: LeitzCloudCredentials) throws(CloudStorageError)
}
