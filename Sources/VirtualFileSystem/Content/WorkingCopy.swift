import BlockCache
import CloudStorage
import FileSystemTypes
import Glibc
import StateStore
import Synchronization

/// A file's content while it is being changed: a file on the local disk, filled from the server's
/// version only where a program looks or an upload needs it.
///
/// Its mutex also covers writes to the file, so that filling a gap never overwrites newer bytes.
/// Methods that write may block on the disk: they are called on FUSE threads or the disk queue.
final class WorkingCopy: Sendable {
    /// Larger files are changed in place although a close has confirmed them.
    static let largestCopy: Int64 = 64 << 20

    /// Tells this working copy from others of the same node.
    let serial: UInt64
    private let base: CachedContent?
    let state: Mutex<State>
    let shown: Mutex<Shown>

    /// - Parameters:
    ///   - path: a new file is made there; it must not exist.
    ///   - base: the version it starts from, one use of which it takes over; nil starts empty.
    init(serial: UInt64, path: String, base: CachedContent?) throws(FileSystemError) {
        self.serial = serial
        self.base = base
        let size = base?.size ?? 0
        let file = try ContentFile(path: path, create: true)
        // ext4 starts writing a file back at its close where it has ever been cut to nothing.
        if size > 0 { try file.truncate(to: size) }
        var state = State(
            file: file, size: size, missing: ByteRangeSet(ByteRange(0, size)))
        if base != nil { state.savedGeneration = 0 }
        self.state = Mutex(state)
        shown = Mutex(state.shown)
    }

    /// Takes up a file that an earlier run left behind, unsent.
    /// - Parameters:
    ///   - base: where `missing` comes from, one use of which is taken over.
    init(
        serial: UInt64, adopting path: String, size: Int64, missing: [ByteRange],
        base: CachedContent?
    ) throws(FileSystemError) {
        self.serial = serial
        self.base = base
        let file = try ContentFile(path: path, create: false)
        var gaps = ByteRangeSet()
        // What the file was cut to later, before the driver ended, has no gaps beyond.
        for range in missing where range.lowerBound < size {
            gaps.insert(ByteRange(range.lowerBound, min(range.upperBound, size)))
        }
        var state = State(file: file, size: size, missing: gaps)
        state.kept = Kept(path: path, size: size, missing: gaps.ranges, generation: 0)
        state.isKeptWhole = true
        state.stableFiles = [path.lastPathComponent]
        self.state = Mutex(state)
        shown = Mutex(state.shown)
    }

    deinit { base?.release() }

    var size: Int64 { shown.withLock { $0.extent.size } }
    var path: String { shown.withLock { $0.path } }
    var generation: UInt64 { shown.withLock { $0.extent.generation } }

    /// Whether the server holds what is in it.
    var isSaved: Bool { shown.withLock { $0.savedGeneration == $0.extent.generation } }

    /// What the state table is to keep of it; nil where nothing is confirmed that the server lacks.
    var kept: Kept? { shown.withLock { $0.kept } }

    /// Removes the files that neither the row nor an upload means any more.
    /// - Parameter sent: paths of files whose upload has not been answered.
    func removeSuperseded(keeping sent: Set<String>) {
        let gone = state.withLock { state in
            let gone = state.superseded.filter {
                $0 !== state.frozen && $0.path != state.kept?.path && !sent.contains($0.path)
                    && !state.stableFiles.contains($0.path.lastPathComponent)
            }
            state.superseded.removeAll { file in gone.contains { $0 === file } }
            return gone
        }
        for file in gone { file.remove() }
    }

    /// Notes that the server now holds the content of `generation`.
    func markSaved(_ generation: UInt64) { setSaved(generation) }

    /// Makes the content count as unsent although it was not changed here.
    func markUnsaved() { setSaved(nil) }

    private func setSaved(_ generation: UInt64?) {
        state.withLock { state in
            state.savedGeneration = generation
            state.rowEpoch += 1
            state.stableRow = nil
            state.journaled = nil
            // What the server has need not be brought back.
            if generation == state.generation { state.stableFiles = [] }
            if let generation, let kept = state.kept, kept.generation <= generation {
                state.kept = nil
            }
            let now = state.shown
            shown.withLock { $0 = now }
        }
    }

