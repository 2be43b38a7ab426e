import FileSystemTypes
import Glibc
import Synchronization

/// The file of a working copy while the kernel reads, writes and maps it by itself, for all who have the
/// node open.
///
/// What programs change shows in nothing but the file: its modification time is set to one that no change
/// gives (the mark), and looked at wherever something depends on whether there was one. A store to a page
/// of a mapping sets the time only if the page was not stored to since it was last written back: who
/// counts on seeing every later store syncs the file first.
///
/// Calls may come from any thread. To set the mark waits for a write that is under way, which can take as
/// long as the disk does: only `takeChanges` and `sync` do.
final class InPlaceFile: Sendable {
    /// What is known of the content.
    struct Look: Equatable {
        /// Bytes
        var size: Int64
        /// Grows with every change that was seen. Odd as long as the mark is to be set again: what changes
        /// until then may not show, so that no later number is the same.
        var changes: UInt64
        /// When it was last changed, where nobody has noted that yet.
        var time: FileTime?
    }

    private struct State {
        var isEnded = false
        /// As of the last mark, and of the end.
        var last: Look
    }

    /// The kernel's, for the file; nil of one that is only open by what an earlier run handed out.
    let number: Int32?
    private let descriptor: Int32
    private let file: ContentFile
    private let files: (any BackingFiles)?
    private let mark: FileTime
    private let state: Mutex<State>
    /// Held while the mark is set again.
    private let marking = Mutex<Void>(())

    /// Hands a file to the kernel; nil where the kernel doesn't take it, or where it can't be told who has it
    /// open.
    init?(_ file: ContentFile, to files: any BackingFiles) throws(FileSystemError) {
        let descriptor = try file.pin()
        guard LinuxFileCalls.isFree(descriptor, of: .any),
            let (size, mark) = Self.marked(descriptor), let number = files.open(descriptor)
        else {
            file.unpin()
            return nil
        }
        self.number = number
        self.descriptor = descriptor
        self.file = file
        self.files = files
        self.mark = mark
        state = Mutex(State(last: Look(size: size, changes: 0)))
    }

    /// Follows a file that a program has had open since an earlier run, which was killed: until it closes
    /// it, it goes on changing it. Nil where there is no such program. What it has changed so far counts as
    /// one change.
    init?(leftBehind file: ContentFile) throws(FileSystemError) {
        let descriptor = try file.pin()
        guard LinuxFileCalls.isOpenElsewhere(descriptor),
            let (size, mark) = Self.marked(descriptor)
        else {
            file.unpin()
            return nil
        }
        number = nil
        self.descriptor = descriptor
        self.file = file
        files = nil
        self.mark = mark
        state = Mutex(State(last: Look(size: size, changes: 2, time: SystemClocks.now())))
    }

    /// Sets the mark. Returns it as the disk keeps it, and the size.
    private static func marked(_ descriptor: Int32) -> (size: Int64, mark: FileTime)? {
        // Yesterday, and another one each time: uploads that go on tell contents apart by their times.
        let now = SystemClocks.now()
        let mark = FileTime(seconds: now.seconds - 86_400, nanoseconds: now.nanoseconds)
        guard setTime(mark, of: descriptor), let (size, kept) = status(of: descriptor) else {
            return nil
        }
        return (size, kept)
    }

    /// How the content is now. Waits for nothing.
    func look() -> Look { state.withLock { look(at: $0) } }

    private func look(at state: State) -> Look {
        guard !state.isEnded else { return state.last }
        var look = state.last
        guard let (size, time) = Self.status(of: descriptor) else {
            look.changes += 1
            return look
        }
        look.size = size
        if time != mark {
            look.changes += 1
            look.time = time
        }
        return look
    }

    /// Sets the mark again where the content was changed. Returns when it was last changed, if nobody has
    /// noted that yet: now it is.
    func takeChanges() -> FileTime? {
        marking.withLock { _ in
            let isMarkGone = state.withLock { state in
                let look = look(at: state)
                state.last.time = look.time
                guard !state.isEnded, look.changes != state.last.changes else { return false }
                state.last.changes += 2
                return true
            }
            // What is changed from here on sets the time again.
            if isMarkGone { _ = Self.setTime(mark, of: descriptor) }
        }
        return state.withLock { state in
            defer { state.last.time = nil }
            return state.last.time
        }
    }

    /// Puts what was written and stored so far on the disk; stores to mappings show from then on.
    func sync() throws(FileSystemError) {
        guard fdatasync(descriptor) == 0 else { throw .fromErrno("can't sync \(file.path)") }
    }

    /// Whether nobody else has the file open, mappings included.
    ///
    /// Opens that come in that instant could fail: to be called where none can be under way.
    var isOnlyOurs: Bool { LinuxFileCalls.isFree(descriptor, of: .any) }

    var isEnded: Bool { state.withLock { $0.isEnded } }

    /// Takes the file back, which nobody has open any more. Waits for nothing; nothing happens where that
    /// was done.
    func end() {
        let isLast = state.withLock { state in
            guard !state.isEnded else { return false }
            let look = look(at: state)
            let isChanged = look.changes != state.last.changes
            state.last = look
            if isChanged { state.last.changes += 1 }
            state.isEnded = true
            return true
        }
        guard isLast else { return }
        if let number { files?.close(number) }
        file.unpin()
    }

    private static func status(of descriptor: Int32) -> (size: Int64, modified: FileTime)? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        let time = FileTime(
            seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int32(status.st_mtim.tv_nsec))
        return (Int64(status.st_size), time)
    }

    private static func setTime(_ time: FileTime, of descriptor: Int32) -> Bool {
        // UTIME_OMIT (sys/stat.h): the access time stays.
        let omitted = timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2)
        let wanted = timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
        return futimens(descriptor, [omitted, wanted]) == 0
    }
}
