import Glibc

/// Whole small files of this machine: settings and credentials.
enum LocalFile {
    /// Settings and credentials are far smaller; anything larger is not ours.
    static let sizeLimit = 1 << 20

    /// The file's bytes; nil where there is none.
    static func read(_ path: String) throws(ServiceFailure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .system("open \(path)")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system("read \(path)") }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
            guard bytes.count <= sizeLimit else {
                throw ServiceFailure("\(path) is larger than \(sizeLimit) bytes")
            }
        }
    }

    /// Puts `bytes` in place of what the file held, so that a crash or a power cut leaves either
    /// the old content or the new one.
    static func replace(
        _ path: String, with bytes: [UInt8], mode: mode_t
    ) throws(ServiceFailure) {
        let temporary = "\(path).\(getpid()).new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .system("create \(temporary)") }
        do throws(ServiceFailure) {
            try writeAll(bytes, to: descriptor, path: temporary)
            guard fchmod(descriptor, mode) == 0 else {
                throw ServiceFailure.system("chmod \(temporary)")
            }
            guard fsync(descriptor) == 0 else { throw ServiceFailure.system("sync \(temporary)") }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        guard close(descriptor) == 0, rename(temporary, path) == 0 else {
            let failure = ServiceFailure.system("write \(path)")
            unlink(temporary)
            throw failure
        }
        try syncFolder(of: path)
    }

    /// Removes a file; not an error where there is none.
    static func remove(_ path: String) throws(ServiceFailure) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .system("delete \(path)") }
        try syncFolder(of: path)
    }

    /// Makes a folder and those above it; new ones are for this user only.
    static func makePrivateFolder(_ path: String) throws(ServiceFailure) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return try requireFolder(path) }
        guard errno == ENOENT, let parent = parent(of: path) else {
            throw .system("make the folder \(path)")
        }
        try makePrivateFolder(parent)
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .system("make the folder \(path)")
        }
        try requireFolder(path)
    }

    /// The names in a folder, sorted; none where the folder is missing.
    static func names(in folder: String) throws(ServiceFailure) -> [String] {
        guard let stream = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw .system("list \(folder)")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
                    String(cString: $0)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func parent(of path: String) -> String? {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return nil }
        return String(path[..<slash])
    }

    private static func requireFolder(_ path: String) throws(ServiceFailure) {
        var information = stat()
        guard stat(path, &information) == 0 else { throw .system("reach \(path)") }
        guard information.st_mode & S_IFMT == S_IFDIR else {
            throw ServiceFailure("\(path) is not a folder")
        }
    }

    private static func writeAll(
        _ bytes: [UInt8], to descriptor: Int32, path: String
    ) throws(ServiceFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system("write \(path)") }
            rest = rest.dropFirst(count)
        }
    }

    private static func syncFolder(of path: String) throws(ServiceFailure) {
        let folder = parent(of: path) ?? "/"
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open \(folder)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("sync \(folder)") }
    }
}
