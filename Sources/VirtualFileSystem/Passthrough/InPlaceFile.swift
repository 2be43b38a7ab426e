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
/// Calls may come from any thread; none waits but for a change that is being written.
final class InPlaceFile: Sendable {
    /// What is known of the content.
    struct Look: Equatable {
        /// Bytes
        var size: Int64
        /// How many times it was found changed.
        var changes: UInt64
    }

    private struct State {
        var isEnded = false
        var look: Look
        /// When it was last changed, where nobody has noted that yet.
        var time: FileTime?
    }

    /// The kernel's, for the file; nil of one that is only open by what an earlier run handed out.
    let number: Int32?
    private let descriptor: Int32
    private let file: ContentFile
    private let files: (any BackingFiles)?
    private let mark: FileTime
    private let state: Mutex<State>

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
        state = Mutex(State(look: Look(size: size, changes: 0)))
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
        state = Mutex(State(look: Look(size: size, changes: 1), time: SystemClocks.now()))
    }

    /// Sets the mark. Returns it as the disk keeps it, and the size.
    private static func marked(_ descriptor: Int32) -> (size: Int64, mark: FileTime)? {
        let yesterday = SystemClocks.now().seconds - 86_400
        let mark = FileTime(seconds: yesterday, nanoseconds: 500_000_000)
        guard setTime(mark, of: descriptor), let (size, kept) = status(of: descriptor) else {
            return nil
        }
        return (size, kept)
    }

    /// Looks whether the content was changed since the last look, and how long it is.
    func look() -> Look { state.withLock { look(&$0) } }

    private func look(_ state: inout State) -> Look {
        guard !state.isEnded else { return state.look }
        guard let (size, time) = Self.status(of: descriptor) else {
            state.look.changes += 1
            return state.look
        }
        state.look.size = size
        guard time != mark else { return state.look }
        state.look.changes += 1
        state.time = time
        // What is changed from here on sets the time again; what came before it is in the size.
        _ = Self.setTime(mark, of: descriptor)
        if let (size, _) = Self.status(of: descriptor) { state.look.size = size }
        return state.look
    }

    /// When it was last changed, if nobody has noted that yet.
    var time: FileTime? {
        state.withLock { state in
            _ = look(&state)
            return state.time
        }
    }

    /// The same, which is noted now.
    func takeTime() -> FileTime? {
        state.withLock { state in
            _ = look(&state)
            defer { state.time = nil }
            return state.time
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

    /// Takes the file back: what was seen last is the content. Nothing happens where that was done.
    func end() {
        let isLast = state.withLock { state in
            guard !state.isEnded else { return false }
            _ = look(&state)
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
