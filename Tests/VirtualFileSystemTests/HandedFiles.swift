import FileSystemTypes
import Glibc
import Synchronization
import TestSupport
import Testing

import VirtualFileSystem

/// A kernel that reads and writes by itself what it is handed.
final class HandedFiles: BackingFiles {
    private struct State {
        var files: [Int32: Int32] = [:]
        var last: Int32 = 0
        var takes = true
    }

    private let state = Mutex(State())

    func open(_ descriptor: Int32) -> Int32? {
        state.withLock { state in
            guard state.takes else { return nil }
            state.last += 1
            state.files[state.last] = descriptor
            return state.last
        }
    }

    func close(_ number: Int32) { state.withLock { $0.files[number] = nil } }

    var count: Int { state.withLock { $0.files.count } }

    func refuse() { state.withLock { $0.takes = false } }

    /// A program's own open file, as the kernel makes it; to be closed.
    func file(_ backing: OpenedFile.Backing?, _ flags: Int32) throws -> Int32 {
        let number = try #require(backing?.number)
        let descriptor = try #require(state.withLock { $0.files[number] })
        let file = Glibc.open("/proc/self/fd/\(descriptor)", flags | O_CLOEXEC)
        return try #require(file >= 0 ? file : nil)
    }

    /// What a program reads without the driver.
    func text(_ backing: OpenedFile.Backing?) throws -> String {
        let file = try file(backing, O_RDONLY)
        defer { Glibc.close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = pread(file, &bytes, bytes.count, 0)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }
}

extension Fixture {
    func opened(
        _ path: String, _ options: OpenOptions
    ) async throws(FileSystemError) -> OpenedFile {
        try await fileSystem.open(node: try await node(path), options: options, caller: caller)
            .value()
    }

    /// Opens a file that nobody has open for reading and writing by the kernel alone. Other tests' new child
    /// processes have a copy of every descriptor for an instant, by which the file is not the cache's alone.
    func openedInPlace(
        _ path: String, _ options: OpenOptions = []
    ) async throws -> OpenedFile {
        for _ in 0..<1000 {
            let file = try await opened(path, options.union([.read, .write]))
            if file.backing != nil { return file }
            try await close(file.handle)
        }
        throw FileSystemError(.inputOutput, "the kernel never has \(path)")
    }
}

extension HandedFiles {
    /// The modification time of the local file.
    func modified(_ backing: OpenedFile.Backing?) throws -> FileTime {
        let file = try file(backing, O_RDONLY)
        defer { Glibc.close(file) }
        let (seconds, nanoseconds) = modificationTime(of: file)
        return FileTime(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// A program writes without the driver.
    func write(_ text: String, at offset: Int = 0, _ backing: OpenedFile.Backing?) throws {
        let file = try file(backing, O_RDWR)
        defer { Glibc.close(file) }
        let bytes = Array(text.utf8)
        #expect(pwrite(file, bytes, bytes.count, off_t(offset)) == bytes.count)
    }
}
