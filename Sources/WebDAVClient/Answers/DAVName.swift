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
    /// Any other element; the last case.
    case unknown = ""

    private static let all = Array(allCases)
    private static let numbers = Dictionary(
        uniqueKeysWithValues: all.enumerated().map { ($0.element.rawValue, $0.offset) })

    /// The number by which `init(number:)` finds the name again.
    ///
    /// - Parameter namespace: empty where the element has none.
    static func number(of local: String, in namespace: String) -> Int {
        numbers["\(namespace) \(local)"] ?? all.count - 1
    }

    init(number: Int) { self = Self.all[number] }
}
