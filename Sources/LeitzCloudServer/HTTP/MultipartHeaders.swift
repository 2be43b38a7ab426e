/// The headers of one part of a multipart form, as far as they matter.
struct MultipartHeaders: Equatable {
    /// The form field's name.
    var name: String?
    /// The file's name as it came, not yet checked; nil where the part is no file.
    var filename: String?

    init(name: String?, filename: String?) {
        self.name = name
        self.filename = filename
    }

    /// Throws `invalid_name` where a file name is no UTF-8.
    init(_ bytes: [UInt8]) throws(APIError) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidName }
        for line in text.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-disposition" else { continue }
            let parameters = HeaderParameters(parts[1])
            name = parameters["name"].map(Self.unescape)
            if let extended = parameters["filename*"] {
                filename = try Self.decodeExtended(extended)
            } else {
                filename = parameters["filename"].map(Self.unescape)
            }
        }
    }

    /// `UTF-8''percent-encoded` (RFC 5987).
    private static func decodeExtended(_ value: String) throws(APIError) -> String {
        let parts = value.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, ["utf-8", "us-ascii"].contains(parts[0].lowercased()) else {
            throw .invalidName
        }
        do throws(APIError) {
            return try PercentEncoding.decode(parts[2], plusIsSpace: false)
        } catch {
            throw .invalidName
        }
    }

    /// Browsers escape exactly these three characters in a name (HTML standard, multipart form
    /// data); any other percent sign stands for itself.
    private static func unescape(_ text: String) -> String {
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = PercentEncoding.digit(bytes[index + 1]),
                let low = PercentEncoding.digit(bytes[index + 2]),
                [0x22, 0x0d, 0x0a].contains(high << 4 | low)
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// The `;`-separated parameters of a header value; names in lower case, quotes taken off.
struct HeaderParameters {
    private var values: [String: String] = [:]

    init(_ header: some StringProtocol) {
        let bytes = Array(header.utf8)
        var index = bytes.firstIndex(of: UInt8(ascii: ";")) ?? bytes.count
        while index < bytes.count {
            index += 1
            while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
            let start = index
            while index < bytes.count, bytes[index] != UInt8(ascii: "="),
                bytes[index] != UInt8(ascii: ";")
            { index += 1 }
            let name = String(decoding: bytes[start..<index], as: UTF8.self).lowercased()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "=") else { continue }
            index += 1
            let value = Self.value(bytes, &index)
            if values[name] == nil { values[name] = value }
        }
    }

    subscript(name: String) -> String? { values[name] }

    /// Reads a token or a quoted string and stops at the `;` behind it. A backslash escapes only a
    /// quote or a backslash: some clients send `\` as it is.
    private static func value(_ bytes: [UInt8], _ index: inout Int) -> String {
        var value: [UInt8] = []
        let quote = UInt8(ascii: "\"")
        let backslash = UInt8(ascii: "\\")
        if index < bytes.count, bytes[index] == quote {
            index += 1
            while index < bytes.count, bytes[index] != quote {
                if bytes[index] == backslash, index + 1 < bytes.count,
                    bytes[index + 1] == quote || bytes[index + 1] == backslash
                {
                    index += 1
                }
                value.append(bytes[index])
                index += 1
            }
            while index < bytes.count, bytes[index] != UInt8(ascii: ";") { index += 1 }
        } else {
            while index < bytes.count, bytes[index] != UInt8(ascii: ";") {
                value.append(bytes[index])
                index += 1
            }
            while value.last == 0x20 || value.last == 0x09 { value.removeLast() }
        }
        return String(decoding: value, as: UTF8.self)
    }
}
