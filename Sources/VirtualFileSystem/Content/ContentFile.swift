import BlockCache
import FileSystemTypes
import Glibc
import Synchronization

/// One file on the local disk, open while it is used; it may be removed while it is open.
final class ContentFile: Sendable {
    private struct State {
        /// Nil while it is parked.
        var descriptor: Int32?
        var users = 0
        var isRemoved = false
        var isNameStable = false
    }

    let path: String
    private let state: Mutex<State>

    /// Opens for reading and writing.
    /// - Parameter create: makes a new file, readable by its owner only; it must not exist.
    init(path: String, create: Bool) throws(FileSystemError) {
        self.path = path
        let descriptor = try Self.open(path, O_RDWR | (create ? O_CREAT | O_EXCL : 0))
        state = Mutex(State(descriptor: descriptor))
    }

    deinit {
        if let descriptor = state.withLock({ $0.descriptor }) { close(descriptor) }
    }

    private static func open(_ path: String, _ flags: Int32) throws(FileSystemError) -> Int32 {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .fromErrno("can't open \(path)") }
        return descriptor
    }

    /// Calls `body` with the open descriptor, which it must not keep; opens a parked file first.
    func use<Value>(_ body: (Int32) throws(FileSystemError) -> Value) throws(FileSystemError)
        -> Value
    {
        let descriptor = try state.withLock { state throws(FileSystemError) in
            if let descriptor = state.descriptor {
                state.users += 1
                return descriptor
            }
            let descriptor = try Self.open(path, O_RDWR)
            state.descriptor = descriptor
            state.users = 1
            return descriptor
        }
        defer { state.withLock { $0.users -= 1 } }
        return try body(descriptor)
    }

    /// Keeps the file open until `unpin`, by the descriptor that this returns.
    func pin() throws(FileSystemError) -> Int32 {
        try state.withLock { state throws(FileSystemError) in
            let descriptor =
                if let open = state.descriptor { open } else { try Self.open(path, O_RDWR) }
            state.descriptor = descriptor
            state.users += 1
            return descriptor
        }
    }

    func unpin() { state.withLock { $0.users -= 1 } }

    /// Closes the file until its next use. Nothing happens while it is used, or has no name.
    func park() {
        state.withLock { state in
            guard state.users == 0, !state.isRemoved, let descriptor = state.descriptor else {
                return
            }
            close(descriptor)
            state.descriptor = nil
        }
    }

    /// Opens a parked file, and keeps it open from now on: its name is about to go.
    func keepOpen() throws(FileSystemError) {
        try state.withLock { state throws(FileSystemError) in
            if state.descriptor == nil { state.descriptor = try Self.open(path, O_RDWR) }
            state.isRemoved = true
        }
    }

    /// Reads until the buffer is full or the file ends.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemError)
        -> Int
    {
        try use { descriptor throws(FileSystemError) in
            var done = 0
            while done < buffer.count {
                let count = pread(
                    descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
                    off_t(offset) + done)
                if count > 0 {
                    done += count
                } else if count == 0 {
                    break
                } else if errno != EINTR {
                    throw .fromErrno("can't read \(path)")
                }
            }
            return done
        }
    }

    /// Writes all of the bytes.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileSystemError) {
        try use { descriptor throws(FileSystemError) in
            var done = 0
            while done < bytes.count {
                let count = pwrite(
                    descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done,
                    off_t(offset) + done)
                if count >= 0 {
                    done += count
                } else if errno != EINTR {
                    throw .fromErrno("can't write \(path)")
                }
            }
        }
    }

    func truncate(to size: Int64) throws(FileSystemError) {
        try use { descriptor throws(FileSystemError) in
            guard ftruncate(descriptor, off_t(size)) == 0 else {
                throw .fromErrno("can't change the size of \(path)")
            }
        }
    }

    func allocate(_ mode: Int32, _ range: ByteRange) throws(FileSystemError) {
        try use { descriptor throws(FileSystemError) in
            let result = LinuxFileCalls.allocate(
                descriptor, mode: mode, offset: Int(range.lowerBound), count: Int(range.count))
            guard result == 0 else { throw .fromErrno("can't allocate in \(path)") }
        }
    }

    /// Puts the bytes, and the file's name, on stable storage.
    func sync() throws(FileSystemError) {
        try use { descriptor throws(FileSystemError) in
            guard fdatasync(descriptor) == 0 else { throw .fromErrno("can't sync \(path)") }
        }
        guard !state.withLock({ $0.isNameStable }) else { return }
        // A new file's name is its folder's data (fsync(2)).
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let directory = try Self.open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY)
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw .fromErrno("can't sync \(folder)") }
        state.withLock { $0.isNameStable = true }
    }

    /// Copies `range` to the same place in another file; shares blocks where the disk can.
    func copy(_ range: ByteRange, to target: ContentFile, at offset: Int64) throws(FileSystemError)
    {
        try use { descriptor throws(FileSystemError) in
            try target.use { other throws(FileSystemError) in
                var source = off_t(range.lowerBound)
                var destination = off_t(offset)
                var left = Int(range.count)
                while left > 0 {
                    let count = LinuxFileCalls.copyFileRange(
                        from: descriptor, &source, to: other, &destination, count: left)
                    if count == 0 { return }
                    if count < 0 {
                        if errno == EINTR { continue }
                        throw .fromErrno("can't copy \(path)")
                    }
                    left -= count
                }
            }
        }
    }

    /// CRC-32C of the first `size` bytes.
    func checksum(size: Int64) throws(FileSystemError) -> UInt32 {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { memory.deallocate() }
        var checksum = CRC32C()
        var offset: Int64 = 0
        while offset < size {
            let count = Int(min(Int64(memory.count), size - offset))
            let part = UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
            let read = try read(at: offset, into: part)
            guard read > 0 else { break }
            checksum.update(UnsafeRawBufferPointer(rebasing: part[..<read]))
            offset += Int64(read)
        }
        return checksum.value
    }

    /// The next data or hole at or after `offset`; nil where there is none.
    func seek(_ target: SeekTarget, from offset: Int64) throws(FileSystemError) -> Int64? {
        try use { descriptor in
            let found = lseek(
                descriptor, off_t(offset),
                target == .data ? LinuxFileCalls.seekData : LinuxFileCalls.seekHole)
            return found >= 0 ? Int64(found) : nil
        }
    }

    /// Removes the name; the open file stays readable.
    func remove() {
        state.withLock { $0.isRemoved = true }
        unlink(path)
    }
}

extension FileSystemError {
    /// The failure of a call on the local disk, from `errno`.
    static func fromErrno(_ what: String) -> FileSystemError {
        let number = errno
        let message = "\(what): \(String(cString: strerror(number)))"
        return switch number {
        case ENOSPC, EDQUOT: FileSystemError(.noSpace, message)
        case EFBIG: FileSystemError(.tooLarge, message)
        case EMFILE, ENFILE: FileSystemError(.tooManyOpen, message)
        case EOPNOTSUPP: FileSystemError(.notSupported, message)
        default: FileSystemError(.inputOutput, message)
        }
    }
}
