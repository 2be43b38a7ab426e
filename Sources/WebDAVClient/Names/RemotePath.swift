import CloudStorage

/// Where an item is below the account's files, as the bytes of each part of its path.
struct RemotePath: Hashable, Sendable {
    var parts: [[UInt8]]

    static let top = RemotePath(parts: [])

    private init(parts: [[UInt8]]) { self.parts = parts }

    /// The path of a reference.
    /// - Throws: `invalidRequest` where it is no path of an item of this client.
    init(_ reference: ItemReference) throws(CloudStorageError) {
        guard reference.root == WebDAVClient.root else {
            throw CloudStorageError(.notFound, "this account has no such root")
        }
        try self.init(reference.path)
        guard parts.isEmpty == (reference.kind == .root) else {
            throw CloudStorageError(.invalidRequest, "the item's path is not one of this server")
        }
    }

    /// - Parameter path: absolute, of shown names.
    init(_ path: String) throws(CloudStorageError) {
        let bytes = Array(path.utf8)
        guard bytes.first == UInt8(ascii: "/"), !bytes.contains(0) else {
            throw CloudStorageError(.invalidRequest, "the item's path is not absolute")
        }
        var parts: [[UInt8]] = []
        if bytes.count > 1 {
            for part in bytes.dropFirst().split(
                separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            {
                guard !part.isEmpty, Array(part) != Array(".".utf8), Array(part) != Array("..".utf8)
                else {
                    throw CloudStorageError(.invalidRequest, "the item's path leads elsewhere")
                }
                parts.append(ShownName.serverBytes(String(decoding: part, as: UTF8.self)))
            }
        }
        self.parts = parts
    }

    /// The path of an entry of this folder.
    func appending(_ part: [UInt8]) -> RemotePath { RemotePath(parts: parts + [part]) }

    /// Nil for the top.
    var parent: RemotePath? { parts.isEmpty ? nil : RemotePath(parts: Array(parts.dropLast())) }

    /// Absolute, of shown names, as a reference has it.
    var text: String {
        parts.isEmpty ? "/" : parts.map { "/" + (ShownName.shown($0) ?? "") }.joined()
    }

    /// The escaped path below the account's files, beginning with `/`.
    /// - Parameter isFolder: ends it with `/`, as some servers want for folders.
    func escaped(isFolder: Bool) -> String {
        let path = parts.map { "/" + PercentCoding.encode($0) }.joined()
        return path.isEmpty || isFolder ? path + "/" : path
    }

    /// Whether `other` is this path or below it.
    func contains(_ other: RemotePath) -> Bool { other.parts.starts(with: parts) }
}
