package import CloudStorage
import Dispatch
package import FileSystemTypes
import Synchronization

/// Clean content on the local disk: per content version, per block, checksummed and bounded.
///
/// It holds nothing that the server doesn't have: anyone may delete its folder at any time.
/// Calls may come from any thread and may block on the local disk, so that they don't belong on
/// Swift's cooperative pool; only `usage` never touches the disk.
package final class BlockCache: Sendable {
    /// Where the cache is and what bounds it.
    package struct Configuration: Hashable, Sendable {
        /// A folder of the cache's own; made (0700) where it is missing.
        package var folder: String
        /// Bytes of all blocks to begin with; contents in use may exceed it.
        package var sizeLimit: Int64
        /// Bytes the cache leaves free on its file system.
        package var minimumFreeBytes: Int64
        /// Bytes of a block, the unit of checksums and of reads from the server; more in large contents.
        package var blockSize: Int
        /// Bytes fetched ahead of a sequential reader at most.
        package var readAheadLimit: Int64
        /// Bytes of a ranged request at least, unless the reader jumps about, and at most.
        package var minimumRequest: Int64
        package var maximumRequest: Int64
        /// Ranged requests at a time to read ahead in one content; twice as many with waiters, four times
        /// where they jump about.
        package var parallelRequests: Int
        /// Content versions at most, which bounds the table in memory.
        package var entryLimit: Int
        /// Seconds that the question whether the server still has the version of a small file waits for
        /// those about others; until then its blocks are read, but not kept over the end of this run.
        package var confirmationDelay: Double
        /// Whether whatever a call starts is over when it returns: slower, but repeatable.
        package var isSequential = false

        package init(
            folder: String, sizeLimit: Int64 = 10 << 30, minimumFreeBytes: Int64 = 1 << 30
        ) {
            self.folder = folder
            self.sizeLimit = sizeLimit
            self.minimumFreeBytes = minimumFreeBytes
            blockSize = 1 << 14
            readAheadLimit = 16 << 20
            minimumRequest = 1 << 20
            maximumRequest = 4 << 20
            parallelRequests = 4
            entryLimit = 100_000
            confirmationDelay = 0.25
        }
    }

    /// Larger contents are refused, far below where offsets overflow.
    static let largestContent: Int64 = 1 << 60

    let configuration: Configuration
    let folder: CacheFolder
    let table: Mutex<EntryTable>
    /// Stores indexes, unlinks files, evicts; in this order, one at a time. Work for it goes by
    /// `later`.
    let storage = DispatchQueue(label: "ordner.block-cache.storage", qos: .utility)
    /// Checks stored blocks for readers that may not block.
    let verification = DispatchQueue(
        label: "ordner.block-cache.verification", qos: .userInitiated)
    let counters = CacheCounters()
    /// Of the line that fetches come by.
    let line = Mutex(LineEstimate())
    /// Contents about whose versions the server is asked together.
    let questions = VersionQuestions()
    /// Bytes of all blocks at most, as it was last set.
    let sizeLimit: Atomic<Int64>
    /// Set on the storage queue when the cache is closed: from then on the folder is another's.
    let isSealed = Atomic(false)

    /// Opens a cache, with what an earlier run left; removes what is damaged or of another format.
    package init(_ configuration: Configuration) throws(FileSystemError) {
        self.configuration = configuration
        sizeLimit = Atomic(configuration.sizeLimit)
        folder = try CacheFolder(at: configuration.folder)
        var table = EntryTable()
        var superseded: [String] = []
        for entry in try folder.scan() {
            let (index, bytes) = (entry.index, entry.index.map.presentBytes)
            let old = table.insert(
                index.key, name: entry.name, size: index.geometry.size, bytes: bytes)
            if let old {
                superseded.append(old.name)
            }
        }
        for name in superseded { try folder.remove(name) }
        self.table = Mutex(table)
        later { self.trim() }
    }

    /// The content of one version, shared by all its readers; a use that ends with `release`.
    ///
    /// The item and the cloud are where missing bytes come from. `tooManyOpen`, `noSpace`,
    /// `inputOutput` where the local disk fails; `invalidArgument` for an absurd size.
    package func content(
        for key: ContentKey, of item: ItemReference, size: Int64, from cloud: any CloudStorage
    ) throws(FileSystemError) -> CachedContent {
        guard size >= 0, size <= Self.largestContent else {
            throw FileSystemError(.invalidArgument, "block cache: \(size) bytes can't be")
        }
        // An entry may be evicted while it is being opened: then it is made anew.
        for _ in 0..<8 {
            switch table.withLock({ $0.use(key, size: size, item: item) }) {
            case .closed:
                throw FileSystemError(.inputOutput, "block cache: it is closed")
            case .live(let content):
                return content
            case .otherSize:
                discard(key)
            case .stored(let entry):
                guard var parts = try openStored(entry.name, key: key, size: size, item: item)
                else {
                    discard(key, named: entry.name)
                    continue
                }
                if entry.isVerified { parts.map.markAllVerified() }
                if let content = enter(parts, from: cloud, expecting: entry.name) {
                    return content
                }
            case .unknown:
                let parts = try makeEmpty(key, size: size, item: item)
                if let content = enter(parts, from: cloud, expecting: nil) { return content }
                try folder.remove(parts.name)
            }
        }
        throw FileSystemError(.inputOutput, "block cache: the entry keeps vanishing")
    }

    /// Forgets a version; those who read it keep its file, but nothing of it is stored.
    package func discard(_ key: ContentKey) { discard(key, named: nil) }

    /// Whether all bytes of a version are stored, or on their way; touches no disk.
    package func hasAll(of key: ContentKey, size: Int64) -> Bool {
        table.withLock { table in
            table.entries[key].map { $0.bytes == size || $0.content != nil } ?? false
        }
    }

    /// Whether all bytes of a version are here, and all that lacks is the server's word that it still has
    /// this version, which is under way.
    package func awaitsConfirmation(of key: ContentKey) -> Bool {
        table.withLock { $0.entries[key]?.content }?.awaitsConfirmation ?? false
    }

    /// What the cache holds and did so far.
    package var usage: CacheUsage {
        let (bytes, entries) = table.withLock { ($0.bytes, $0.entries.count) }
        return counters.usage(bytes: bytes, entries: entries)
    }

    /// Ends all fetches and stores all indexes; open contents can still read what they have.
    ///
    /// No file of the folder is made, renamed or removed after it returned, whatever fetches and
    /// readers still end: another cache may have been opened on the folder, or it may be gone.
    package func close() {
        questions.close()
        let live = table.withLock { $0.close() }
        for content in live { content.stop() }
        storage.sync {
            for content in live where !storeNow(content) { removeFiles(of: content.name) }
            isSealed.store(true, ordering: .relaxed)
        }
    }

    // MARK: Opening

    private func openStored(
        _ name: String, key: ContentKey, size: Int64, item: ItemReference
    ) throws(FileSystemError) -> CachedContent.Parts? {
        guard let index = try folder.readIndex(of: name), index.key == key,
            index.geometry.size == size
        else { return nil }
        do throws(FileSystemError) {
            let file = try folder.open(name)
            return CachedContent.Parts(
                key: key, name: name, file: file, map: index.map, item: item)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    private func makeEmpty(
        _ key: ContentKey, size: Int64, item: ItemReference
    ) throws(FileSystemError) -> CachedContent.Parts {
        let name = folder.newName()
        let file: ContentFile
        do throws(FileSystemError) {
            file = try folder.create(name)
        } catch  where error.code == .noSpace {
            storage.sync { _ = evictForSpace() }
            file = try folder.create(name)
        }
        let geometry = BlockGeometry(size: size, blockSize: configuration.blockSize)
        return CachedContent.Parts(
            key: key, name: name, file: file, map: BlockMap(geometry: geometry), item: item)
    }

    /// Makes the content the one of its key, or returns nil where another was faster.
    private func enter(
        _ parts: CachedContent.Parts, from cloud: any CloudStorage, expecting name: String?
    ) -> CachedContent? {
        let content = CachedContent(parts, cache: self, cloud: cloud)
        return table.withLock { table in
            guard !table.isClosed, table.entries[parts.key]?.name == name,
                table.entries[parts.key]?.content == nil
            else { return nil }
            if name == nil {
                table.insert(
                    parts.key, name: parts.name, size: parts.map.geometry.size, bytes: 0)
            }
            table.attach(content, to: parts.key, item: parts.item)
            return content
        }
    }
}
