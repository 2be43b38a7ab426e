/// A resource's address as a server wrote it, taken apart: any host alias is dropped, any escaping
/// undone.
struct DAVHref: Hashable, Sendable {
    /// The decoded bytes between the slashes; empty parts (double slashes) left out.
    let parts: [[UInt8]]
    let endsWithSlash: Bool

    init(_ text: String) {
        var rest = Array(text.utf8)[...]
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")),
            rest[colon...].dropFirst().starts(with: "//".utf8),
            rest[..<colon].allSatisfy({ $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "%") })
        {
            let authority = rest[colon...].dropFirst(3)
            rest = authority[(authority.firstIndex(of: UInt8(ascii: "/")) ?? authority.endIndex)...]
        }
        endsWithSlash = rest.last == UInt8(ascii: "/")
        parts = rest.split(separator: UInt8(ascii: "/")).map { PercentCoding.decode($0) }
    }

    /// The parts below `folder`; nil where it is not at or below it.
    func parts(below folder: [[UInt8]]) -> ArraySlice<[UInt8]>? {
        guard parts.starts(with: folder) else { return nil }
        return parts.dropFirst(folder.count)
    }
}

/// The percent escapes of URLs (RFC 3986 section 2.1), on bytes.
enum PercentCoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Undoes all escapes; a `%` that begins none stands for itself.
    static func decode(_ text: some Collection<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var index = text.startIndex
        while index != text.endIndex {
            let byte = text[index]
            let high = text.index(after: index)
            guard byte == UInt8(ascii: "%"), high != text.endIndex, let first = value(text[high])
            else {
                decoded.append(byte)
                index = high
                continue
            }
            let low = text.index(after: high)
            guard low != text.endIndex, let second = value(text[low]) else {
                decoded.append(byte)
                index = high
                continue
            }
            decoded.append(first << 4 | second)
            index = text.index(after: low)
        }
        return decoded
    }

    /// Escapes all but the unreserved characters of RFC 3986, so that no server reads another name.
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var encoded: [UInt8] = []
        for byte in bytes {
            if isUnreserved(byte) {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
