/// What the API document leaves open, as switches; the defaults are the documented or the
/// strictest reading.
package struct ServerBehaviour: Sendable, Codable, Equatable {
    /// The answer to an upload onto the name of an existing file.
    package enum UploadOntoName: String, Sendable, Codable {
        /// 409 `name_conflict`, as the document says.
        case conflict
        /// The same file id gets its next revision; the old revision is kept.
        case revision
    }

    package var uploadOntoName: UploadOntoName = .conflict
    /// Whether `Range` is honoured on downloads (206, 416) or ignored (200 with the whole file).
    package var supportsRanges = false
    /// Whether names that differ in case only may stand side by side.
    package var isCaseSensitive = true
    /// Whether a deleted file or folder still takes its name.
    package var deletedNamesBlock = false
    /// Extensions, each with its dot, that upload and rename refuse with `invalid_extension`.
    package var excludedExtensions: [String] = []
    /// Files over this size are refused with 409 `policy_error`; nil for no limit.
    package var maximumFileSizeMB: Int?
    /// Whether persons may lock (policy `user_lock_files`); 403 `forbidden` where not.
    package var userLockFiles = true
    /// Life of an access token in seconds.
    package var accessTokenSeconds = 3600

    /// The documented behaviour.
    package init() {}

    /// The limit of `maximumFileSizeMB` in bytes.
    var maximumFileSize: Int64? { maximumFileSizeMB.map { Int64($0) * 1_048_576 } }
}
