import FileSystemTypes
import Glibc
import Synchronization

import VirtualFileSystem

/// A kernel that reads and writes by itself what it is handed, and programs that have files open so.
///
/// Every other file that is opened for writing is open for reading before, as long as it is: what is
/// written must show there at once. Every other text is stored through a mapping. The others are opened
/// for reading and writing at once, and written without the driver where it hands them over.
final class ReadingKernel: BackingFiles {
    private struct State {
        var files: [Int32: Int32] = [:]
        var last: Int32 = 0
        var readers: [UInt64: OpenedFile] = [:]
        /// Those that write without the driver, and whether they append.
        var writers: [UInt64: (file: OpenedFile, appends: Bool)] = [:]
        var opens = 0
        var writes = 0
    }

    private let state = Mutex(State())

    func open(_ descriptor: Int32) -> Int32? {
        state.withLock { state in
            state.last += 1
            state.files[state.last] = descriptor
            return state.last
        }
    }

    func close(_ number: Int32) { state.withLock { $0.files[number] = nil } }

    /// Notes who reads a file while it is written by a handle.
    func note(_ reader: OpenedFile, of writer: UInt64) {
        state.withLock { $0.readers[writer] = reader }
    }

    func takeReader(of writer: UInt64) -> OpenedFile? {
        state.withLock { $0.readers.removeValue(forKey: writer) }
    }

    func forgetPrograms() {
        state.withLock { state in
            state.readers = [:]
            state.writers = [:]
        }
    }

    /// Whether the next file is opened for reading first.
    func readsNextFirst() -> Bool {
        state.withLock { state in
            state.opens += 1
            return state.opens % 2 == 0
        }
    }

    /// Notes who writes a file, where that needs no driver.
    func note(writer file: OpenedFile, appends: Bool) {
        guard let backing = file.backing, !backing.isOnlyMapped else { return }
        state.withLock { $0.writers[file.handle] = (file, appends) }
    }

    func forget(writer: UInt64) { state.withLock { $0.writers[writer] = nil } }

    /// Writes without the driver; false where that can't be.
    func write(
        _ bytes: [UInt8], at offset: Int64, by writer: UInt64
    ) throws(FileSystemError) -> Bool {
        let found = state.withLock { state -> (Int32, Bool)? in
            guard let writer = state.writers[writer], let backing = writer.file.backing,
                let descriptor = state.files[backing.number]
            else { return nil }
            return (descriptor, writer.appends)
        }
        guard let (descriptor, appends) = found else { return false }
        let file = try Self.open(descriptor, O_RDWR | (appends ? O_APPEND : 0))
        defer { Glibc.close(file) }
        let place = appends ? lseek(file, 0, SEEK_END) : off_t(offset)
        guard pwrite(file, bytes, bytes.count, place) == bytes.count else {
            throw FileSystemError(.inputOutput, "a write to a handed file failed")
        }
        return true
    }

    /// What a reader sees without the driver; nil where it has to ask the driver.
    func text(of writer: UInt64) throws(FileSystemError) -> String? {
        guard let descriptor = descriptor(of: writer) else { return nil }
        let file = try Self.open(descriptor, O_RDONLY)
        defer { Glibc.close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = pread(file, &bytes, bytes.count, 0)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }

    /// Whether the next text of a file goes through a mapping.
    func storesNext(_ writer: UInt64) -> Bool {
        guard descriptor(of: writer) != nil else { return false }
        return state.withLock { state in
            guard state.writers[writer] == nil else { return false }
            state.writes += 1
            return state.writes % 2 == 0
        }
    }

    /// Stores to a mapping of the file.
    func store(_ bytes: [UInt8], at offset: Int64, by writer: UInt64) throws(FileSystemError) {
        guard let descriptor = descriptor(of: writer) else { return }
        let file = try Self.open(descriptor, O_RDWR)
        defer { Glibc.close(file) }
        guard pwrite(file, bytes, bytes.count, off_t(offset)) == bytes.count else {
            throw FileSystemError(.inputOutput, "a store to a mapping failed")
        }
    }

    private func descriptor(of writer: UInt64) -> Int32? {
        state.withLock { state in
            (state.readers[writer]?.backing ?? state.writers[writer]?.file.backing)
                .flatMap { state.files[$0.number] }
        }
    }

    private static func open(_ descriptor: Int32, _ flags: Int32) throws(FileSystemError) -> Int32 {
        let file = Glibc.open("/proc/self/fd/\(descriptor)", flags | O_CLOEXEC)
        guard file >= 0 else {
            throw FileSystemError(.inputOutput, "a handed file can't be opened")
        }
        return file
    }
}
