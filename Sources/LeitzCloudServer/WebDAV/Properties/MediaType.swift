import LeitzCloudAPI

/// The media type of a file, guessed from the extension of its name.
enum MediaType {
    private static let types = [
        "txt": "text/plain", "md": "text/markdown", "html": "text/html", "css": "text/css",
        "csv": "text/csv", "xml": "application/xml", "json": "application/json",
        "pdf": "application/pdf", "zip": "application/zip", "gz": "application/gzip",
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
        "svg": "image/svg+xml", "mp3": "audio/mpeg", "mp4": "video/mp4",
        "odt": "application/vnd.oasis.opendocument.text",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ]

    static func of(_ name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else {
            return "application/octet-stream"
        }
        let word = name[name.index(after: dot)...].lowercased()
        return types[word] ?? "application/octet-stream"
    }

    /// `2020-09-13T12:26:40+00:00` (RFC 4918 section 15.1).
    static func timestamp(_ seconds: Int64) -> String {
        String(WireDate.format(seconds).prefix(19)) + "+00:00"
    }
}
