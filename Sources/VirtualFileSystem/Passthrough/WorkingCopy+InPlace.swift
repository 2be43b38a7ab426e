import FileSystemTypes
import Synchronization

/// Working copies that the kernel reads and writes by itself.
extension WorkingCopy {
    /// Hands the content to the kernel, until `InPlaceFile.end`; nil where that can't be: something is
    /// missing of it, or a close has confirmed it, or an upload reads it, and it is too large to be copied.
    ///
    /// May wait for the disk.
    /// - Parameter largest: bytes of the largest content that is copied for it.
    func handOver(
        to files: any BackingFiles, copying largest: Int64
    ) throws(FileSystemError) -> InPlaceFile? {
        var handed: InPlaceFile?
        try update { state throws(FileSystemError) in
            state.extent.settle()
            guard state.missing.isEmpty, state.mirror == nil, state.extent.inPlace == nil,
                !state.isDiscarded
            else { return }
            if state.isFrozen || state.mustKeep(truncating: false) {
                guard state.size <= largest else { return }
                try Self.thaw(&state, isEmpty: false)
            }
            guard let file = try InPlaceFile(state.file, to: files) else { return }
            state.extent.inPlace = file
            handed = file
        }
        return handed
    }

    /// Follows the content of an earlier run that a program still has open; nil where none has. May wait for
    /// the disk.
    func followLeftBehind() throws(FileSystemError) -> InPlaceFile? {
        var followed: InPlaceFile?
        try update { state throws(FileSystemError) in
            guard state.missing.isEmpty, let file = try InPlaceFile(leftBehind: state.file) else {
                return
            }
            state.extent.inPlace = file
            followed = file
        }
        return followed
    }

    /// Whether it is the content that the kernel has.
    func isInPlace(_ file: InPlaceFile) -> Bool { shown.withLock { $0.extent.inPlace === file } }

    /// When a program has last changed it without the driver, if nobody has noted that yet.
    var unnotedTime: FileTime? { shown.withLock { $0.extent.inPlace }?.look().time }

    /// The same, which is noted now. Waits for a write that is under way.
    func takeChangesInPlace() -> FileTime? { shown.withLock { $0.extent.inPlace }?.takeChanges() }

    /// Whether the content is as a close or fsync has confirmed it last.
    var isConfirmed: Bool { shown.withLock { $0.kept?.generation == $0.extent.generation } }

    /// The content for an upload (`freeze`), a copy of it where the kernel has it. Nil where it changes
    /// meanwhile.
    ///
    /// May wait for the disk.
    /// - Parameter confirmed: nil too where it is not as a close or fsync has confirmed it last.
    /// - Precondition: changes were taken (`takeChangesInPlace`), by the close or fsync at the earliest.
    func freezeOrCopy(confirmed: Bool) throws(FileSystemError) -> FrozenContent? {
        let (inPlace, frozen) = state.withLock { state -> (InPlaceFile?, FrozenContent?) in
            state.extent.settle()
            // Under one lock: the kernel must not have it in between.
            if let file = state.extent.inPlace { return (file, nil) }
            return (nil, state.freeze())
        }
        guard let inPlace else { return frozen }
        // Stores to mappings that are not seen otherwise.
        try inPlace.sync()
        enum Plan {
            case copy(file: ContentFile, size: Int64, generation: UInt64, path: String)
            case wait, again
        }
        let plan: Plan = state.withLock { state in
            // Programs may have closed it meanwhile, and opened it again.
            guard state.extent.inPlace === inPlace, !inPlace.isEnded else { return .again }
            let generation = state.generation
            // The next change would not show.
            guard inPlace.look().time == nil else { return .wait }
            let size = state.size
            let isConfirmed = state.kept?.generation == generation && state.kept?.size == size
            guard isConfirmed || !confirmed else { return .wait }
            state.copies += 1
            return .copy(
                file: state.file, size: size, generation: generation, path: state.copyPath)
        }
        switch plan {
        case .wait: return nil
        case .again: return try freezeOrCopy(confirmed: confirmed)
        case .copy(let file, let size, let generation, let path):
            return try copied(file, size: size, generation: generation, to: path)
        }
    }

    /// Whether the content, which the server has, is what the copy was that was made for it; true where none
    /// was made. Of a store to a mapping that began before such a copy and ended after it nothing else tells.
    ///
    /// Reads the file. To be asked once: what is sent next is the file itself.
    func isAsCopied() throws(FileSystemError) -> Bool {
        let (file, size, copy) = state.withLock { state -> (ContentFile, Int64, CopyMade?) in
            state.extent.settle()
            let copy = state.lastCopy.flatMap { $0.generation == state.generation ? $0 : nil }
            state.lastCopy = nil
            return (state.file, state.size, copy)
        }
        guard let copy else { return true }
        return try file.checksum(size: size) == copy.checksum
    }

    /// A copy of the content; nil where it has changed since, or does meanwhile.
    private func copied(
        _ file: ContentFile, size: Int64, generation: UInt64, to path: String
    ) throws(FileSystemError) -> FrozenContent? {
        let copy = try ContentFile(path: path, create: true)
        let checksum: UInt32
        do throws(FileSystemError) {
            let piece: Int64 = 16 << 20
            var offset: Int64 = 0
            // A copy of a large file that is changed all the time is not made to its end in vain.
            while offset < size, self.generation == generation {
                let end = min(offset + piece, size)
                try file.copy(ByteRange(offset, end), to: copy, at: offset)
                offset = end
            }
            checksum = try copy.checksum(size: size)
        } catch {
            copy.remove()
            throw error
        }
        let isWhole = state.withLock { state in
            guard state.generation == generation, state.size == size else { return false }
            state.frozen = copy
            state.lastCopy = CopyMade(generation: generation, checksum: checksum)
            state.superseded.append(copy)
            return true
        }
        guard isWhole else {
            copy.remove()
            return nil
        }
        return FrozenContent(file: copy, size: size, generation: generation)
    }
}

/// How long a content is, and how often it has changed.
struct ContentExtent {
    private var ownSize: Int64
    private var ownChanges: UInt64 = 0
    /// Whence both are known while the kernel has the content.
    var inPlace: InPlaceFile?

    init(size: Int64) { ownSize = size }

    /// Bytes
    var size: Int64 {
        get { inPlace?.look().size ?? ownSize }
        set { ownSize = newValue }
    }

    /// Grows with every change.
    var generation: UInt64 { ownChanges &+ (inPlace?.look().changes ?? 0) }

    mutating func noteChange() { ownChanges += 1 }

    /// Notes what the kernel has left, where it has the content no more.
    mutating func settle() {
        guard let file = inPlace, file.isEnded else { return }
        let look = file.look()
        inPlace = nil
        ownSize = look.size
        ownChanges += look.changes
    }
}
