import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization

extension VirtualFileSystem {
    /// Whether a local file has the bytes of a version that is complete in the cache. No calls.
    func isCached(_ server: ServerSide, equalTo content: LocalContent) async -> Bool {
        guard server.size == content.size, server.revision != nil else { return false }
        do throws(FileSystemError) {
            let cached = try cachedContent(for: server, reference: server.reference)
            defer { cached.release() }
            guard cached.isComplete else { return false }
            return try await disk.run { () throws(FileSystemError) in
                try Self.isEqual(cached, to: ContentFile(path: content.path, create: false))
            }
        } catch {
            logger.debug("contents can't be compared", metadata: ["error": "\(error)"])
            return false
        }
    }

    private static func isEqual(
        _ cached: CachedContent, to file: ContentFile
    ) throws(FileSystemError) -> Bool {
        let piece = 1 << 18
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: piece * 2, alignment: 16)
        defer { bytes.deallocate() }
        var offset: Int64 = 0
        while offset < cached.size {
            let count = Int(min(Int64(piece), cached.size - offset))
            let left = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
            let right = UnsafeMutableRawBufferPointer(rebasing: bytes[piece..<piece + count])
            guard try cached.readNow(offset: offset, into: left) == count,
                try file.read(at: offset, into: right) == count, left.elementsEqual(right)
            else { return false }
            offset += Int64(count)
        }
        return true
    }

    /// Whether the server's item has the bytes of a version that is complete in the cache; false
    /// where that is not all there.
    func isCached(
        _ server: ServerSide, as item: CloudItem
    ) async throws(CloudStorageError) -> Bool {
        guard item.reference.kind == .file, item.size == server.size, server.revision != nil else {
            return false
        }
        let cached: CachedContent?
        do throws(FileSystemError) {
            cached = try await completeContent(of: server)
        } catch {
            throw CloudStorageError(.localFile, error.message)
        }
        guard let cached else { return false }
        defer { cached.release() }
        let comparison = ComparingSink { offset, bytes throws(FileSystemError) in
            try cached.readNow(offset: offset, into: bytes) ?? 0
        }
        try await cloud.download(item.reference, range: nil, to: comparison)
        return comparison.isEqual
    }

    /// A version that is complete and verified in the cache, in use; nil where it is not.
    private func completeContent(
        of server: ServerSide
    ) async throws(FileSystemError) -> CachedContent? {
        let cached = try cachedContent(for: server, reference: server.reference)
        do throws(FileSystemError) {
            let isWhole = try await disk.run { () throws(FileSystemError) in
                guard cached.isComplete else { return false }
                return try cached.verifyAll()
            }
            if isWhole { return cached }
        } catch {
            cached.release()
            throw error
        }
        cached.release()
        return nil
    }

    /// Whether the server's item has exactly these bytes. Sizes are compared before anything is
    /// downloaded.
    func isContent(
        _ content: LocalContent, equalTo item: CloudItem
    ) async throws(CloudStorageError) -> Bool {
        guard item.reference.kind == .file, item.size == content.size else { return false }
        let file: ContentFile
        do throws(FileSystemError) {
            file = try ContentFile(path: content.path, create: false)
        } catch {
            throw CloudStorageError(.localFile, error.message)
        }
        let comparison = ComparingSink { offset, bytes throws(FileSystemError) in
            try file.read(at: offset, into: bytes)
        }
        try await cloud.download(item.reference, range: nil, to: comparison)
        return comparison.isEqual
    }
}

/// Compares a download with local bytes as it arrives; keeps nothing.
private final class ComparingSink: DownloadSink {
    private struct State {
        var offset: Int64 = 0
        var isEqual = true
    }

    /// Copies local bytes from an offset on; returns their count, short at the end.
    typealias Read = @Sendable (Int64, UnsafeMutableRawBufferPointer) throws(FileSystemError) -> Int

    private let read: Read
    private let state = Mutex(State())

    init(read: @escaping Read) { self.read = read }

    var isEqual: Bool { state.withLock { $0.isEqual } }

    func begin(offset: Int64, totalSize: Int64?) throws(CloudStorageError) {
        state.withLock { $0.offset = offset }
    }

    func receive(_ bytes: UnsafeRawBufferPointer) throws(CloudStorageError) {
        let (offset, isEqual) = state.withLock { ($0.offset, $0.isEqual) }
        guard isEqual else { return }
        let own = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, bytes.count), alignment: 16)
        defer { own.deallocate() }
        let count: Int
        do throws(FileSystemError) {
            count = try read(
                offset, UnsafeMutableRawBufferPointer(rebasing: own[..<bytes.count]))
        } catch {
            throw CloudStorageError(.localFile, error.message)
        }
        let isSame = bytes.elementsEqual(own[..<count])
        state.withLock { state in
            state.offset += Int64(bytes.count)
            state.isEqual = isSame
        }
    }
}
