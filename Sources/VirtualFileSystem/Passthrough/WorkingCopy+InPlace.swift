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

    /// The content for an upload (`freeze`), a copy of it where the kernel has it. Nil where it changes
    /// meanwhile.
    ///
    /// May wait for the disk.
    /// - Parameter confirmed: nil too where it is not as a close or fsync has confirmed it last.
    /// - Precondition: changes were taken (`takeChangesInPlace`), by the close or fsync at the earliest.
    func freezeOrCopy(confirmed: Bool) throws(FileSystemError) -> FrozenContent? {
        let inPlace = state.withLock { state -> InPlaceFile? in
            state.extent.settle()
            return state.extent.inPlace
        }
        guard let inPlace else { return freeze() }
        // Stores to mappings that are not seen otherwise.
        try inPlace.sync()
        let plan: (file: ContentFile, size: Int64, generation: UInt64, path: String)? =
            state.withLock { state in
                let generation = state.generation
                // The next change would not show.
                guard inPlace.look().time == nil else { return nil }
                let size = state.size
                let isConfirmed = state.kept?.generation == generation && state.kept?.size == size
                guard isConfirmed || !confirmed else { return nil }
                state.copies += 1
                return (state.file, size, generation, state.copyPath)
            }
        guard let plan else { return nil }
        let copy = try ContentFile(path: plan.path, create: true)
        do throws(FileSystemError) {
            try plan.file.copy(ByteRange(0, plan.size), to: copy, at: 0)
        } catch {
            copy.remove()
            throw error
        }
        let isWhole = state.withLock { state in
            guard state.generation == plan.generation, state.size == plan.size else { return false }
            state.frozen = copy
            state.superseded.append(copy)
            return true
        }
        guard isWhole else {
            copy.remove()
            return nil
        }
        return FrozenContent(file: copy, size: plan.size, generation: plan.generation)
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
