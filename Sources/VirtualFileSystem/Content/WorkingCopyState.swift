import FileSystemTypes
import StateStore

extension WorkingCopy {
    struct State {
        var file: ContentFile
        var extent: ContentExtent
        /// What still has to come from `base`.
        var missing: ByteRangeSet
        /// The generation the server holds; nil before the first upload of a new file.
        var savedGeneration: UInt64?
        /// An upload reads the file: the next change moves to a copy first.
        var isFrozen = false
        /// The content that close or fsync has confirmed.
        var kept: Kept?
        /// The same, where the state table speaks of it.
        var journaled: Kept?
        /// The next change moves to a copy first, so that a crash in the middle of it leaves the
        /// content that was confirmed.
        var isKeptWhole = false
        /// Files that a copy has taken the place of, and that an upload or the row may still mean.
        var superseded: [ContentFile] = []
        var frozen: ContentFile?
        var isDiscarded = false
        /// The row on stable storage that speaks of the content as it is confirmed, times aside.
        var stableRow: InodeRecord?
        /// Names of files that the row on stable storage speaks of, or will: loss of power can bring it back.
        var stableFiles: Set<String> = []
        /// Grows when the row may speak of something else.
        var rowEpoch: UInt64 = 0
        var copies = 0
        /// The last copy that was made for an upload while the kernel had the content.
        var lastCopy: CopyMade?
        /// What the kernel shows to readers by itself, which every change goes to as well.
        var mirror: BackedFile?

        init(file: ContentFile, size: Int64, missing: ByteRangeSet) {
            self.file = file
            extent = ContentExtent(size: size)
            self.missing = missing
        }

        var size: Int64 {
            get { extent.size }
            set { extent.size = newValue }
        }
        var generation: UInt64 { extent.generation }

        var shown: Shown {
            Shown(
                extent: extent, savedGeneration: savedGeneration, path: file.path, kept: kept)
        }
    }

    /// Content as the state table speaks of it.
    struct Kept: Hashable, Sendable {
        var path: String
        var size: Int64
        /// What still has to come from the version it is based on.
        var missing: [ByteRange]
        var generation: UInt64
    }

    /// A copy of the content as it was in a generation.
    struct CopyMade {
        var generation: UInt64
        /// CRC-32C
        var checksum: UInt32
    }

    /// What the state table is about to speak of.
    struct Confirmation {
        var kept: Kept?
        var rowEpoch: UInt64
    }

    /// What is asked for often, under a lock that nobody holds during disk work.
    struct Shown {
        var extent: ContentExtent
        var savedGeneration: UInt64?
        var path: String
        var kept: Kept?
    }
}

extension WorkingCopy.State {
    /// Whether a change must leave the file as it is, for the row that speaks of it.
    func mustKeep(truncating isTruncating: Bool) -> Bool {
        isKeptWhole && kept?.path == file.path && (isTruncating || size <= WorkingCopy.largestCopy)
    }

    /// From now on the next change goes to a copy.
    mutating func freeze() -> FrozenContent {
        isFrozen = true
        frozen = file
        return FrozenContent(file: file, size: size, generation: generation)
    }

    /// A name for the next copy, beside the first file.
    var copyPath: String {
        let base = file.path.lastPathComponent
        let folder = file.path.dropLast(base.utf8.count)
        let stem = base.split(separator: ".").first.map(String.init) ?? base
        // A copy that a crash has left behind may have the same count.
        return "\(folder)\(stem).\(SystemClocks.now().nanosecondsSince1970)-\(copies)"
    }
}

/// A content as it is uploaded, whatever is written meanwhile.
struct FrozenContent: Sendable {
    let file: ContentFile
    let size: Int64
    let generation: UInt64
}
