import CloudStorage

/// Every content version the cache knows, by key; guarded by the cache's mutex.
struct EntryTable: Sendable {
    struct Entry: Sendable {
        /// Of its files in the cache folder.
        let name: String
        /// Of the whole content.
        let size: Int64
        /// Of the blocks that are here.
        var bytes: Int64
        var lastUse: UInt64
        /// All its blocks were checked since the cache was opened.
        var isVerified: Bool
        /// Set while the content is in use.
        var content: CachedContent?
        /// Of who fetched it ahead, or 0; it is not evicted while that hold lasts.
        var hold: UInt64 = 0
    }

    /// What is known of a key that somebody wants to read.
    enum Finding: Sendable {
        case closed
        /// In use already, and now once more.
        case live(CachedContent)
        case stored(Entry)
        /// Known with another size, which can't be the same content.
        case otherSize
        case unknown
    }

    private(set) var entries: [ContentKey: Entry] = [:]
    /// Bytes of all entries.
    private(set) var bytes: Int64 = 0
    private(set) var isClosed = false
    private var clock: UInt64 = 0
    private var holds: Set<UInt64> = []
    /// Of `holds`, those that nobody wants any more.
    private var endingHolds: Set<UInt64> = []
    private var lastHold: UInt64 = 0

    /// Adds an entry as the one last used; returns the one it takes the place of.
    @discardableResult
    mutating func insert(
        _ key: ContentKey, name: String, size: Int64, bytes: Int64, isVerified: Bool = false
    ) -> Entry? {
        let old = remove(key)
        clock += 1
        entries[key] = Entry(
            name: name, size: size, bytes: bytes, lastUse: clock, isVerified: isVerified,
            content: nil)
        self.bytes += bytes
        return old
    }

    /// Takes an entry out; its content, if in use, stores nothing from now on.
    @discardableResult
    mutating func remove(_ key: ContentKey) -> Entry? {
        guard let old = entries.removeValue(forKey: key) else { return nil }
        bytes -= old.bytes
        old.content?.beForgotten()
        return old
    }

    /// Whether a version is stored, and not in use, and the new key is free.
    func canRename(_ old: ContentKey, to new: ContentKey) -> Bool {
        guard !isClosed, entries[new] == nil, let entry = entries[old] else { return false }
        return entry.content == nil
    }

    mutating func rename(_ old: ContentKey, to new: ContentKey) {
        entries[new] = entries.removeValue(forKey: old)
    }

    mutating func use(_ key: ContentKey, size: Int64, item: ItemReference) -> Finding {
        if isClosed { return .closed }
        guard let entry = entries[key] else { return .unknown }
        guard let content = entry.content else { return .stored(entry) }
        guard content.size == size else { return .otherSize }
        content.retain(item: item)
        touch(key)
        return .live(content)
    }

    mutating func attach(_ content: CachedContent, to key: ContentKey, item: ItemReference) {
        entries[key]?.content = content
        content.retain(item: item)
        touch(key)
    }

    /// Takes a content that nobody uses any more out of memory.
    mutating func detach(_ content: CachedContent) -> Bool {
        guard entries[content.key]?.content === content, content.isUnused else { return false }
        entries[content.key]?.content = nil
        entries[content.key]?.isVerified = content.hasOnlyVerified
        touch(content.key)
        return true
    }

    mutating func add(_ bytes: Int64, to content: CachedContent) {
        guard entries[content.key]?.name == content.name else { return }
        entries[content.key]?.bytes += bytes
        self.bytes += bytes
    }

    /// Whether nobody uses an entry, nor holds it.
    func isEvictable(_ entry: Entry) -> Bool {
        entry.content == nil && (entry.hold == 0 || !holds.contains(entry.hold))
    }

    /// Whether an entry is evictable, or will be without anybody's doing: its last user has let go
    /// of it, and who held it has done so.
    func isLeaving(_ entry: Entry) -> Bool {
        (entry.content?.isLetGo ?? true)
            && (entry.hold == 0 || !holds.contains(entry.hold)
                || endingHolds.contains(entry.hold))
    }

    /// What nobody uses or holds.
    var candidates: [EvictionOrder<ContentKey>.Candidate] {
        entries.compactMap { key, entry in
            guard isEvictable(entry) else { return nil }
            return EvictionOrder<ContentKey>.Candidate(
                name: key, bytes: entry.bytes, lastUse: entry.lastUse)
        }
    }

    mutating func beginHold() -> UInt64 {
        lastHold += 1
        holds.insert(lastHold)
        return lastHold
    }

    /// A hold ends soon, with `endHold`.
    mutating func letHoldGo(_ hold: UInt64) { endingHolds.insert(hold) }

    mutating func endHold(_ hold: UInt64) {
        holds.remove(hold)
        endingHolds.remove(hold)
    }

    /// Holds an entry, as the one last used.
    mutating func hold(_ key: ContentKey, for hold: UInt64) {
        guard entries[key] != nil else { return }
        entries[key]?.hold = hold
        touch(key)
    }

    /// Lets nothing be opened any more; returns what is in use.
    mutating func close() -> [CachedContent] {
        isClosed = true
        let live = entries.values.compactMap(\.content)
        for key in entries.keys { entries[key]?.content = nil }
        return live
    }

    private mutating func touch(_ key: ContentKey) {
        clock += 1
        entries[key]?.lastUse = clock
    }
}
