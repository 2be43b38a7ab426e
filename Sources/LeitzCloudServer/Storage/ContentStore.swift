import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// The content of all revisions, one file each, fanned out over 256 folders.
///
/// All disk work runs on the store's own threads. A content file is complete and synced before
/// the transaction that names its revision commits, and is never changed afterwards.
final class ContentStore: Sendable {
    /// Bytes moved per step in both directions.
    static let pieceSize = 256 * 1024

    let threads: NIOThreadPool
    private let folder: String
    private let incoming: String
    private let next: Atomic<Int64>
    private let nextTemporary = Atomic<Int64>(1)

    /// - Parameter lastRevision: the greatest revision id in the database. Content files above it
    ///   belong to uploads that never committed; their names are used again.
    init(folder: DataFolder, threads: NIOThreadPool, lastRevision: Int64)
        throws(EmbeddedCloudError)
    {
        self.folder = folder.content
        self.incoming = folder.incoming
        self.threads = threads
        next = Atomic(lastRevision + 1)
        for fan in 0..<256 { try SystemFile.makeFolder(folder.content + "/" + Self.hex(fan)) }
    }

    /// The id of the next revision; ids of failed uploads stay unused.
    func allocateRevision() -> Int64 { allocateRevisions(1) }

    /// The first of so many ids in a row.
    func allocateRevisions(_ count: Int) -> Int64 {
        next.wrappingAdd(Int64(count), ordering: .relaxed).oldValue
    }

    func allocateTemporary() -> String {
        incoming + "/\(nextTemporary.wrappingAdd(1, ordering: .relaxed).oldValue)"
    }

    /// The folder of a revision; neighbours share one, so that one sync serves a group of uploads.
    func folder(of revision: Int64) -> String {
        folder + "/" + Self.hex(Int(truncatingIfNeeded: revision >> 8) & 0xff)
    }

    func path(of revision: Int64) -> String { folder(of: revision) + "/\(revision)" }

    /// Opens a revision's content; throws where the file is missing or has another size.
    func open(_ revision: Int64, size: Int64) async throws -> OpenFile {
        let path = path(of: revision)
        return try await threads.runIfActive {
            let file = OpenFile(try SystemFile.open(path, O_RDONLY))
            guard Int64(lseek(file.descriptor, 0, SEEK_END)) == size else {
                throw EmbeddedCloudError.fileFailure(path: path, reason: "wrong size")
            }
            return file
        }
    }

    /// Reads a piece; throws where the file ends before it.
    func read(_ file: OpenFile, at offset: Int64, count: Int) async throws -> ByteBuffer {
        try await threads.runIfActive {
            var buffer = ByteBufferAllocator().buffer(capacity: count)
            let read = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { raw in
                try SystemFile.read(
                    file.descriptor, into: UnsafeMutableRawBufferPointer(rebasing: raw[..<count]),
                    at: offset)
            }
            guard read == count else {
                throw EmbeddedCloudError.fileFailure(path: "content", reason: "cut short")
            }
            return buffer
        }
    }

    /// Gives the content of revisions to others as well: it never changes, so that both share one
    /// file. The folders of the new ones are the caller's to sync.
    ///
    /// - Parameter revisions: the new ones by the ones they are copies of.
    func share(_ revisions: [Int64: Int64]) async throws {
        let paths = revisions.map { (path(of: $0), path(of: $1)) }
        try await threads.runIfActive {
            for (path, target) in paths {
                // What is there belongs to an upload that never committed.
                try SystemFile.remove(target)
                try SystemFile.link(path, to: target)
            }
        }
    }

    /// Removes content whose revision was not committed.
    func remove(_ revision: Int64) async throws {
        let path = path(of: revision)
        try await threads.runIfActive { try SystemFile.remove(path) }
    }

    private static func hex(_ value: Int) -> String {
        let text = String(value, radix: 16)
        return text.count < 2 ? "0" + text : text
    }
}
