import CloudStorage

/// One resource as a multistatus answer describes it: read, but not yet believed.
struct ServerEntry: Sendable, Equatable {
    var href: DAVHref
    /// Of the resource, where the server gave a status instead of properties.
    var status: Int?
    var isFolder: Bool
    /// Nil where there is none, or none that is a number.
    var size: Int64?
    var hasBadSize: Bool
    var etag: EntityTag?
    /// Seconds since 1970.
    var modified: Int64?
    var hasBadDate: Bool
    var fileID: String?
    /// The letters of `oc:permissions`.
    var permissions: String?
    var locks: [ActiveLock]
    /// The properties of Nextcloud's files_lock; nil where it holds no lock.
    var appLock: AppLock?
    var quotaAvailable: Int64?
    var quotaUsed: Int64?

    /// A lock of files_lock.
    struct AppLock: Sendable, Hashable {
        /// The user's id.
        var owner: String
        var displayName: String?
        /// 0 a person, 1 an application, 2 a WebDAV token.
        var type: Int
    }

    /// Dates outside 1900…2200 are no dates of files.
    static let plausibleSeconds: ClosedRange<Int64> = -2_208_988_800...7_258_118_400

    /// One entry for each href of the response.
    static func entries(of response: MultistatusResponse) -> [ServerEntry] {
        response.hrefs.map { ServerEntry(href: DAVHref($0), response) }
    }

    private init(href: DAVHref, _ response: MultistatusResponse) {
        let properties = response.properties
        let texts = properties.texts
        self.href = href
        status = response.status
        isFolder =
            properties.hasResourceType ? properties.isCollection : href.endsWithSlash
        let sizeText = texts[.contentLength].flatMap { $0.isEmpty ? nil : $0 }
        size = sizeText.flatMap { Int64($0) }
        hasBadSize = !isFolder && sizeText != nil && (size.map { $0 < 0 } ?? true)
        etag = texts[.etag].flatMap { EntityTag($0) }
        let dateText = texts[.lastModified].flatMap { $0.isEmpty ? nil : $0 }
        modified = dateText.flatMap { HTTPDate.seconds($0) }
            .flatMap { Self.plausibleSeconds.contains($0) ? $0 : nil }
        hasBadDate = dateText != nil && modified == nil
        fileID = texts[.fileID].flatMap(Self.identifier)
        permissions = texts[.permissions]
        locks = properties.locks
        appLock = Self.appLock(texts)
        quotaAvailable = texts[.quotaAvailable].flatMap { Int64($0) }
        quotaUsed = texts[.quotaUsed].flatMap { Int64($0) }
    }

    /// An id is digits: it becomes part of keys and logs.
    private static func identifier(_ text: String) -> String? {
        let isPlausible =
            (1...20).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return isPlausible ? text : nil
    }

    private static func appLock(_ texts: [DAVName: String]) -> AppLock? {
        guard let lock = texts[.lock], lock == "1" || lock == "true" else { return nil }
        return AppLock(
            owner: texts[.lockOwner] ?? "", displayName: texts[.lockOwnerName],
            type: texts[.lockOwnerType].flatMap { Int($0) } ?? 0)
    }
}
