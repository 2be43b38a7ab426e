import Glibc

/// The space that content takes which no server has yet, and which is therefore in no cache.
struct UnsentContent: Sendable, Hashable {
    var files = 0
    /// On the disk: files with holes take less than they are long.
    var bytes: Int64 = 0

    /// Looks at the files of a folder; there may be none. Blocks.
    static func measure(in folder: String) throws(ServiceFailure) -> UnsentContent {
        var content = UnsentContent()
        for name in try LocalFile.names(in: folder) {
            var status = stat()
            guard lstat("\(folder)/\(name)", &status) == 0 else {
                // It was sent meanwhile.
                if errno == ENOENT { continue }
                throw .system("look at \(folder)/\(name)")
            }
            guard status.st_mode & S_IFMT == S_IFREG else { continue }
            content.files += 1
            content.bytes += Int64(status.st_blocks) * 512
        }
        return content
    }
}
