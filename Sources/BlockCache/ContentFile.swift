import FileSystemTypes
import Glibc
import SystemPackage

/// An open local file that holds content; closed when the last user lets go of it.
///
/// Every call blocks on the disk and may be made from several threads.
final class ContentFile: Sendable {
    let descriptor: Int32

    init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Opens a file.
    static func open(
        _ path: String, flags: Int32
    ) throws(FileSystemError) -> ContentFile {
        while true {
            let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
            if descriptor >= 0 { return ContentFile(owning: descriptor) }
            if errno != EINTR { throw .disk("open", errno) }
        }
    }

    /// Reads until the buffer is full or the file ends; returns the count.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(FileSystemError) -> Int {
        var done = 0
        guard let base = buffer.baseAddress else { return 0 }
        while done < buffer.count {
            let count = pread(descriptor, base + done, buffer.count - done, Int(offset) + done)
            if count > 0 {
                done += count
            } else if count == 0 {
                break
            } else if errno != EINTR {
                throw .disk("read", errno)
            }
        }
        return done
    }

    /// Fills the buffer without waiting for the disk; false where not all of it is in memory.
    func readFromMemory(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Bool {
        LinuxFileCalls.readFromMemory(descriptor, into: buffer, at: offset) == buffer.count
    }

    /// Writes all bytes.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileSystemError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, base + done, bytes.count - done, Int(offset) + done)
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw .disk("write", count == 0 ? EIO : errno)
            }
        }
    }

    /// Gives the space of a range back; a file system that can't do it keeps the space.
    func punchHole(_ range: ByteRange) throws(FileSystemError) {
        let result = LinuxFileCalls.allocate(
            descriptor, mode: LinuxFileCalls.punchHole | LinuxFileCalls.keepSize,
            offset: Int(range.lowerBound), count: Int(range.count))
        guard result != 0 else { return }
        if errno != EOPNOTSUPP && errno != ENOSYS { throw .disk("fallocate", errno) }
    }

    /// Bytes from the start to the end of the file.
    func length() throws(FileSystemError) -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .disk("fstat", errno) }
        return Int64(status.st_size)
    }

    /// The next data (or hole) at or after the offset, as the local file system tells it.
    func seek(_ offset: Int64, data: Bool) throws(FileSystemError) -> Int64 {
        // SEEK_DATA and SEEK_HOLE (linux/fs.h).
        let found = lseek(descriptor, Int(offset), data ? 3 : 4)
        guard found >= 0 else { throw .disk("lseek", errno) }
        return Int64(found)
    }

    /// Copies a range to another descriptor, in the kernel where it can, without a copy of the
    /// blocks where both files are on a file system that shares them.
    func copy(
        _ range: ByteRange, to target: Int32, at targetOffset: Int64
    ) throws(FileSystemError) {
        var source = Int(range.lowerBound)
        var destination = Int(targetOffset)
        while source < range.upperBound {
            let want = min(Int(range.upperBound) - source, 1 << 30)
            let count = LinuxFileCalls.copyFileRange(
                from: descriptor, &source, to: target, &destination, count: want)
            if count > 0 { continue }
            if count < 0 && errno == EINTR { continue }
            let canFallBack = [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP].contains(errno)
            guard count < 0 && canFallBack else {
                throw .disk("copy_file_range", count == 0 ? EIO : errno)
            }
            let rest = ByteRange(Int64(source), range.upperBound)
            return try copyThroughMemory(rest, to: target, at: Int64(destination))
        }
    }

    private func copyThroughMemory(
        _ range: ByteRange, to target: Int32, at targetOffset: Int64
    ) throws(FileSystemError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(range.count, 1 << 18)), alignment: 4096)
        defer { buffer.deallocate() }
        // The wrapper closes what it owns, and the target stays the caller's.
        let copy = dup(target)
        guard copy >= 0 else { throw .disk("dup", errno) }
        let output = ContentFile(owning: copy)
        var done: Int64 = 0
        while done < range.count {
            let piece = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<Int(min(Int64(buffer.count), range.count - done))])
            let count = try read(into: piece, at: range.lowerBound + done)
            guard count == piece.count else { throw .disk("read", EIO) }
            try output.write(UnsafeRawBufferPointer(piece), at: targetOffset + done)
            done += Int64(count)
        }
    }

    /// The CRC-32C of a range, read piece by piece; nil where the file ends before it.
    func checksum(
        of range: ByteRange, buffer: UnsafeMutableRawBufferPointer
    ) throws(FileSystemError) -> UInt32? {
        var crc = CRC32C()
        var position = range.lowerBound
        while position < range.upperBound {
            let piece = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<Int(min(Int64(buffer.count), range.upperBound - position))])
            let count = try read(into: piece, at: position)
            guard count == piece.count else { return nil }
            crc.update(UnsafeRawBufferPointer(piece))
            position += Int64(count)
        }
        return crc.value
    }
}

extension FileSystemError {
    /// A failed disk call, named by its system call.
    static func disk(_ call: String, _ code: Int32) -> FileSystemError {
        let reason: Code =
            switch code {
            case ENOSPC, EDQUOT: .noSpace
            case EMFILE, ENFILE: .tooManyOpen
            case EACCES, EPERM: .accessDenied
            case ENOENT: .notFound
            case EEXIST: .exists
            case ENXIO: .noData
            case EROFS: .readOnly
            case EFBIG: .tooLarge
            case EXDEV: .crossRoot
            default: .inputOutput
            }
        return FileSystemError(
            reason, "block cache: \(call) failed: \(Errno(rawValue: code).description)")
    }
}
