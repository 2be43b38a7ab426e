import CloudStorage

/// How one WebDAV server differs from another, as data. Found by `WebDAVDetection`, never guessed.
package struct WebDAVProfile: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable {
        /// RFC 4918 and nothing else known.
        case generic
        /// Nextcloud and what is built on it, such as Leviia Drive.
        case nextcloud
        case owncloud
    }

    /// Names that are refused before they are sent. Source: capabilities, `files`.
    package struct NameRules: Hashable, Sendable, Codable {
        /// Lower case, whole names.
        package var names: Set<String> = []
        /// Lower case, names up to their first dot.
        package var baseNames: Set<String> = []
        package var characters: Set<String> = []
        /// Lower case, each with its leading dot.
        package var extensions: Set<String> = []

        package init() {}
    }

    package var kind: Kind
    /// What the server calls the signed-in person in its paths; nil where it has no such thing.
    package var userID: String?
    /// How the one root is called.
    package var rootName: String
    /// Class 2 of the `DAV` header: LOCK is more than an answer.
    package var supportsLocks = false
    /// A folder's ETag changes with everything below it.
    package var hasFolderETags = false
    /// An ETag changes with every write, so that it tells revisions apart alone. ownCloud 10 keeps
    /// one for all writes of a second.
    package var revisionIsETag = false
    /// If-None-Match is known to be honoured; otherwise every new file is preceded by a look, as
    /// every change of a file is where its ETag is not enough.
    package var honoursConditions = false
    /// `X-OC-Mtime` on an upload is kept.
    package var storesModificationTime = false
    /// The first second since 1970 that `X-OC-Mtime` takes; Nextcloud stores the content and yet
    /// answers 500 to what is older than a day after 1970.
    package var firstModificationTime: Int64 = 1
    /// A range that ends at byte 0 is read as one without an end (sabre/dav).
    package var readsZeroEndAsOpen = false
    /// `OC-Checksum` on an upload is stored; ownCloud also compares it with what has arrived.
    package var storesChecksums = false
    /// `oc:fileid` and the other properties of ownCloud's namespace are answered.
    package var hasFileIDs = false
    /// files_lock's properties are answered.
    package var hasAppLocks = false
    /// Names are stored in normalisation form C.
    package var normalizesNames = false
    /// A 423 may mean no more than two writes at once, for seconds.
    package var hasTransientLocks = false
    package var nameRules = NameRules()
    /// Bytes that the server wants at most in one piece of a large upload; nil where it takes none
    /// in pieces.
    package var largestChunk: Int64?

    package init(kind: Kind, rootName: String, userID: String? = nil) {
        self.kind = kind
        self.rootName = rootName
        self.userID = userID
    }

    /// What every server of a kind does, as tried on Nextcloud 34 and ownCloud 10.15.
    package static func known(
        _ kind: Kind, rootName: String, userID: String? = nil
    ) -> WebDAVProfile {
        var profile = WebDAVProfile(kind: kind, rootName: rootName, userID: userID)
        guard kind != .generic else { return profile }
        profile.hasFolderETags = true
        profile.revisionIsETag = kind == .nextcloud
        profile.honoursConditions = true
        profile.storesModificationTime = true
        profile.firstModificationTime = kind == .nextcloud ? 86_401 : 1
        profile.readsZeroEndAsOpen = true
        profile.storesChecksums = true
        profile.hasFileIDs = true
        profile.hasAppLocks = kind == .nextcloud
        profile.normalizesNames = true
        profile.hasTransientLocks = true
        return profile
    }

    /// What the client can say of itself before it has asked anything.
    var capabilities: Capabilities {
        var capabilities = Capabilities(
            supportsRanges: kind == .generic ? nil : true, uploadOntoName: .revision,
            relocatesInOneCall: true, setsModificationTime: storesModificationTime,
            movesBetweenRoots: false, isCaseSensitive: true,
            lockSeconds: supportsLocks ? WebDAVClient.lockSeconds : nil)
        capabilities.checksUploadTarget = true
        capabilities.addressesByPath = true
        capabilities.copiesOnServer = true
        capabilities.tellsChanges = kind == .nextcloud
        capabilities.keepsPartialUploads = kind == .generic
        capabilities.cursorStandsForTree = hasFolderETags
        return capabilities
    }
}
