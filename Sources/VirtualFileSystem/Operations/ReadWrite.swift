import BlockCache
import CloudStorage
package import FileSystemTypes
import Logging
import Synchronization

/// Reading, writing and what is close to it.
extension VirtualFileSystem {
    /// Reads what is on this machine; called on a FUSE thread, it may wait for the local disk.
    package func readNow(
        handle: UInt64, offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) -> ReadAnswer {
        guard let source = source(of: handle) else { return .failure(.badHandle) }
        if source.dropsBehind {
            dropBehind(handle, ByteRange(offset: offset, count: Int64(buffer.count)))
        }
        do throws(FileSystemError) {
            let count =
                if let backed = source.backed {
                    try backed.read(at: offset, into: buffer)
                } else if let working = source.working {
                    try working.readNow(offset: offset, into: buffer)
                } else if let cached = source.cached {
                    try cached.readNow(offset: offset, into: buffer)
                } else if let notice = source.notice {
                    Self.copy(notice, from: offset, into: buffer)
                } else {
                    throw FileSystemError(.stale, "the file has no content")
                }
            return count.map { .bytes($0) } ?? .later
        } catch {
            logger.warning("read failed", metadata: ["error": "\(error)"])
            return .failure(error.code)
        }
    }

    private struct Source {
        /// What the kernel shows to others, and programs may have stored to by mappings.
        var backed: BackedFile?
        var working: WorkingCopy?
        var cached: CachedContent?
        var folder: UInt64?
        var notice: [UInt8]?
        var dropsBehind = false
    }

    private static func copy(
        _ bytes: [UInt8], from offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard offset >= 0, offset < bytes.count else { return 0 }
        let part = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }

    private func source(of handle: UInt64) -> Source? {
        tree.withLock { tree in
            guard let open = tree.handles[handle], let node = tree.nodes[open.node] else {
                return nil
            }
            return Source(
                backed: open.isBacked ? node.backed : nil, working: node.working,
                cached: node.cached, folder: node.parent, notice: node.notice,
                dropsBehind: open.dropBehind != nil && node.openHandles == 1)
        }
    }

    /// Reads what has to be fetched first.
    package func read(
        handle: UInt64, offset: Int64, count: Int
    ) async -> Result<ReadBuffer, FileSystemError> {
        do throws(FileSystemError) {
            // Content can be replaced between fetch and read, by a save for example.
            for _ in 0..<8 {
                guard let source = source(of: handle) else {
                    throw FileSystemError(.badHandle, "no such handle")
                }
                if let buffer = try await fetch(source, offset: offset, count: count) {
                    return .success(buffer)
                }
            }
            throw FileSystemError(.inputOutput, "the content kept changing")
        } catch {
            return .failure(error)
        }
    }

    private func fetch(
        _ source: Source, offset: Int64, count: Int
    ) async throws(FileSystemError) -> ReadBuffer? {
        let size =
            source.working?.size ?? source.backed?.size ?? source.cached?.size
            ?? Int64(source.notice?.count ?? 0)
        let wanted = max(0, min(Int64(count), size - offset))
        let range = ByteRange(offset: offset, count: wanted)
        if source.backed != nil {
            // All of it is here.
        } else if let working = source.working {
            try await working.fill(range, on: disk)
        } else if let cached = source.cached {
            do throws(CloudStorageError) {
                try await cached.ensure(range)
            } catch {
                // The next open is to find the other version.
                if error.kind == .revisionChanged, let folder = source.folder {
                    refreshLater(folder)
                }
                throw FileSystemError(openFile: error)
            }
            if let buffer = Self.justArrived(in: cached, offset: offset, count: wanted) {
                return buffer
            }
        }
        return try await disk.run { () throws(FileSystemError) in
            let bytes = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(1, Int(wanted)), alignment: 16)
            let target = UnsafeMutableRawBufferPointer(rebasing: bytes[..<Int(wanted)])
            do throws(FileSystemError) {
                var read: Int?
                if let backed = source.backed {
                    read = try backed.read(at: offset, into: target)
                } else if let working = source.working {
                    read = try working.readNow(offset: offset, into: target)
                } else if let cached = source.cached {
                    read = try cached.readNow(offset: offset, into: target)
                } else if let notice = source.notice {
                    read = Self.copy(notice, from: offset, into: target)
                }
                guard let read else {
                    bytes.deallocate()
                    return nil
                }
                return ReadBuffer(owning: bytes, count: read)
            } catch {
                bytes.deallocate()
                throw error
            }
        }
    }

    /// Bytes that need not be waited for, nor another thread.
    private static func justArrived(
        in cached: CachedContent, offset: Int64, count: Int64
    ) -> ReadBuffer? {
        guard count > 0 else { return nil }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(count), alignment: 16)
        guard let read = cached.readFromMemory(offset: offset, into: bytes) else {
            bytes.deallocate()
            return nil
        }
        return ReadBuffer(owning: bytes, count: read)
    }

    /// Writes to the working copy. `bytes` need only be valid during the call, which may wait for
    /// the local disk.
    /// - Parameter isPage: the kernel writes what programs have stored to mappings, by any handle: one
    ///   that appends too writes it where it belongs.
    package func write(
        handle: UInt64, offset: Int64, bytes: UnsafeRawBufferPointer, isPage: Bool = false
    ) -> Outcome<Int> {
        now { () throws(FileSystemError) in
            let (id, working, appends) = try writable(handle)
            let isAppending = appends && !isPage
            let end = isAppending ? working.size : offset
            try checkGrowth(of: id, to: max(working.size, end + Int64(bytes.count)))
            if isAppending {
                try working.append(bytes)
            } else {
                try working.write(bytes, at: offset)
            }
            noteChange(of: id, handle: handle)
            return bytes.count
        }
    }

    private func writable(
        _ handle: UInt64
    ) throws(FileSystemError) -> (UInt64, WorkingCopy, isAppending: Bool) {
        try tree.withLock { tree throws(FileSystemError) in
            guard let open = tree.handles[handle], open.options.contains(.write) else {
                throw FileSystemError(.badHandle, "not open for writing")
            }
            guard let working = tree.nodes[open.node]?.working else {
                throw FileSystemError(.stale, "the file has no content")
            }
            return (open.node, working, open.options.contains(.append))
        }
    }

    package func fallocate(
        handle: UInt64, mode: AllocationMode, range: ByteRange
    ) -> Outcome<Void> {
        now { () throws(FileSystemError) in
            let (id, working, _) = try writable(handle)
            switch mode {
            case .allocate, .zeroRange(keepSize: false):
                try checkGrowth(of: id, to: max(working.size, range.upperBound))
            case .keepSize, .punchHole, .zeroRange(keepSize: true): break
            }
            try working.allocate(mode, range)
            noteChange(of: id, handle: handle)
        }
    }

    /// The next data or hole; content that is not all here counts as data.
    package func lseek(handle: UInt64, offset: Int64, target: SeekTarget) -> Outcome<Int64> {
        now { () throws(FileSystemError) in
            guard let source = source(of: handle) else {
                throw FileSystemError(.badHandle, "no such handle")
            }
            let found: Int64?
            if let working = source.working {
                found = try working.seek(target, from: offset)
            } else {
                let size = source.cached?.size ?? 0
                found = offset < size ? (target == .data ? offset : size) : nil
            }
            guard let found else { throw FileSystemError(.noData, "past the end of the file") }
            return found
        }
    }
}
