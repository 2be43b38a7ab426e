package import CloudStorage

/// A `multipart/form-data` body (RFC 7578) of one file part whose content comes from the disk.
package struct MultipartFile: Sendable {
    /// The name of the form field.
    package let field: String
    /// The `filename` parameter.
    package let fileName: String
    package let content: LocalContent
    private let boundary: String

    /// - Parameter boundary: up to 70 letters and digits that are unlikely to stand in the file;
    ///   a random one by default.
    package init(
        field: String, fileName: String, content: LocalContent,
        boundary: String = MultipartFile.randomBoundary()
    ) {
        self.field = field
        self.fileName = fileName
        self.content = content
        self.boundary = boundary
    }

    /// The value of the `Content-Type` header.
    package var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    /// What stands before the file's bytes.
    package var head: [UInt8] {
        Array(
            """
            --\(boundary)\r
            Content-Disposition: form-data; name="\(Self.quote(field))"; \
            filename="\(Self.quote(fileName))"\(extendedName)\r
            Content-Type: application/octet-stream\r
            \r

            """.utf8)
    }

    /// What stands behind the file's bytes.
    package var tail: [UInt8] { Array("\r\n--\(boundary)--\r\n".utf8) }

    /// Bytes of the whole body.
    package var totalSize: Int64 { Int64(head.count) + content.size + Int64(tail.count) }

    /// 128 random bits: a file holds them by chance less often than a disk errs.
    package static func randomBoundary() -> String {
        let high = String(UInt64.random(in: .min ... .max), radix: 36)
        let low = String(UInt64.random(in: .min ... .max), radix: 36)
        return "ordner-\(high)-\(low)"
    }

    /// `filename*` (RFC 5987) beside `filename`, only for names that servers are known to read in
    /// different ways: with quotes or backslashes, or with what browsers write for quotes and line
    /// breaks.
    private var extendedName: String {
        let isAmbiguous =
            fileName.contains { $0 == "\"" || $0 == "\\" }
            || ["%22", "%0D", "%0A", "%0d", "%0a"].contains { fileName.contains($0) }
        return isAmbiguous ? "; filename*=UTF-8''\(FormEncoding.encode(fileName))" : ""
    }

    /// Escapes as a quoted string (RFC 9110 section 5.6.4), which the form parsers of Python, Go,
    /// PHP and Java undo; line breaks, which no quoted string may hold, become `%0D` and `%0A`.
    private static func quote(_ text: String) -> String {
        var quoted = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                quoted.append("\\")
                quoted.unicodeScalars.append(scalar)
            case "\r": quoted.append("%0D")
            case "\n": quoted.append("%0A")
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted
    }
}
