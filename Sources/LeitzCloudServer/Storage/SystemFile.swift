import Glibc

/// The few system calls the server makes on files, with the system's reason in the error.
///
/// Every function blocks; call them on a thread that may.
enum SystemFile {
    /// Makes a folder where it is missing.
    static func makeFolder(_ path: String, mode: mode_t = 0o700) throws(EmbeddedCloudError) {
        if mkdir(path, mode) != 0, errno != EEXIST { throw failure(path) }
    }

    /// Makes a folder and every missing folder above it.
    static func makeFolders(_ path: String) throws(EmbeddedCloudError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += (made.isEmpty || made.hasSuffix("/") ? "" : "/") + part
            try makeFolder(made)
        }
    }

    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600)
        throws(EmbeddedCloudError) -> Int32
    {
        while true {
            let descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
            if descriptor >= 0 { return descriptor }
            if errno != EINTR { throw failure(path) }
        }
    }

    /// Writes all bytes at the descriptor's position.
    static func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, path: String)
        throws(EmbeddedCloudError)
    {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw failure(path)
            }
        }
    }

    /// Reads up to the buffer's size at an offset; fewer bytes only at the end of the file.
    static func read(
        _ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int64
    )
        throws(EmbeddedCloudError) -> Int
    {
        var done = 0
        while done < bytes.count {
            let count = Glibc.pread(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done,
                off_t(offset) + off_t(done))
            if count == 0 { break }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw failure("descriptor \(descriptor)")
            }
        }
        return done
    }

    static func syncData(_ descriptor: Int32, path: String) throws(EmbeddedCloudError) {
        if fdatasync(descriptor) != 0 { throw failure(path) }
    }

    /// Makes renames in a folder survive a power cut.
    static func syncFolder(_ path: String) throws(EmbeddedCloudError) {
        let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
        defer { Glibc.close(descriptor) }
        if fsync(descriptor) != 0 { throw failure(path) }
    }

    static func rename(_ from: String, to target: String) throws(EmbeddedCloudError) {
        if Glibc.rename(from, target) != 0 { throw failure(target) }
    }

    /// Gives a file a second name.
    static func link(_ path: String, to target: String) throws(EmbeddedCloudError) {
        if Glibc.link(path, target) != 0 { throw failure(target) }
    }

    /// Removes a file; one that is missing counts as removed.
    static func remove(_ path: String) throws(EmbeddedCloudError) {
        if unlink(path) != 0, errno != ENOENT { throw failure(path) }
    }

    /// The names in a folder, without `.` and `..`.
    static func names(in path: String) throws(EmbeddedCloudError) -> [String] {
        guard let folder = opendir(path) else { throw failure(path) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// A small file's bytes, nil where there is none.
    static func contents(of path: String) throws -> [UInt8]? {
        guard access(path, F_OK) == 0 else { return nil }
        let descriptor = try open(path, O_RDONLY)
        defer { Glibc.close(descriptor) }
        var result: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let offset = Int64(result.count)
            let count = try piece.withUnsafeMutableBytes { raw in
                try read(descriptor, into: raw, at: offset)
            }
            result.append(contentsOf: piece[..<count])
            if count < piece.count { return result }
        }
    }

    /// Replaces a small file in one step that survives a power cut.
    static func replace(_ path: String, with bytes: [UInt8], mode: mode_t) throws {
        let temporary = path + ".new"
        try remove(temporary)
        let descriptor = try open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        defer { Glibc.close(descriptor) }
        try bytes.withUnsafeBytes { raw in
            try writeAll(descriptor, raw, path: temporary)
        }
        try syncData(descriptor, path: temporary)
        try rename(temporary, to: path)
    }

    static func failure(_ path: String) -> EmbeddedCloudError {
        .fileFailure(path: path, reason: String(cString: strerror(errno)))
    }
}

/// An open file that closes itself with its last reference.
final class OpenFile: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
}
