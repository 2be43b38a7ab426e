/// The elements of RFC 4918, of Nextcloud and of ownCloud that this client reads.
enum DAVName: String, CaseIterable, Sendable {
    // RFC 4918, namespace `DAV:`.
    case multistatus = "DAV: multistatus"
    case response = "DAV: response"
    case href = "DAV: href"
    case propstat = "DAV: propstat"
    case prop = "DAV: prop"
    case status = "DAV: status"
    case error = "DAV: error"
    case lockTokenSubmitted = "DAV: lock-token-submitted"
    case noConflictingLock = "DAV: no-conflicting-lock"
    case resourcetype = "DAV: resourcetype"
    case collection = "DAV: collection"
    case contentLength = "DAV: getcontentlength"
    case lastModified = "DAV: getlastmodified"
    case etag = "DAV: getetag"
    case quotaAvailable = "DAV: quota-available-bytes"
    case quotaUsed = "DAV: quota-used-bytes"
    case lockdiscovery = "DAV: lockdiscovery"
    case activelock = "DAV: activelock"
    case locktoken = "DAV: locktoken"
    case lockroot = "DAV: lockroot"
    case owner = "DAV: owner"
    case timeout = "DAV: timeout"
    case depth = "DAV: depth"
    // ownCloud's namespace, which Nextcloud uses too.
    case fileID = "http://owncloud.org/ns fileid"
    case permissions = "http://owncloud.org/ns permissions"
    // Nextcloud's namespace (files_lock).
    case lock = "http://nextcloud.org/ns lock"
    case lockOwner = "http://nextcloud.org/ns lock-owner"
    case lockOwnerType = "http://nextcloud.org/ns lock-owner-type"
    case lockOwnerName = "http://nextcloud.org/ns lock-owner-displayname"
    // Error bodies of sabre/dav.
    case exception = "http://sabredav.org/ns exception"
    case message = "http://sabredav.org/ns message"
    /// Any other element.
    case unknown = ""

    private static let byText = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })

    /// - Parameter namespace: empty where the element has none.
    static func named(_ local: String, in namespace: String) -> DAVName {
        byText["\(namespace) \(local)"] ?? .unknown
    }
}
