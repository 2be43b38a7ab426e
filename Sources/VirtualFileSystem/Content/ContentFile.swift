import FileSystemTypes
import Glibc

/// One open file on the local disk. Closing is its end; it may be removed before.
final class ContentFile: Sendable {
    let path: String
    let descriptor: Int32

    /// Opens for reading and writing.
    /// - Parameter create: makes a new file, readable by its owner only; it must not exist.
    init(path: String, create: Bool) throws(FileSystemError) {
        let flags = O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0)
        let descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else { throw .fromErrno("can't open \(path)") }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Reads until the buffer is full or the file ends.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(FileSystemError)
        -> Int
    {
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

    /// Writes all of the bytes.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileSystemError) {
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

    func truncate(to size: Int64) throws(FileSystemError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw .fromErrno("can't change the size of \(path)")
        }
    }

    func allocate(_ mode: Int32, _ range: ByteRange) throws(FileSystemError) {
        guard
            LinuxFileCalls.allocate(
                descriptor, mode: mode, offset: Int(range.lowerBound), count: Int(range.count))
                == 0
        else {
            throw .fromErrno("can't allocate in \(path)")
        }
    }

    /// Puts the bytes on stable storage.
    func sync() throws(FileSystemError) {
        guard fdatasync(descriptor) == 0 else { throw .fromErrno("can't sync \(path)") }
    }

    /// Copies `range` to the same place in another file; shares blocks where the disk can.
    func copy(_ range: ByteRange, to target: ContentFile, at offset: Int64) throws(FileSystemError)
    {
        var source = off_t(range.lowerBound)
        var destination = off_t(offset)
        var left = Int(range.count)
        while left > 0 {
            let count = LinuxFileCalls.copyFileRange(
                from: descriptor, &source, to: target.descriptor, &destination, count: left)
            if count == 0 { return }
            if count < 0 {
                if errno == EINTR { continue }
                throw .fromErrno("can't copy \(path)")
            }
            left -= count
        }
    }

    /// The next data or hole at or after `offset`; nil where there is none.
    func seek(_ target: SeekTarget, from offset: Int64) -> Int64? {
        let found = lseek(
            descriptor, off_t(offset),
            target == .data ? LinuxFileCalls.seekData : LinuxFileCalls.seekHole)
        return found >= 0 ? Int64(found) : nil
    }

    /// Removes the name; the open file stays readable.
    func remove() { unlink(path) }
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
