import CloudStorage
package import FileSystemTypes
import Synchronization

extension CachedContent {
    /// Copies bytes that are on this machine, verified, into the buffer.
    ///
    /// Costs a short mutex and one `pread`; a block of an earlier run is checked on its first read.
    /// - Returns: the count, short at the end of the file; nil where bytes are missing (`ensure`).
    package func readNow(
        offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FileSystemError) -> Int? {
        guard offset >= 0 else { throw FileSystemError(.invalidArgument, "negative offset") }
        guard offset < size, !buffer.isEmpty else { return 0 }
        let range = ByteRange(offset: offset, count: min(Int64(buffer.count), size - offset))
        guard try isReadable(range) else {
            cache.noteRead(hit: false)
            return nil
        }
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(range.count)])
        guard try file.read(into: target, at: offset) == target.count else {
            // Somebody cut the file: the bytes are gone.
            drop(geometry.blocks(in: range).map(\.self))
            cache.noteRead(hit: false)
            return nil
        }
        cache.noteRead(hit: true)
        return target.count
    }

    /// Copies bytes that have just come, which the disk need not be asked for; may be called on any thread.
    /// - Returns: the count, short at the end of the file; nil where not all are in memory, or some
    ///   were not checked yet (`readNow`).
    package func readFromMemory(
        offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard offset >= 0, offset < size, !buffer.isEmpty else { return nil }
        let range = ByteRange(offset: offset, count: min(Int64(buffer.count), size - offset))
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(range.count)])
        guard state.withLock({ $0.readiness(of: range) == .ready }),
            file.readFromMemory(into: target, at: offset)
        else { return nil }
        cache.noteRead(hit: true)
        return target.count
    }

    /// Copies a range to another file from `targetOffset` on, without a copy of the blocks where
    /// the local file system can share them.
    ///
    /// `inputOutput` where part of the range is not on this machine (see `ensureWhole`).
    package func copy(
        _ range: ByteRange, to descriptor: Int32, at targetOffset: Int64
    ) throws(FileSystemError) {
        guard range.upperBound <= size, try verify(range) else {
            throw FileSystemError(.inputOutput, "block cache: the range to copy is not all here")
        }
        try file.copy(range, to: descriptor, at: targetOffset)
    }

    /// The next data (or hole) at or after the offset, as SEEK_DATA and SEEK_HOLE tell it.
    ///
    /// While the content is incomplete all of it counts as data. `noData` past the end.
    package func seek(offset: Int64, data: Bool) throws(FileSystemError) -> Int64 {
        guard offset >= 0, offset < size else {
            throw FileSystemError(.noData, "offset past the end of the file")
        }
        guard isComplete else { return data ? offset : size }
        return min(size, try file.seek(offset, data: data))
    }

    /// Checks every block that was not checked in this run; false where bytes are missing after.
    ///
    /// Reads the whole file in the worst case.
    package func verifyAll() throws(FileSystemError) -> Bool { try verify(geometry.whole) }

    /// Calls `body` with the descriptor of the local file, which it may read from and hand to the
    /// kernel, but not write to, nor close.
    package func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result {
        body(file.descriptor)
    }

    /// Whether the range can be read now; moves the read-ahead and checks stored blocks.
    private func isReadable(_ range: ByteRange) throws(FileSystemError) -> Bool {
        let (readiness, requests) = state.withLock { state in
            let readiness = state.readiness(of: range)
            guard readiness != .missing, !state.map.isComplete else {
                return (readiness, [FetchRequest]())
            }
            state.noteRead(range)
            state.board.note(supportsRanges: cloud.capabilities.supportsRanges)
            return (readiness, state.plan())
        }
        start(requests)
        switch readiness {
        case .ready: return true
        case .unverified:
            return try verify(range) || state.withLock { $0.readiness(of: range) == .ready }
        case .missing: return false
        }
    }

    /// Compares stored blocks with their checksums, once a run; drops those that don't match.
    /// - Returns: whether all of the range is present and verified now.
    func verify(_ range: ByteRange) throws(FileSystemError) -> Bool {
        let suspects = state.withLock { state in
            state.map.unverifiedBlocks(in: range).map { ($0, state.map.checksums[$0]) }
        }
        if !suspects.isEmpty {
            let buffer = UnsafeMutableRawBufferPointer.allocate(
                byteCount: Int(min(geometry.blockSize, 1 << 20)), alignment: 4096)
            defer { buffer.deallocate() }
            for (block, checksum) in suspects {
                let found = try file.checksum(of: geometry.range(of: block), buffer: buffer)
                if found == checksum {
                    state.withLock { $0.map.markVerified(block) }
                } else {
                    dropUnverified(block)
                }
            }
        }
        return state.withLock { $0.map.readiness(of: range) == .ready }
    }

    /// Forgets a damaged block, unless it was fetched anew meanwhile.
    private func dropUnverified(_ block: Int) {
        drop([block], unlessVerified: true)
    }

    private func drop(_ blocks: [Int], unlessVerified: Bool = false) {
        let (bytes, requests) = state.withLock { state in
            let blocks = unlessVerified ? blocks.filter { !state.map.verified[$0] } : blocks
            let bytes = state.map.remove(blocks)
            if !unlessVerified { state.board.forgetArrived() }
            if bytes > 0 { state.isDirty = true }
            return (bytes, state.plan())
        }
        cache.noteStored(-bytes, of: self)
        start(requests)
    }
}
