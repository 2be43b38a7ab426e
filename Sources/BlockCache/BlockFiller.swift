import CloudStorage
import FileSystemTypes
import Synchronization

/// Writes the bytes of one fetch to the content's file, many at a time: the kernel copies a file faster that
/// was written in large parts. What somebody waits for is written as it arrives.
///
/// Its mutex is taken by the one thread that delivers, and for a moment by who has what is staged written;
/// therefore it may cover the disk writes.
final class BlockFiller: DownloadSink {
    private struct Progress {
        /// What has been delivered up to here.
        var position: Int64 = 0
        /// What has been written, or needed not be, up to here; the bytes from here on are in `staged`.
        var written: Int64 = 0
        var staged: [UInt8] = []
        /// The block under way was there before, or its start was not delivered.
        var skipsBlock = true
        /// Of the block at `written`, up to there.
        var crc = CRC32C()
        var diskError: FileSystemError?
        /// When the first byte came, where it begins, and how many fetches there were beside this one.
        var began: (at: ContinuousClock.Instant, offset: Int64, others: Int)?
    }

    /// Bytes that are written at a time at most.
    static let runSize: Int64 = 1 << 18

    private let content: CachedContent
    private let fetch: UInt64
    /// Bytes that were asked for.
    private let wanted: Int64
    private let progress = Mutex(Progress())
    private let started = ContinuousClock.now

    init(content: CachedContent, request: FetchRequest) {
        self.content = content
        fetch = request.id
        wanted = request.range?.count ?? content.size
    }

    /// The local failure that ended the fetch.
    var diskError: FileSystemError? { progress.withLock { $0.diskError } }

    /// Takes what a fetch that ended well shows of the line into the estimate.
    func tellLine() {
        let now = ContinuousClock.now
        let (began, position) = progress.withLock { ($0.began, $0.position) }
        guard let began else { return }
        content.cache.line.withLock {
            $0.note(
                bytes: position - began.offset, latency: (began.at - started) / .seconds(1),
                seconds: (now - began.at) / .seconds(1), others: began.others)
        }
        content.takeUpLine()
    }

    func begin(offset: Int64, totalSize: Int64?) throws(CloudStorageError) {
        guard offset >= 0, offset <= content.size else {
            throw CloudStorageError(.invalidAnswer, "the bytes begin after the end of the file")
        }
        if let totalSize, totalSize != content.size {
            throw CloudStorageError(
                .revisionChanged,
                "the file has \(totalSize) bytes instead of \(content.size) on the server")
        }
        let others = content.state.withLock { $0.board.fetches.count - 1 }
        progress.withLock { progress in
            progress.position = offset
            progress.written = offset
            progress.began = (.now, offset, max(0, others))
        }
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
                let count = try take(rest, &progress)
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            if try report(progress) {
                try write(&progress)
                _ = try report(progress)
            }
        }
    }

    /// Writes what is left when no more will be delivered, of a fetch that failed too.
    func finish() throws(CloudStorageError) {
        try progress.withLock { progress throws(CloudStorageError) in
            guard !progress.staged.isEmpty else { return }
            try write(&progress)
            _ = try report(progress)
        }
    }

    /// Writes what is staged for a reader that has begun to wait for it: the server may send no more for
    /// long. May block on the local disk.
    func writeStaged() {
        do throws(CloudStorageError) {
            try finish()
        } catch {
            // It is still staged: the thread that delivers meets the same.
        }
    }

    /// Tells the content how far the fetch is. Returns whether somebody waits for what is still staged.
    private func report(_ progress: Progress) throws(CloudStorageError) -> Bool {
        try content.fetchAdvanced(
            fetch, to: progress.written, arrived: arrived(progress),
            staged: ByteRange(progress.written, progress.position))
    }

    /// What of the block under way is on disk because this fetch has written it, from its start.
    private func arrived(_ progress: Progress) -> ByteRange {
        let isOurs = !progress.skipsBlock || !progress.staged.isEmpty
        guard isOurs, progress.written < content.size else { return ByteRange(0, 0) }
        let block = content.geometry.block(at: progress.written)
        return ByteRange(content.geometry.range(of: block).lowerBound, progress.written)
    }

    /// Takes bytes up to the end of their block; returns how many.
    private func take(
        _ bytes: UnsafeRawBufferPointer, _ progress: inout Progress
    ) throws(CloudStorageError) -> Int {
        let block = content.geometry.block(at: progress.position)
        let range = content.geometry.range(of: block)
        if progress.position == range.lowerBound {
            progress.skipsBlock = content.has(block)
            if progress.skipsBlock { try write(&progress) }
        }
        let count = Int(min(Int64(bytes.count), range.upperBound - progress.position))
        progress.position += Int64(count)
        if progress.skipsBlock {
            progress.written = progress.position
        } else {
            if progress.staged.isEmpty {
                let room = min(Self.runSize, wanted, content.size - progress.written)
                progress.staged.reserveCapacity(Int(room))
            }
            progress.staged.append(contentsOf: bytes[..<count])
            if progress.position % Self.runSize == 0 || progress.position == content.size {
                try write(&progress)
            }
        }
        return count
    }

    /// Writes what is staged, and tells of the blocks that are whole by that.
    private func write(_ progress: inout Progress) throws(CloudStorageError) {
        guard !progress.staged.isEmpty else { return }
        let failure = progress.staged.withUnsafeBytes { bytes -> FileSystemError? in
            do throws(FileSystemError) {
                try content.file.write(bytes, at: progress.written)
                return nil
            } catch {
                return error
            }
        }
        progress.diskError = failure
        if let failure {
            throw CloudStorageError(.localFile, failure.message)
        }
        let start = progress.written
        while progress.written < progress.position {
            let block = content.geometry.block(at: progress.written)
            let range = content.geometry.range(of: block)
            if progress.written == range.lowerBound { progress.crc = CRC32C() }
            let end = min(range.upperBound, progress.position)
            let part = Int(progress.written - start)..<Int(end - start)
            progress.staged.withUnsafeBytes {
                progress.crc.update(UnsafeRawBufferPointer(rebasing: $0[part]))
            }
            progress.written = end
            if end == range.upperBound {
                content.blockArrived(block, checksum: progress.crc.value)
            }
        }
        progress.staged.removeAll(keepingCapacity: true)
    }
}
