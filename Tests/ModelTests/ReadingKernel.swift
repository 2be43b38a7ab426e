import FileSystemTypes
import Glibc
import Synchronization

import VirtualFileSystem

/// A kernel that reads by itself what it is handed, and programs that have files open so.
///
/// Every file that is opened for writing is open for reading before, as long as it is: what is
/// written must show there at once. Every other text is stored through a mapping.
final class ReadingKernel: BackingFiles {
    private struct State {
        var files: [Int32: Int32] = [:]
        var last: Int32 = 0
        var readers: [UInt64: OpenedFile] = [:]
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

    func forgetReaders() { state.withLock { $0.readers = [:] } }

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
            state.readers[writer]?.backing.flatMap { state.files[$0.number] }
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
