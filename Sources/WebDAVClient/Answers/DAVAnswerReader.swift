import CloudStorage
import XMLStream

/// One `response` of a multistatus answer, with the properties the server found.
struct MultistatusResponse: Sendable {
    /// As they were written, white space around them removed; usually one.
    var hrefs: [String] = []
    /// Of the whole response, where it has one instead of properties.
    var status: Int?
    var properties = DAVProperties()
}

/// The properties of one resource that came with a success status.
struct DAVProperties: Sendable {
    var texts: [DAVName: String] = [:]
    var isCollection = false
    /// Whether the server answered `resourcetype` at all.
    var hasResourceType = false
    var locks: [ActiveLock] = []

    mutating func merge(_ other: DAVProperties) {
        texts.merge(other.texts) { _, new in new }
        isCollection = isCollection || other.isCollection
        hasResourceType = hasResourceType || other.hasResourceType
        locks += other.locks
    }
}

/// An `activelock` of a `lockdiscovery` property.
struct ActiveLock: Sendable, Hashable {
    var token: String?
    /// All text of the `owner` element.
    var owner = ""
    /// As the server wrote it, e.g. `Second-300`.
    var timeout: String?
    /// What the lock was taken on, as the server wrote it; it covers what is below a folder as well.
    var root: String?
}

/// The body of an error answer, as RFC 4918 section 16 and sabre/dav write it.
struct DAVErrorBody: Sendable, Hashable {
    /// The name of sabre's exception, e.g. `Sabre\DAV\Exception\Locked`.
    var exception: String?
    var message: String?
    /// What the locks are on that refuse a call (RFC 4918 section 16), as it was written.
    var lockedHrefs: [String] = []
}

/// Reads the documents a WebDAV server answers with: `multistatus`, the `prop` of a LOCK, `error`.
///
/// Each `response` can be taken as soon as it is complete. Not for use from two threads at once.
final class DAVAnswerReader: XMLReceiver {
    /// Bytes of one element's text; the longest names are 255 bytes three times over.
    static let maximumText = 64 << 10
    /// Locks of one resource, hrefs of one response.
    private static let maximumRepeats = 1_000

    private(set) var error = DAVErrorBody()
    /// The locks of a document whose top is `prop`.
    private(set) var locks: [ActiveLock] = []
    private(set) var isMultistatus = false

    private var responses: [MultistatusResponse] = []
    private var parser: XMLPushParser?
    private var path: [DAVName] = []
    private var buffer: [UInt8] = []
    private var response = MultistatusResponse()
    private var propstat = DAVProperties()
    private var propstatStatus: Int?
    private var lock = ActiveLock()

    init() {
        parser = XMLPushParser(receiver: self)
    }

    func feed(_ bytes: UnsafeRawBufferPointer) throws(CloudStorageError) {
        try parser?.feed(bytes)
    }

    /// - Throws: `invalidAnswer` where the document is not complete.
    func finish() throws(CloudStorageError) { try parser?.finish() }

    /// The responses that have become complete since the last call.
    func takeResponses() -> [MultistatusResponse] {
        defer { responses.removeAll(keepingCapacity: true) }
        return responses
    }

    // MARK: - XMLReceiver

    func number(of local: String, in namespace: String) -> Int {
        DAVName.number(of: local, in: namespace)
    }

    func began(_ number: Int) throws(CloudStorageError) {
        let name = DAVName(number: number)
        path.append(name)
        if !path.dropLast().contains(.owner) { buffer.removeAll(keepingCapacity: true) }
        switch name {
        case .multistatus where path.count == 1: isMultistatus = true
        case .response: response = MultistatusResponse()
        case .propstat:
            propstat = DAVProperties()
            propstatStatus = nil
        case .activelock: lock = ActiveLock()
        default: break
        }
    }

    func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(CloudStorageError) {
        guard buffer.count + bytes.count <= Self.maximumText else {
            throw CloudStorageError(.invalidAnswer, "a text in the answer is too long")
        }
        buffer.append(contentsOf: bytes)
    }

    func ended(_ number: Int) throws(CloudStorageError) {
        let name = DAVName(number: number)
        path.removeLast()
        switch name {
        case .unknown, .prop, .multistatus, .locktoken, .lockroot, .error, .lockTokenSubmitted,
            .noConflictingLock:
            break
        case .response: responses.append(response)
        case .propstat:
            if propstatStatus.map({ (200..<300).contains($0) }) ?? true {
                response.properties.merge(propstat)
            }
        case .href: try endedHref()
        case .status:
            if path.last == .propstat { propstatStatus = Self.code(takeText()) }
            if path.last == .response { response.status = Self.code(takeText()) }
        case .collection:
            if path.last == .resourcetype { propstat.isCollection = true }
        case .resourcetype: propstat.hasResourceType = true
        case .activelock: try endedLock()
        case .owner where path.last == .activelock: lock.owner = takeText()
        case .timeout where path.last == .activelock: lock.timeout = takeText()
        case .exception where path.last == .error: error.exception = takeText()
        case .message where path.last == .error: error.message = takeText()
        default:
            if path.last == .prop, path.contains(.propstat) { propstat.texts[name] = takeText() }
        }
    }

    private func endedHref() throws(CloudStorageError) {
        switch path.last {
        case .response:
            guard response.hrefs.count < Self.maximumRepeats else {
                throw CloudStorageError(.invalidAnswer, "a response is about too many resources")
            }
            response.hrefs.append(takeText())
        case .locktoken: lock.token = takeText()
        case .lockroot: lock.root = takeText()
        case .lockTokenSubmitted, .noConflictingLock:
            if error.lockedHrefs.count < Self.maximumRepeats {
                error.lockedHrefs.append(takeText())
            }
        default: break
        }
    }

    private func endedLock() throws(CloudStorageError) {
        guard max(propstat.locks.count, locks.count) < Self.maximumRepeats else {
            throw CloudStorageError(.invalidAnswer, "a resource has too many locks")
        }
        if path.contains(.propstat) { propstat.locks.append(lock) } else { locks.append(lock) }
    }

    /// The text of the element that has just ended, without white space around it.
    private func takeText() -> String {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let start = buffer.firstIndex { !isSpace($0) } ?? buffer.endIndex
        let end = buffer.lastIndex { !isSpace($0) } ?? buffer.startIndex
        guard start <= end, start < buffer.endIndex else { return "" }
        return String(decoding: buffer[start...end], as: UTF8.self)
    }

    /// The code of a status line such as `HTTP/1.1 404 Not Found`.
    private static func code(_ line: String) -> Int? {
        for word in line.split(separator: " ") where word.utf8.count == 3 {
            if let code = Int(word), (100..<600).contains(code) { return code }
        }
        return nil
    }
}