    /// Changes the state, and then what is shown of it.
    func update(
        _ body: (inout State) throws(FileSystemError) -> Void
    ) throws(FileSystemError) {
        try state.withLock { state throws(FileSystemError) in
            defer {
                let now = state.shown
                shown.withLock { $0 = now }
            }
            try body(&state)
        }
    }

    // MARK: Reading

    /// The bytes at `offset`, nil where some have to be fetched first.
    func readNow(
        offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FileSystemError) -> Int? {
        let plan: (file: ContentFile, count: Int, isHere: Bool) = state.withLock { state in
            let count = max(0, min(Int64(buffer.count), state.size - offset))
            let range = ByteRange(offset: offset, count: count)
            return (state.file, Int(count), state.missing.isDisjoint(with: range))
        }
        guard plan.isHere else { return nil }
        return try plan.file.read(
            at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<plan.count]))
    }

    /// Whether all that is missing is on this machine.
    var isBaseHere: Bool { base?.isComplete ?? true }

    /// Brings what is missing in `range` to this machine.
    func fill(_ range: ByteRange, on disk: DiskQueue) async throws(FileSystemError) {
        guard let base else { return }
        let step: Int64 = 4 << 20
        for gap in state.withLock({ $0.missing.intersection(with: range) }) {
            var position = gap.lowerBound
            while position < gap.upperBound {
                let piece = ByteRange(position, min(gap.upperBound, position + step))
                do throws(CloudStorageError) {
                    try await base.ensureWhole(piece)
                } catch {
                    throw FileSystemError(openFile: error)
                }
                try await disk.run { () throws(FileSystemError) in try self.take(piece, from: base)
                }
                position = piece.upperBound
            }
        }
    }

    /// Copies what is still missing in `piece`; what was written meanwhile stays.
    private func take(_ piece: ByteRange, from base: CachedContent) throws(FileSystemError) {
        try update { state throws(FileSystemError) in
            for gap in state.missing.intersection(with: piece) {
                try state.file.use { descriptor throws(FileSystemError) in
                    try base.copy(gap, to: descriptor, at: gap.lowerBound)
                }
                state.missing.remove(gap)
            }
        }
    }

    // MARK: Changing

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(FileSystemError) {
        try change { state throws(FileSystemError) in
            try state.changeBoth { file throws(FileSystemError) in
                try file.write(bytes, at: offset)
            }
            let range = ByteRange(offset: offset, count: Int64(bytes.count))
            state.missing.remove(range)
            state.size = max(state.size, range.upperBound)
        }
    }

    /// Appends at the end as it is when the bytes are written.
    func append(_ bytes: UnsafeRawBufferPointer) throws(FileSystemError) {
        try change { state throws(FileSystemError) in
            let end = state.size
            try state.changeBoth { file throws(FileSystemError) in try file.write(bytes, at: end) }
            state.size += Int64(bytes.count)
        }
    }

    func truncate(to size: Int64) throws(FileSystemError) {
        try change(isTruncating: size == 0) { state throws(FileSystemError) in
            try state.changeBoth { file throws(FileSystemError) in try file.truncate(to: size) }
            if size < state.size { state.missing.remove(ByteRange(size, state.size)) }
            state.size = size
        }
    }

    func allocate(_ mode: AllocationMode, _ range: ByteRange) throws(FileSystemError) {
        let hole = LinuxFileCalls.punchHole | LinuxFileCalls.keepSize
        try change { state throws(FileSystemError) in
            let size = state.size
            switch mode {
            case .allocate:
                try state.changeBoth { file throws(FileSystemError) in try file.allocate(0, range) }
                state.size = max(size, range.upperBound)
            case .keepSize:
                try state.file.allocate(LinuxFileCalls.keepSize, range)
            case .punchHole, .zeroRange(keepSize: true):
                try state.changeBoth { file throws(FileSystemError) in
                    try file.allocate(hole, range)
                }
                state.missing.remove(range)
            case .zeroRange(keepSize: false):
                try state.changeBoth { file throws(FileSystemError) in
                    try file.allocate(hole, range)
                    try file.truncate(to: max(size, range.upperBound))
                }
                state.size = max(size, range.upperBound)
                state.missing.remove(range)
            }
        }
    }

    /// - Parameters:
    ///   - isTruncating: none of the old content is needed.
    ///   - isNeeded: asked under the same lock; nothing happens where it says no.
    func change(
        isTruncating: Bool = false,
        onlyIf isNeeded: ((State) throws(FileSystemError) -> Bool)? = nil,
        _ body: (inout State) throws(FileSystemError) -> Void
    ) throws(FileSystemError) {
        try update { state throws(FileSystemError) in
            if let isNeeded, try !isNeeded(state) { return }
            state.extent.settle()
            if state.extent.inPlace == nil,
                state.isFrozen || state.mustKeep(truncating: isTruncating)
            {
                try Self.thaw(&state, isEmpty: isTruncating)
            }
            // A failed change may have written a part.
            defer { state.extent.noteChange() }
            try body(&state)
        }
    }

    /// Leaves the file to the upload that reads it, or to the row, and goes on with a copy.
    static func thaw(_ state: inout State, isEmpty: Bool) throws(FileSystemError) {
        state.copies += 1
        let copy = try ContentFile(path: state.copyPath, create: true)
        do throws(FileSystemError) {
            try copy.truncate(to: state.size)
            if !isEmpty { try state.file.copy(ByteRange(0, state.size), to: copy, at: 0) }
        } catch {
            copy.remove()
            throw error
        }
        state.superseded.append(state.file)
        state.file = copy
        state.isFrozen = false
    }

    // MARK: Saving

    /// Keeps the content as it is now for an upload; a change meanwhile goes to a copy.
    /// - Precondition: nothing is missing (`fill`).
    func freeze() -> FrozenContent { state.withLock { $0.freeze() } }

    /// As `freeze`, of what the server has, so many bytes; nil where that is not all here, or was
    /// changed since, or can be changed without the driver.
    func freezeSaved(size: Int64) -> FrozenContent? {
        state.withLock { state in
            state.extent.settle()
            guard state.savedGeneration == state.generation, state.missing.isEmpty,
                state.size == size, state.extent.inPlace == nil
            else { return nil }
            return state.freeze()
        }
    }

    /// Ends a freeze.
    /// - Parameter sent: paths of files whose upload has not been answered: they stay as they are.
    func unfreeze(_ file: ContentFile, sent: Set<String>) {
        let isSent = sent.contains(file.path)
        let isDiscarded = state.withLock { state in
            state.frozen = nil
            if state.file === file {
                state.isFrozen = false
                if isSent { state.isKeptWhole = true }
            }
            return state.isDiscarded
        }
        if isDiscarded, !isSent { file.remove() }
    }

    /// Puts everything on stable storage.
    func sync() throws(FileSystemError) { try file.sync() }

    /// Closes the file until it is needed again: unsent files may be many.
    func park() { file.park() }

    var file: ContentFile { state.withLock { $0.file } }

    /// Removes the file from the disk; open readers keep it.
    /// - Parameter sent: paths of files whose upload has not been answered.
    func discard(keeping sent: Set<String> = []) {
        let files = state.withLock { state in
            state.isDiscarded = true
            // What is being uploaded goes when that has ended.
            let files = (state.superseded + [state.file]).filter { $0 !== state.frozen }
            state.superseded = []
            return files
        }
        for file in files where !sent.contains(file.path) { file.remove() }
    }

    var isComplete: Bool { state.withLock { $0.missing.isEmpty } }

    func seek(_ target: SeekTarget, from offset: Int64) throws(FileSystemError) -> Int64? {
        let (file, size, isComplete) = state.withLock { ($0.file, $0.size, $0.missing.isEmpty) }
        guard offset < size else { return nil }
        guard isComplete else { return target == .data ? offset : size }
        return try file.seek(target, from: offset).map { min($0, size) }
    }
}
