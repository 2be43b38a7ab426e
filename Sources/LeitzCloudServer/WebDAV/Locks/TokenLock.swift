import GRDB
import NIOCore

/// A lock that was taken with LOCK and is still in force (RFC 4918 section 6).
struct TokenLock: Sendable {
    static let columns =
        "token, item, person_id, owner, is_shared, is_deep, seconds, taken, expires"
    /// Seconds; what is asked for beyond is cut.
    static let maximumSeconds: Int64 = 86_400
    static let defaultSeconds: Int64 = 1800

    /// An absolute URI.
    var token: String
    var item: Int64
    var person: Int64
    /// Whatever the client wrote about itself, as XML.
    var owner: String
    var isShared: Bool
    /// Whether everything below the item is locked too.
    var isDeep: Bool
    var seconds: Int64
    var taken: Int64
    var expires: Int64

    init(_ row: Row) {
        token = row[0]
        item = row[1]
        person = row[2]
        owner = row[3]
        isShared = row[4]
        isDeep = row[5]
        seconds = row[6]
        taken = row[7]
        expires = row[8]
    }

    /// `activelock`.
    func write(root: String, to buffer: inout ByteBuffer) {
        buffer.writeStaticString("<d:activelock><d:lockscope>")
        buffer.writeStaticString(isShared ? "<d:shared/>" : "<d:exclusive/>")
        buffer.writeStaticString("</d:lockscope><d:locktype><d:write/></d:locktype>")
        buffer.writeStaticString("<d:lockroot>")
        buffer.writeElement("d:href", root)
        buffer.writeStaticString("</d:lockroot>")
        buffer.writeElement("d:depth", isDeep ? "infinity" : "0")
        buffer.writeElement("d:timeout", "Second-\(seconds)")
        buffer.writeStaticString("<d:locktoken>")
        buffer.writeElement("d:href", token)
        buffer.writeStaticString("</d:locktoken><d:owner>")
        buffer.writeString(owner)
        buffer.writeStaticString("</d:owner></d:activelock>")
    }

    /// The owner without markup, for a display.
    var ownerText: String {
        var text = ""
        var isInTag = false
        for character in owner {
            if character == "<" { isInTag = true }
            if !isInTag { text.append(character) }
            if character == ">" { isInTag = false }
        }
        for (entity, plain) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
            text = text.split(separator: entity, omittingEmptySubsequences: false)
                .joined(separator: plain)
        }
        return text
    }
}

/// What a LOCK request asks for.
struct LockWish: Sendable {
    var isShared: Bool
    /// As XML.
    var owner: String
    var isDeep: Bool
    var seconds: Int64

    /// Seconds of a `Timeout` header: the first value counts.
    static func seconds(_ header: String?) -> Int64 {
        guard let first = header?.split(separator: ",").first else {
            return TokenLock.defaultSeconds
        }
        let text = first.drop { $0 == " " }.prefix { $0 != " " }
        if text.lowercased() == "infinite" { return TokenLock.maximumSeconds }
        guard text.lowercased().hasPrefix("second-"), let seconds = Int64(text.dropFirst(7)) else {
            return TokenLock.defaultSeconds
        }
        return min(max(1, seconds), TokenLock.maximumSeconds)
    }
}
