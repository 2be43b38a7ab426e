import Glibc
import NIOCore
import NIOPosix

/// The pieces of uploads on disk, one file each. The database says which of them count; all work
/// runs on the content store's threads.
struct ChunkStore: Sendable {
    let folder: String
    private let content: ContentStore

    init(_ folder: DataFolder, content: ContentStore) {
        self.folder = folder.chunks
        self.content = content
    }

    /// A name that no other piece has.
    func newName() -> String { TokenHash.random(bytes: 16) }

    func path(_ name: String) -> String { folder + "/" + name }

    /// Adds a piece's bytes to a file under construction.
    func append(_ name: String, size: Int64, to sink: inout UploadSink) async throws {
        let path = path(name)
        let file = try await content.threads.runIfActive {
            OpenFile(try SystemFile.open(path, O_RDONLY))
        }
        var offset: Int64 = 0
        while offset < size {
            let count = min(ContentStore.pieceSize, Int(size - offset))
            try await sink.write(try await content.read(file, at: offset, count: count))
            offset += Int64(count)
        }
    }

    /// Removes pieces that the database no longer names.
    func remove(_ names: [String]) async throws {
        if names.isEmpty { return }
        let paths = names.map(path)
        try await content.threads.runIfActive {
            for path in paths { try SystemFile.remove(path) }
        }
    }

    /// Removes every file that is not among the names; blocks on the disk.
    static func sweep(_ folder: DataFolder, keeping names: Set<String>) throws(EmbeddedCloudError) {
        for name in try SystemFile.names(in: folder.chunks) where !names.contains(name) {
            try SystemFile.remove(folder.chunks + "/" + name)
        }
    }
}
