import LeitzCloudServer

/// What `ordner server` was asked for.
package struct CloudServerSettings: Sendable {
    /// What the server does with an upload onto the name of an existing file.
    package enum UploadOntoName: String, Sendable, CaseIterable {
        case conflict
        case revision
    }

    /// Absolute.
    package var dataFolder: String
    package var host = "127.0.0.1"
    /// 0 for a free one.
    package var port = 0
    /// HTTP without TLS; on a loopback address only.
    package var isPlain = false
    /// A person to make, with the file that holds the password in its first line.
    package var administrator: (email: String, passwordFile: String)?
    package var uploadOntoName = UploadOntoName.conflict
    package var supportsRanges = false
    package var isCaseSensitive = true
    package var deletedNamesBlock = false
    /// Each with its dot.
    package var excludedExtensions: [String] = []
    package var maximumFileSizeMB: Int?
    package var accessTokenSeconds = 3600

    package init(dataFolder: String) { self.dataFolder = dataFolder }

    /// Whether a host to listen on is one that only this machine reaches.
    package static func isLoopback(_ host: String) -> Bool {
        EmbeddedCloudConfiguration.isLoopback(host)
    }

    var behaviour: ServerBehaviour {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName =
            switch uploadOntoName {
            case .conflict: .conflict
            case .revision: .revision
            }
        behaviour.supportsRanges = supportsRanges
        behaviour.isCaseSensitive = isCaseSensitive
        behaviour.deletedNamesBlock = deletedNamesBlock
        behaviour.excludedExtensions = excludedExtensions
        behaviour.maximumFileSizeMB = maximumFileSizeMB
        behaviour.accessTokenSeconds = accessTokenSeconds
        return behaviour
    }
}
