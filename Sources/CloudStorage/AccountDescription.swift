/// What the account is and may: its roots, quota and the organisation's policy.
package struct AccountDescription: Hashable, Sendable, Codable {
    /// How `status` and `accounts` name the person.
    package var displayName: String
    package var roots: [CloudRoot]
    package var quota: StorageQuota?
    package var policy: StoragePolicy

    package init(
        displayName: String, roots: [CloudRoot], quota: StorageQuota?, policy: StoragePolicy
    ) {
        self.displayName = displayName
        self.roots = roots
        self.quota = quota
        self.policy = policy
    }
}

/// Bytes granted and used.
package struct StorageQuota: Hashable, Sendable, Codable {
    package var total: Int64
    package var used: Int64

    package init(total: Int64, used: Int64) {
        self.total = total
        self.used = used
    }
}

/// What the organisation refuses, known before it is tried.
package struct StoragePolicy: Hashable, Sendable, Codable {
    /// Lower case, each with its leading dot; a name that ends in one of them is refused.
    package var excludedExtensions: Set<String>
    /// Bytes; nil where there is no limit.
    package var maximumFileSize: Int64?
    /// Whether this person may lock files.
    package var allowsLocks: Bool

    package init(
        excludedExtensions: Set<String> = [], maximumFileSize: Int64? = nil,
        allowsLocks: Bool = true
    ) {
        self.excludedExtensions = excludedExtensions
        self.maximumFileSize = maximumFileSize
        self.allowsLocks = allowsLocks
    }
}

/// How one cloud differs from another, as data.
package struct Capabilities: Hashable, Sendable {
    /// What the server does with an upload onto an existing name.
    package enum UploadOntoName: Hashable, Sendable {
        /// Refuses it with `nameConflict`.
        case conflict
        /// Makes it the next revision of the existing file, which keeps its id.
        case revision
    }

    /// Whether a byte range can be asked for; nil while not yet known.
    package var supportsRanges: Bool?
    /// Nil while not yet known.
    package var uploadOntoName: UploadOntoName?
    /// Whether `relocate` may change folder and name in one call; otherwise one of them a call.
    package var relocatesInOneCall: Bool
    package var setsModificationTime: Bool
    package var movesBetweenRoots: Bool
    package var isCaseSensitive: Bool
    /// Seconds a lock may be asked for; nil where the cloud has no locks.
    package var lockSeconds: Int?
    /// Whether `upload(_:name:to:onto:)` checks what it replaces, in one step with replacing it
    /// wherever the server can.
    package var checksUploadTarget = false
    /// Whether items are found by path: `relocate` makes the references of all that is below a
    /// folder stale, and an id says only whether it is still the same item.
    package var addressesByPath = false
    /// Whether an upload that is cut off may leave the part that arrived, in place of what was there.
    package var keepsPartialUploads = false
    /// `changes` tells no items: its cursor stays the same as long as nothing below the root changes.
    package var cursorStandsForTree = false
    /// Whether `copy` is there: the server copies a file without sending it.
    package var copiesOnServer = false
    /// Whether `hearChanges` may have something to tell.
    package var tellsChanges = false

    package init(
        supportsRanges: Bool?, uploadOntoName: UploadOntoName?, relocatesInOneCall: Bool,
        setsModificationTime: Bool, movesBetweenRoots: Bool, isCaseSensitive: Bool,
        lockSeconds: Int?
    ) {
        self.supportsRanges = supportsRanges
        self.uploadOntoName = uploadOntoName
        self.relocatesInOneCall = relocatesInOneCall
        self.setsModificationTime = setsModificationTime
        self.movesBetweenRoots = movesBetweenRoots
        self.isCaseSensitive = isCaseSensitive
        self.lockSeconds = lockSeconds
    }
}
