package import BlockCache

/// A file that is to be fetched ahead.
package struct WarmFile: Hashable, Sendable {
    /// Its node, as far as that is in memory when its turn comes.
    package var node: UInt64
    /// Names from the mount's top down.
    package var path: [String]
    /// Bytes of all of it.
    package var size: Int64
    /// Bytes that are not on this machine.
    package var missing: Int64
    /// A symbolic link's target is to be known, which the block cache need not keep.
    package var isLink: Bool

    package init(
        node: UInt64, path: [String], size: Int64, missing: Int64, isLink: Bool = false
    ) {
        self.node = node
        self.path = path
        self.size = size
        self.missing = missing
        self.isLink = isLink
    }
}

/// What did not fit into the cache, and was not fetched.
package struct WarmRefusal: Hashable, Sendable {
    /// What there is too little of.
    package enum Bound: String, Hashable, Sendable {
        /// The cache's limit of bytes.
        case limit
        /// Free space of the disk.
        case disk
        /// The cache's limit of files.
        case files
    }

    package var files = 0
    /// That would have had to be fetched.
    package var bytes: Int64 = 0
    /// By which the cache would have to be larger; 0 where only the number of files is too large.
    package var lacking: Int64 = 0
    /// Of the last file that did not fit.
    package var bound = Bound.limit

    package init() {}
}

/// Which files to fetch next: in the order of their paths, a few at a time, none that would push out
/// what was fetched before.
///
/// A value without I/O, clock or lock.
package struct WarmQueue: Sendable {
    /// Files at a time.
    package static let parallelFiles = 8
    /// From so many bytes on a file counts as large: its requests alone fill the line.
    package static let largeFile: Int64 = 16 << 20
    /// Large files at a time.
    package static let parallelLargeFiles = 2

    /// Files that wait for their turn, the next one last.
    private var small: [WarmFile] = []
    private var large: [WarmFile] = []
    private var largeUnderWay = 0
    private let fileLimit: Int
    package private(set) var refusal = WarmRefusal()

    /// - Parameter fileLimit: more files are refused, which bounds the queue.
    package init(fileLimit: Int) { self.fileLimit = max(0, fileLimit) }

    package var waiting: Int { small.count + large.count }

    package mutating func add(_ file: WarmFile) {
        guard waiting < fileLimit else { return refuse(file, bound: .files, room: 0) }
        if file.size >= Self.largeFile { large.append(file) } else { small.append(file) }
    }

    /// Puts all files in order and refuses those that the room is too small for, so that it is known
    /// from the beginning what can't be had.
    package mutating func settle(in room: CacheRoom) {
        var (bytes, entries) = (room.bytes, room.entries)
        let files = (small + large).sorted { $0.path.lexicographicallyPrecedes($1.path) }
        (small, large) = ([], [])
        for file in files {
            if let bound = Self.obstacle(for: file, bytes: bytes, entries: entries, room.bound) {
                refuse(file, bound: bound, room: bytes)
                continue
            }
            if !file.isLink { (bytes, entries) = (bytes - file.missing, entries - 1) }
            if file.size >= Self.largeFile { large.append(file) } else { small.append(file) }
        }
        updateLacking(bytes)
        small.reverse()
        large.reverse()
    }

    /// The next file to fetch, which counts as under way; nil where those under way are enough, or all.
    /// - Parameter room: beside what is under way.
    package mutating func next(in room: CacheRoom) -> WarmFile? {
        while let file = takeNext() {
            let bound = Self.obstacle(
                for: file, bytes: room.bytes, entries: room.entries, room.bound)
            guard let bound else {
                if file.size >= Self.largeFile { largeUnderWay += 1 }
                return file
            }
            refuse(file, bound: bound, room: room.bytes)
            updateLacking(room.bytes)
        }
        return nil
    }

    /// The first of the two that wait, by path; of the large ones only where one may begin.
    private mutating func takeNext() -> WarmFile? {
        guard let candidate = large.last, largeUnderWay < Self.parallelLargeFiles else {
            return small.popLast()
        }
        if let other = small.last, other.path.lexicographicallyPrecedes(candidate.path) {
            return small.popLast()
        }
        return large.popLast()
    }

    /// A file that `next` returned is here, or can't be had.
    package mutating func ended(_ file: WarmFile) {
        if file.size >= Self.largeFile { largeUnderWay -= 1 }
    }

    /// Takes out all that waits.
    package mutating func removeAll() -> [WarmFile] {
        defer { (small, large) = ([], []) }
        return small.reversed() + large.reversed()
    }

    private static func obstacle(
        for file: WarmFile, bytes: Int64, entries: Int, _ bound: CacheRoom.Bound
    ) -> WarmRefusal.Bound? {
        if file.isLink { return nil }
        if entries < 1 { return .files }
        guard file.missing > max(0, bytes) else { return nil }
        return bound == .limit ? .limit : .disk
    }

    private mutating func refuse(_ file: WarmFile, bound: WarmRefusal.Bound, room: Int64) {
        refusal.files += 1
        refusal.bytes += file.missing
        refusal.bound = bound
        updateLacking(room)
    }

    private mutating func updateLacking(_ room: Int64) {
        if refusal.files > 0 { refusal.lacking = max(0, refusal.bytes - max(0, room)) }
    }
}
