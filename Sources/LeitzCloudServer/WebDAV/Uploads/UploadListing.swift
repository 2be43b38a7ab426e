import NIOCore

/// PROPFIND in the upload area: the uploads, their pieces and what they come to.
struct UploadListing {
    private struct Entry {
        var path: [String]
        /// Nil for a folder.
        var size: Int64?
        var modified: Int64
    }

    private static let properties = [
        "getlastmodified", "getcontentlength", "resourcetype", "getcontenttype",
    ].map(XMLName.dav)

    let uploads: Uploads
    let request: DAVRequest
    let wish: PropfindCall.Wish

    func answer() throws -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeString(
            "<?xml version=\"1.0\"?>\n<d:multistatus" + ByteBuffer.xmlNamespaces + ">")
        for entry in try entries() { write(entry, to: &buffer) }
        buffer.writeStaticString("</d:multistatus>")
        return buffer
    }

    private func entries() throws -> [Entry] {
        let isDeep = request.depth != .zero
        guard let name = request.path.first else {
            let below = isDeep ? try uploads.all() : []
            return [Entry(path: [], modified: uploads.now)]
                + below.map { Entry(path: [$0.name], modified: $0.lastUsed) }
        }
        let upload = try uploads.upload(name)
        let chunks = try uploads.chunks(of: upload)
        let result = Entry(
            path: [name, UploadFolderCalls.result], size: chunks.reduce(0) { $0 + $1.size },
            modified: upload.lastUsed)
        let pieces = chunks.map {
            Entry(path: [name, $0.name], size: $0.size, modified: $0.modified)
        }
        if request.path.count == 2 {
            guard let entry = ([result] + pieces).first(where: { $0.path == request.path }) else {
                throw DAVError.notFound(request.path)
            }
            return [entry]
        }
        let folder = Entry(path: [name], modified: upload.lastUsed)
        return isDeep ? [folder, result] + pieces : [folder]
    }

    private func write(_ entry: Entry, to buffer: inout ByteBuffer) {
        buffer.writeStaticString("<d:response>")
        buffer.writeElement("d:href", request.href(entry.path, isFolder: entry.size == nil))
        buffer.writeStaticString("<d:propstat><d:prop>")
        var names = Self.properties
        if case .named(let wanted) = wish { names = wanted }
        var missing: [XMLName] = []
        for name in names where !write(name, entry, &buffer) { missing.append(name) }
        buffer.writeStaticString("</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>")
        if case .named = wish, !missing.isEmpty {
            PropfindAnswer.writeStatus("404 Not Found", missing, to: &buffer)
        }
        buffer.writeStaticString("</d:response>")
    }

    private func write(_ name: XMLName, _ entry: Entry, _ buffer: inout ByteBuffer) -> Bool {
        guard name.namespace == XMLName.webDAV else { return false }
        switch (name.local, entry.size) {
        case ("getlastmodified", _):
            buffer.writeElement("d:getlastmodified", HTTPDate.format(max(0, entry.modified)))
        case ("resourcetype", nil):
            buffer.writeStaticString("<d:resourcetype><d:collection/></d:resourcetype>")
        case ("resourcetype", _): buffer.writeStaticString("<d:resourcetype/>")
        case ("getcontentlength", let size?):
            buffer.writeElement("d:getcontentlength", String(size))
        case ("getcontenttype", _?):
            buffer.writeElement("d:getcontenttype", "application/octet-stream")
        default: return false
        }
        return true
    }
}
