import Dispatch
package import FileSystemTypes
import Glibc
import Synchronization

extension BlockCache {
    /// Takes over a complete local file as the content of a version.
    ///
    /// Moves the file into the cache (copies it where that is another file system) and reads it
    /// once for its checksums. The file is gone afterwards; nobody may write to it any more.
    /// Blocks for as long as reading it takes. Readers of an incomplete content of the same
    /// version keep theirs. Throws `invalidArgument` where the file has another size; the file
    /// stays where it is when this throws.
    package func adopt(
        file path: String, as key: ContentKey, size: Int64
    ) throws(FileSystemError) {
        guard size >= 0, size <= Self.largestContent else {
            throw FileSystemError(.invalidArgument, "block cache: \(size) bytes can't be")
        }
        let source = try ContentFile.open(path, flags: O_RDONLY)
        guard try source.length() == size else {
            throw FileSystemError(
                .invalidArgument, "block cache: the file to adopt doesn't have \(size) bytes")
        }
        let index = BlockIndex(key: key, map: try checkedMap(of: source, size: size))
        let name = folder.newName()
        // The index first: alone it is removed at start, data without it would be, too.
        try folder.writeIndex(index, of: name)
        do throws(FileSystemError) {
            try moveIn(source, at: path, as: name)
        } catch {
            removeFiles(of: name)
            throw error
        }
        let (isClosed, replaced) = table.withLock { table in
            if table.isClosed { return (true, nil as EntryTable.Entry?) }
            return (false, table.insert(key, name: name, size: size, bytes: size, isVerified: true))
        }
        if isClosed { return }
        later {
            if let replaced { self.removeFiles(of: replaced.name) }
            self.trim()
        }
    }

    private func checkedMap(
        of file: ContentFile, size: Int64
    ) throws(FileSystemError) -> BlockMap {
        let geometry = BlockGeometry(size: size, blockSize: configuration.blockSize)
        var map = BlockMap(geometry: geometry)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(geometry.blockSize, 1 << 20)), alignment: 4096)
        defer { buffer.deallocate() }
        for block in 0..<geometry.blockCount {
            let range = geometry.range(of: block)
            guard let checksum = try file.checksum(of: range, buffer: buffer) else {
                throw FileSystemError(
                    .invalidArgument, "block cache: the file to adopt became shorter")
            }
            _ = map.insertFetched(block, checksum: checksum)
        }
        map.confirm(Array(0..<geometry.blockCount))
        return map
    }

    private func moveIn(
        _ source: ContentFile, at path: String, as name: String
    ) throws(FileSystemError) {
        do throws(FileSystemError) {
            try folder.take(path, as: name)
        } catch  where error.code == .crossRoot {
            let target = try folder.create(name)
            try source.copy(
                ByteRange(0, try source.length()), to: target.descriptor, at: 0)
            try CacheFolder.unlinkFile(path)
        }
    }
}
