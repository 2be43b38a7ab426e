package import FileSystemTypes

/// The operations of the mount.
///
/// Methods may be called from any thread, in parallel, and never block on the network.
package final class VirtualFileSystem: Sendable {
    package init() {}
    private func no<T>() -> Outcome<T> { .failure(.notSupported, "stub") }

    package func setNotifier(_ notifier: any KernelNotifier) {}
    package func lookup(parent: UInt64, name: String, caller: Caller) -> Outcome<Entry> { no() }
    /// Takes back `count` references the kernel held.
    package func forget(node: UInt64, count: UInt64) {}
    package func getattr(node: UInt64, handle: UInt64?) -> Outcome<FileAttributes> { no() }
    package func setattr(node: UInt64, changes: AttributeChanges, handle: UInt64?, caller: Caller) -> Outcome<FileAttributes> { no() }
    package func readlink(node: UInt64) -> Outcome<String> { no() }
    package func symlink(parent: UInt64, name: String, target: String, caller: Caller) -> Outcome<Entry> { no() }
    package func mkdir(parent: UInt64, name: String, mode: UInt16, caller: Caller) -> Outcome<Entry> { no() }
    /// Regular files only.
    package func mknod(parent: UInt64, name: String, mode: UInt16, caller: Caller) -> Outcome<Entry> { no() }
    package func create(parent: UInt64, name: String, mode: UInt16, options: OpenOptions, caller: Caller) -> Outcome<CreatedFile> { no() }
    package func open(node: UInt64, options: OpenOptions, caller: Caller) -> Outcome<OpenedFile> { no() }
    package func readNow(handle: UInt64, offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> ReadAnswer { .failure(.notSupported) }
    package func read(handle: UInt64, offset: Int64, count: Int) async -> Result<ReadBuffer, FileSystemError> { .failure(.init(.notSupported, "stub")) }
    /// `bytes` need only be valid during the call.
    package func write(handle: UInt64, offset: Int64, bytes: UnsafeRawBufferPointer) -> Outcome<Int> { no() }
    package func flush(handle: UInt64) -> Outcome<Void> { no() }
    package func release(handle: UInt64) -> Outcome<Void> { no() }
    package func fsync(handle: UInt64, dataOnly: Bool) -> Outcome<Void> { no() }
    /// Answers a directory handle.
    package func opendir(node: UInt64) -> Outcome<UInt64> { no() }
    /// The entry at `index` of the listing as it was at opendir, nil past its end.
    package func directoryEntry(handle: UInt64, index: Int) -> DirectoryEntry? { nil }
    /// As `directoryEntry` but as a counted entry for readdirplus: nil in `entry` for `.`, `..` and names that are gone since.
    package func directoryEntryPlus(handle: UInt64, index: Int) -> (line: DirectoryEntry, entry: Entry?)? { nil }
    package func releasedir(handle: UInt64) {}
    package func fsyncdir(handle: UInt64, dataOnly: Bool) -> Outcome<Void> { no() }
    package func unlink(parent: UInt64, name: String, caller: Caller) -> Outcome<Void> { no() }
    package func rmdir(parent: UInt64, name: String, caller: Caller) -> Outcome<Void> { no() }
    package func rename(parent: UInt64, name: String, newParent: UInt64, newName: String, mode: RenameMode, caller: Caller) -> Outcome<Void> { no() }
    package func statfs(node: UInt64) -> Outcome<FileSystemUsage> { no() }
    package func getxattr(node: UInt64, name: String) -> Outcome<[UInt8]> { no() }
    package func listxattr(node: UInt64) -> Outcome<[String]> { no() }
    package func setxattr(node: UInt64, name: String, value: [UInt8], replacement: AttributeReplacement) -> Outcome<Void> { no() }
    package func removexattr(node: UInt64, name: String) -> Outcome<Void> { no() }
    package func fallocate(handle: UInt64, mode: AllocationMode, range: ByteRange) -> Outcome<Void> { no() }
    package func lseek(handle: UInt64, offset: Int64, target: SeekTarget) -> Outcome<Int64> { no() }
    package func copyFileRange(from: UInt64, at: Int64, to: UInt64, at target: Int64, count: Int64) -> Outcome<Int64> { no() }
}
