import Glibc
import NIOCore
import NIOPosix

/// Takes the bytes of one upload to disk; small ones in a single step.
///
/// Used by one task. Ends with `finish` or `discard`, after which nothing of it is left in
/// `incoming`.
struct UploadSink {
    private let store: ContentStore
    private let temporary: String
    private var file: OpenFile?
    private var gathered = ByteBuffer()
    private(set) var size: Int64 = 0

    init(store: ContentStore) {
        self.store = store
        temporary = store.allocateTemporary()
    }

    /// Takes bytes; returns when there is room for more, so that the client is slowed down to the
    /// speed of the disk.
    mutating func write(_ bytes: ByteBuffer) async throws {
        size += Int64(bytes.readableBytes)
        gathered.writeImmutableBuffer(bytes)
        if gathered.readableBytes >= ContentStore.pieceSize { try await spill() }
    }

    private mutating func spill() async throws {
        let piece = gathered
        let path = temporary
        let open = file
        file = try await store.threads.runIfActive {
            let target = try open ?? Self.create(path)
            try Self.append(piece, to: target, path: path)
            return target
        }
        gathered.clear()
    }

    /// Makes the content durable as a revision's file.
    mutating func finish(as revision: Int64) async throws {
        try await finish(at: store.path(of: revision))
    }

    /// Makes the content durable as a file of its own; the folder it is in is the caller's to sync.
    mutating func finish(at target: String) async throws {
        let piece = gathered
        let path = temporary
        let open = file
        try await store.threads.runIfActive {
            let file = try open ?? Self.create(path)
            do {
                try Self.append(piece, to: file, path: path)
                try SystemFile.syncData(file.descriptor, path: path)
                try SystemFile.rename(path, to: target)
            } catch {
                try SystemFile.remove(path)
                throw error
            }
        }
        gathered.clear()
        file = nil
    }

    /// Removes what was written.
    mutating func discard() async throws {
        let path = temporary
        let wasOpen = file != nil
        file = nil
        gathered.clear()
        if wasOpen { try await store.threads.runIfActive { try SystemFile.remove(path) } }
    }

    private static func create(_ path: String) throws -> OpenFile {
        OpenFile(try SystemFile.open(path, O_WRONLY | O_CREAT | O_EXCL))
    }

    private static func append(_ bytes: ByteBuffer, to file: OpenFile, path: String) throws {
        try bytes.withUnsafeReadableBytes {
            try SystemFile.writeAll(file.descriptor, $0, path: path)
        }
    }
}
