import CloudStorage
import Dispatch
import FileSystemTypes
import Synchronization
import TestSupport
import Testing

@testable import BlockCache

/// A cache with small blocks over a cloud with one file.
struct CacheFixture {
    static let blockSize = 4096
    static let root = RootIdentifier("root")
    static let item = ItemReference(root: root, kind: .file, id: "7", path: "/file")

    let folder: TemporaryFolder
    let cloud: FakeCloud
    let bytes: [UInt8]
    var configuration: BlockCache.Configuration

    init(size: Int, _ change: (inout FakeCloud.Settings) -> Void = { _ in }) throws {
        folder = try TemporaryFolder()
        bytes = Self.content(size)
        var settings = FakeCloud.Settings(bytes: bytes)
        change(&settings)
        cloud = FakeCloud(settings)
        configuration = BlockCache.Configuration(folder: folder.path, minimumFreeBytes: 0)
        configuration.blockSize = Self.blockSize
        configuration.minimumRequest = 16 << 10
        configuration.maximumRequest = 32 << 10
        configuration.readAheadLimit = 128 << 10
        configuration.confirmationDelay = 0
    }

    /// Bytes that differ from block to block.
    static func content(_ size: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed
        return (0..<size).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    func open() throws -> BlockCache { try BlockCache(configuration) }

    static func key(_ item: String = "7", revision: String = "1") -> ContentKey {
        ContentKey(root: root, item: item, revision: revision)
    }

    func content(
        in cache: BlockCache, key: ContentKey = key()
    ) throws -> CachedContent {
        try cache.content(for: key, of: Self.item, size: Int64(bytes.count), from: cloud)
    }

    /// Fetches and compares a range.
    func check(_ content: CachedContent, _ range: Range<Int>) async throws {
        try await content.ensure(ByteRange(Int64(range.lowerBound), Int64(range.upperBound)))
        #expect(try read(content, range) == Array(bytes[range]))
    }

    /// Waits until a released content is stored and out of memory.
    func putAway(_ key: ContentKey = key(), in cache: BlockCache) async throws {
        try await eventually("the content is put away") {
            cache.table.withLock { $0.entries[key]?.content == nil }
        }
        await Self.finishStoring(in: cache)
    }

    /// Waits for what the cache's storage queue has to do now.
    static func finishStoring(in cache: BlockCache) async {
        await withCheckedContinuation { continuation in
            cache.storage.async { continuation.resume() }
        }
    }

    /// Reads and confirms all of it, so that it is stored.
    func fill(_ cache: BlockCache, key: ContentKey = key()) async throws {
        let content = try content(in: cache, key: key)
        try await check(content, 0..<bytes.count)
        content.release()
        try await putAway(key, in: cache)
    }
}

/// What is there now, nil where bytes are missing.
func read(_ content: CachedContent, _ range: Range<Int>) throws -> [UInt8]? {
    var buffer = [UInt8](repeating: 0xEE, count: range.count)
    let count = try buffer.withUnsafeMutableBytes {
        try content.readNow(offset: Int64(range.lowerBound), into: $0)
    }
    return count.map { Array(buffer.prefix($0)) }
}
