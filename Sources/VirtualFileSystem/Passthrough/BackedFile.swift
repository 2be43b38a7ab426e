import BlockCache
import FileSystemTypes
import Glibc
import Synchronization

/// The local file that the kernel reads and maps by itself for all who have a node open, while one of
/// them may only read it.
///
/// It begins as the content that the cache has of the server's version. Where somebody opens the node
/// for writing meanwhile, it follows the working copy, change by change, so that its readers see them;
/// and what is changed through a mapping, unseen, is brought to the working copy from it.
///
/// Calls may come from any thread; those that throw may block on the local disk.
final class BackedFile: Sendable {
    private struct State {
        /// It is no longer what the server has.
        var hasChanged = false
        /// The modification time, in nanoseconds, up to which changes are in the working copy.
        var seenTime: Int64?
    }

    /// The kernel's, for the file.
    let number: Int32
    let size: Int64
    private let content: CachedContent
    private let files: any BackingFiles
    private let forget: @Sendable () -> Void
    private let state = Mutex(State())

    /// Hands a content's file to the kernel, and uses the content from then on; nil where the kernel doesn't
    /// take it.
    /// - Parameter forget: makes the cache forget the version.
    init?(
        _ content: CachedContent, to files: any BackingFiles, forget: @escaping @Sendable () -> Void
    ) {
        guard let number = content.withDescriptor({ files.open($0) }) else { return nil }
        self.number = number
        self.content = content
        self.files = files
        self.forget = forget
        size = content.size
        content.retain()
        state.withLock { $0.seenTime = settledTime }
    }

    /// Takes the file back. To be called once, when nobody has it open.
    func end() {
        files.close(number)
        content.release()
    }

    /// Whether nobody but the cache has the file open, mappings included.
    ///
    /// Opens that come in that instant could fail: to be called where none can be under way.
    var isOnlyOurs: Bool { content.withDescriptor { LinuxFileCalls.isFree($0, of: .any) } }

    /// Whether nobody has it open for writing, mappings included; the same holds.
    var hasNoWriter: Bool { content.withDescriptor { LinuxFileCalls.isFree($0, of: .writing) } }

    /// Reads until the buffer is full or the file ends.
    func read(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FileSystemError) -> Int {
        try content.readHandedOut(at: offset, into: buffer)
    }

    /// Makes the same change to the file as to the working copy.
    func change(
        _ body: (ContentFile) throws(FileSystemError) -> Void
    ) throws(FileSystemError) {
        noteChange()
        // Opened each time: a descriptor of ours for writing would hide those of others.
        let path = content.withDescriptor { "/proc/self/fd/\($0)" }
        try body(try ContentFile(path: path, create: false))
    }

    private func noteChange() {
        let isFirst = state.withLock { state in
            defer { state.hasChanged = true }
            return !state.hasChanged
        }
        if isFirst { forget() }
    }

    /// From now on somebody may store to mappings: what was written before was the content.
    func expectStores() {
        state.withLock { state in
            if state.seenTime == nil, !state.hasChanged { state.seenTime = settledTime }
        }
    }

    /// Whether it may have been changed since this was last asked; from then on later changes through
    /// mappings are seen again. Blocks until what was changed is on the disk.
    func takeSuspicion() throws(FileSystemError) -> Bool {
        let time = modificationTime
        guard time == nil || state.withLock({ $0.seenTime }) != time else { return false }
        let settled = settledTime
        // The next store to each page of a mapping sets the time again only once it was written back.
        let failure = content.withDescriptor { descriptor -> FileSystemError? in
            fdatasync(descriptor) == 0 ? nil : .fromErrno("can't sync an open file")
        }
        if let failure { throw failure }
        state.withLock { $0.seenTime = settled }
        noteChange()
        return true
    }

    /// What was suspected has not come to the working copy: it is to be looked at again.
    func suspectAgain() { state.withLock { $0.seenTime = nil } }

    /// Nanoseconds since 1970; nil where the disk doesn't tell.
    private var modificationTime: Int64? {
        content.withDescriptor { descriptor in
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { return nil }
            return Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        }
    }

    /// The same, nil where a later change may still get the same time: clocks of file systems tick.
    private var settledTime: Int64? {
        guard let time = modificationTime else { return nil }
        let tick: Int64 = 50_000_000
        return SystemClocks.now().nanosecondsSince1970 - time > tick ? time : nil
    }
}
