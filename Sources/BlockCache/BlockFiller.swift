import CloudStorage
import FileSystemTypes
import Synchronization

/// Writes the bytes of one fetch to the content's file as they arrive.
///
/// Its mutex is only ever taken by the one thread that delivers, and therefore may cover the
/// disk writes.
final class BlockFiller: DownloadSink {
    private struct Progress {
        var position: Int64 = 0
        /// The block under way was there before, or its start was not delivered.
        var skipsBlock = true
        var crc = CRC32C()
        var diskError: FileSystemError?
    }

    private let content: CachedContent
    private let fetch: UInt64
    private let progress = Mutex(Progress())

    init(content: CachedContent, fetch: UInt64) {
        self.content = content
        self.fetch = fetch
    }

    /// The local failure that ended the fetch.
    var diskError: FileSystemError? { progress.withLock { $0.diskError } }

    func begin(offset: Int64, totalSize: Int64?) throws(CloudStorageError) {
        guard offset >= 0, offset <= content.size else {
            throw CloudStorageError(.invalidAnswer, "the bytes begin after the end of the file")
        }
        if let totalSize, totalSize != content.size {
            throw CloudStorageError(
                .revisionChanged,
                "the file has \(totalSize) bytes instead of \(content.size) on the server")
        }
        progress.withLock { $0.position = offset }
        try content.fetchBegan(fetch, at: offset)
    }

    func receive(_ bytes: UnsafeRawBufferPointer) throws(CloudStorageError) {
        content.cache.noteFetched(bytes.count)
        try progress.withLock { progress throws(CloudStorageError) in
            guard Int64(bytes.count) <= content.size - progress.position else {
                throw CloudStorageError(
                    .revisionChanged, "the server sent more bytes than the file had")
            }
            var rest = bytes
            while !rest.isEmpty {
                let count = try take(rest, progress: &progress)
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            try content.fetchAdvanced(
                fetch, to: progress.position, arrived: arrived(progress))
        }
    }

    /// What of the block under way is on disk because this fetch has written it, from its start.
    private func arrived(_ progress: Progress) -> ByteRange {
        guard !progress.skipsBlock, progress.position < content.size else {
            return ByteRange(0, 0)
        }
        let block = content.geometry.block(at: progress.position)
        return ByteRange(content.geometry.range(of: block).lowerBound, progress.position)
    }

    /// Stores bytes up to the end of their block; returns how many.
    private func take(
        _ bytes: UnsafeRawBufferPointer, progress: inout Progress
    ) throws(CloudStorageError) -> Int {
        let block = content.geometry.block(at: progress.position)
        let range = content.geometry.range(of: block)
        if progress.position == range.lowerBound {
            progress.skipsBlock = content.has(block)
            progress.crc = CRC32C()
        }
        let count = Int(min(Int64(bytes.count), range.upperBound - progress.position))
        if !progress.skipsBlock {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            do throws(FileSystemError) {
                try content.file.write(piece, at: progress.position)
            } catch {
                progress.diskError = error
                throw CloudStorageError(.localFile, error.message)
            }
            progress.crc.update(piece)
        }
        progress.position += Int64(count)
        if progress.position == range.upperBound && !progress.skipsBlock {
            content.blockArrived(block, checksum: progress.crc.value)
        }
        return count
    }
}
