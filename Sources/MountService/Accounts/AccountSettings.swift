/// What is known of an account besides its secrets: the file NAME.toml.
package struct AccountSettings: Hashable, Sendable, Codable {
    /// The protocols that a server may speak.
    package enum ServerType: String, Hashable, Sendable, Codable, CaseIterable {
        case leitzcloud
        /// Nextcloud and what is built on it, such as Leviia Drive.
        case nextcloud
        case owncloud
        /// Any other server of RFC 4918.
        case webdav

        /// Whether files are reached by WebDAV.
        package var isWebDAV: Bool { self != .leitzcloud }
    }

    package var type: ServerType
    /// The server's address, as `ServerAddress` writes it.
    package var url: String
    package var user: String
    /// A PEM file whose certificates are trusted besides the system's.
    package var certificateAuthority: String?

    package init(
        type: ServerType, url: String, user: String, certificateAuthority: String? = nil
    ) {
        self.type = type
        self.url = url
        self.user = user
        self.certificateAuthority = certificateAuthority
    }

    enum CodingKeys: String, CodingKey {
        case type, url, user
        case certificateAuthority = "certificate_authority"
    }
}
