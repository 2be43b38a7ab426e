import FileSystemTypes
import Glibc

/// The cache's files: `blocks-v1/NAME.data` with the bytes, `NAME.index` with the sidecar.
///
/// Every call blocks on the disk and may be made from several threads. Names are random, so that
/// a second process on the same folder can spoil nothing that a checksum doesn't find.
struct CacheFolder: Sendable {
    /// A stored content found at start.
    struct StoredEntry: Sendable {
        var name: String
        var index: BlockIndex
        /// When it was last used.
        var used: FileTime
    }

    private static let prefix = "blocks-v"
    private static let dataSuffix = ".data"
    private static let indexSuffix = ".index"
    private static let temporarySuffix = ".tmp"

    /// The folder of this format version.
    let path: String

    /// Makes the folder (0700) and removes those of other format versions.
    init(at base: String) throws(FileSystemError) {
        path = "\(base)/\(Self.prefix)\(BlockIndex.formatVersion)"
        try Self.makeFolders(path)
        for name in try Self.names(in: base)
        where name.hasPrefix(Self.prefix) && "\(base)/\(name)" != path {
            let other = "\(base)/\(name)"
            guard name.dropFirst(Self.prefix.count).allSatisfy(\.isNumber) else { continue }
            for file in try Self.names(in: other) { try Self.unlinkFile("\(other)/\(file)") }
            guard rmdir(other) == 0 else { throw .disk("rmdir", errno) }
        }
    }

    func dataPath(_ name: String) -> String { "\(path)/\(name)\(Self.dataSuffix)" }
    func indexPath(_ name: String) -> String { "\(path)/\(name)\(Self.indexSuffix)" }

    /// A name no other entry has.
    func newName() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Makes an empty data file; `exists` where the name is taken.
    func create(_ name: String) throws(FileSystemError) -> ContentFile {
        try ContentFile.open(dataPath(name), flags: O_RDWR | O_CREAT | O_EXCL)
    }

    func open(_ name: String) throws(FileSystemError) -> ContentFile {
        try ContentFile.open(dataPath(name), flags: O_RDWR)
    }

    /// Moves a file in as an entry's data; `crossRoot` where it is on another file system.
    func take(_ file: String, as name: String) throws(FileSystemError) {
        guard rename(file, dataPath(name)) == 0 else { throw .disk("rename", errno) }
    }

    /// Writes a sidecar so that either the old or the new one is there at any time. Where there is none
    /// yet, one that is torn by a crash is as good: its checksum tells.
    func writeIndex(_ index: BlockIndex, of name: String) throws(FileSystemError) {
        let bytes = index.encoded()
        do throws(FileSystemError) {
            return try Self.write(bytes, to: indexPath(name), flags: O_EXCL)
        } catch  where error.code == .exists {
            // Replaced below.
        }
        let temporary = "\(path)/\(name)\(Self.temporarySuffix)"
        try Self.write(bytes, to: temporary, flags: O_TRUNC)
        guard rename(temporary, indexPath(name)) == 0 else {
            let error = FileSystemError.disk("rename", errno)
            try Self.unlinkFile(temporary)
            throw error
        }
    }

    /// Makes a file with these bytes; removes it where they can't be written.
    private static func write(
        _ bytes: [UInt8], to path: String, flags: Int32
    ) throws(FileSystemError) {
        let file = try ContentFile.open(path, flags: O_WRONLY | O_CREAT | flags)
        let result: Result<Void, FileSystemError> = bytes.withUnsafeBytes { bytes in
            Result { () throws(FileSystemError) in try file.write(bytes, at: 0) }
        }
        do throws(FileSystemError) {
            try result.get()
        } catch {
            try unlinkFile(path)
            throw error
        }
    }

    /// The sidecar of an entry; nil where it is missing or damaged.
    func readIndex(of name: String) throws(FileSystemError) -> BlockIndex? {
        let file: ContentFile
        do throws(FileSystemError) {
            file = try ContentFile.open(indexPath(name), flags: O_RDONLY)
        } catch  where error.code == .notFound {
            return nil
        }
        let length = try file.length()
        // The largest that could have been written, with room for the strings.
        guard length <= 16 << 20 else { return nil }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(length), alignment: 8)
        defer { buffer.deallocate() }
        guard try file.read(into: buffer, at: 0) == Int(length) else { return nil }
        return BlockIndex(decoding: Array(buffer))
    }

    /// Notes on the sidecar that the entry was used now; the order survives a restart.
    func touchIndex(of name: String) throws(FileSystemError) {
        guard utimensat(AT_FDCWD, indexPath(name), nil, 0) == 0 || errno == ENOENT else {
            throw .disk("utimensat", errno)
        }
    }

    /// Removes both files of an entry, the sidecar first: data alone is worth nothing.
    func remove(_ name: String) throws(FileSystemError) {
        try Self.unlinkFile(indexPath(name))
        try Self.unlinkFile(dataPath(name))
    }

    /// Free bytes of the file system for this user; nil where it won't say.
    func freeBytes() -> Int64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int64(
            clamping: UInt64(status.f_bavail).multipliedFullWidth(by: UInt64(status.f_frsize)).low)
    }

    /// The usable entries of an earlier run, least recently used first; removes all other files.
    func scan() throws(FileSystemError) -> [StoredEntry] {
        var found: [StoredEntry] = []
        var kept: Set<String> = []
        let names = try Self.names(in: path)
        let dataFiles = Set(names.filter { $0.hasSuffix(Self.dataSuffix) })
        for file in names where file.hasSuffix(Self.indexSuffix) {
            let name = String(file.dropLast(Self.indexSuffix.count))
            guard dataFiles.contains(name + Self.dataSuffix),
                let index = try readIndex(of: name), let used = Self.lastUse("\(path)/\(file)")
            else { continue }
            found.append(StoredEntry(name: name, index: index, used: used))
            kept.insert(file)
            kept.insert(name + Self.dataSuffix)
        }
        for file in names where !kept.contains(file) { try Self.unlinkFile("\(path)/\(file)") }
        return found.sorted { $0.used < $1.used }
    }

    private static func lastUse(_ file: String) -> FileTime? {
        var status = stat()
        guard stat(file, &status) == 0 else { return nil }
        return FileTime(
            seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int32(status.st_mtim.tv_nsec))
    }

    private static func makeFolders(_ path: String) throws(FileSystemError) {
        var missing: [String] = []
        var current = path
        while mkdir(current, 0o700) != 0 {
            if errno == EEXIST { break }
            guard errno == ENOENT, let slash = current.lastIndex(of: "/"),
                slash > current.startIndex
            else { throw .disk("mkdir", errno) }
            missing.append(current)
            current = String(current[..<slash])
        }
        for folder in missing.reversed() {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw .disk("mkdir", errno) }
        }
    }

    private static func names(in folder: String) throws(FileSystemError) -> [String] {
        guard let stream = opendir(folder) else { throw .disk("opendir", errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    static func unlinkFile(_ path: String) throws(FileSystemError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .disk("unlink", errno) }
    }
}
