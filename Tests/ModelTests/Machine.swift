import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import TestSupport

import VirtualFileSystem

/// One run of the file system over the model cloud, and the calls of a program on it.
final class Machine: Sendable {
    let cloud: SessionCloud
    let store: StateStore
    let fileSystem: VirtualFileSystem
    private let cache: BlockCache
    /// Reads complete files by itself, where there is one.
    private let kernel: ReadingKernel?
    private let caller = Caller(userID: 0, groupID: 0, processID: 1)

    /// - Parameter writesNow: whether the state table is written when something is queued for it
    ///   that nobody waits for.
    init(
        folder: TemporaryFolder, cloud: ModelCloud, chance: Chance, logger: Logger,
        kernel: ReadingKernel?, writesNow: @escaping @Sendable () -> Bool
    ) throws {
        self.kernel = kernel
        self.cloud = SessionCloud(cloud: cloud) { call in logger.debug("- \(call)") }
        var options = MountOptions()
        options.chance = chance
        options.hostName = "host"
        options.staleSeconds = 1e9
        // What was in memory once counts as watched, however slow the run.
        options.pollSeconds = 1e9
        options.locking = .off
        options.synchronizesInBackground = false
        options.readsAhead = false
        options.revalidationSeconds = 60
        options.firstLookSeconds = 60
        options.smallestBacked = 1
        var settings = BlockCache.Configuration(
            folder: folder.file("cache"), sizeLimit: 1 << 30, minimumFreeBytes: 0)
        settings.isSequential = true
        cache = try BlockCache(settings)
        store = try StateStore(folder: folder.file("state"), writesNow: writesNow)
        fileSystem = VirtualFileSystem(
            cloud: self.cloud, cache: cache, store: store, options: options, logger: logger)
        kernel?.forgetPrograms()
        fileSystem.setBackingFiles(kernel)
    }

    /// Has everything written that waits for it.
    func flushTable() async throws(FileSystemError) { _ = try await store.record(.root) }

    /// The run is over, as `kill -9` ends it.
    func crash() async {
        cloud.setCutOff(true)
        await fileSystem.settleListings()
        await cloud.crashIsOver()
        await store.abandon()
        cache.close()
    }

    func end() async {
        await fileSystem.settleListings()
        await fileSystem.shutdown()
    }

    /// All entries leave memory that nothing keeps there.
    func unload() async { await fileSystem.unload(downTo: 0, unusedFor: 0) }

    // MARK: Names; a path is the names below the account's root

    func node(_ path: [String]) async throws(FileSystemError) -> UInt64 {
        var current: UInt64 = 1
        for name in ["Files"] + path {
            let entry = try await fileSystem.lookup(parent: current, name: name, caller: caller)
                .value()
            fileSystem.forget(node: entry.node, count: 1)
            current = entry.node
        }
        return current
    }

    private func parent(of path: [String]) async throws(FileSystemError) -> (UInt64, String) {
        (try await node(Array(path.dropLast())), path.last ?? "")
    }

    func list(
        _ path: [String]
    ) async throws(FileSystemError) -> [(name: String, isFolder: Bool)] {
        let handle = try await fileSystem.opendir(node: try await node(path)).value().handle
        defer { fileSystem.releasedir(handle: handle) }
        var found: [(name: String, isFolder: Bool)] = []
        var cookie: UInt64 = 0
        while let (line, next) = fileSystem.directoryEntry(handle: handle, after: cookie) {
            cookie = next
            if [".", ".."].contains(line.name) { continue }
            found.append((line.name, line.kind == .folder))
        }
        return found.sorted { $0.name < $1.name }
    }

    // MARK: Files

    func open(_ path: [String], _ options: OpenOptions) async throws(FileSystemError) -> UInt64 {
        let node = try await node(path)
        guard let kernel, options.contains(.write) else {
            return try await opened(node, options).handle
        }
        guard kernel.readsNextFirst() else {
            let file = try await opened(node, options.union(.read))
            kernel.note(writer: file, appends: options.contains(.append))
            return file.handle
        }
        let reader = try await opened(node, [.read])
        let writer: Result<OpenedFile, FileSystemError>
        do throws(FileSystemError) {
            writer = .success(try await opened(node, options.union(.read)))
        } catch {
            writer = .failure(error)
        }
        guard case .success(let file) = writer else {
            try await fileSystem.release(handle: reader.handle).value()
            return try writer.get().handle
        }
        kernel.note(reader, of: file.handle)
        return file.handle
    }

    private func opened(
        _ node: UInt64, _ options: OpenOptions
    ) async throws(FileSystemError) -> OpenedFile {
        try await fileSystem.open(node: node, options: options, caller: caller).value()
    }

    func create(_ path: [String]) async throws(FileSystemError) -> UInt64 {
        let (parent, name) = try await parent(of: path)
        let made = try await fileSystem.create(
            parent: parent, name: name, mode: 0o644, options: [.write, .read, .exclusive],
            caller: caller
        ).value()
        fileSystem.forget(node: made.entry.node, count: 1)
        kernel?.note(writer: made.file, appends: false)
        return made.file.handle
    }

    func write(
        _ text: String, at offset: Int64, _ handle: UInt64
    ) async throws(FileSystemError) {
        let bytes = Array(text.utf8)
        if let kernel, try kernel.write(bytes, at: offset, by: handle) { return }
        guard let kernel, kernel.storesNext(handle) else {
            return try await writeNow(bytes, at: offset, handle)
        }
        // Mappings don't grow files.
        let end = Int64(try kernel.text(of: handle)?.utf8.count ?? 0)
        let places = [UInt8](repeating: UInt8(ascii: "x"), count: bytes.count)
        try await writeNow(places, at: offset, handle)
        // A handle that appends has written at the end.
        let grown = Int64(try kernel.text(of: handle)?.utf8.count ?? 0) - end
        try kernel.store(bytes, at: grown == places.count ? end : offset, by: handle)
    }

    private func writeNow(
        _ bytes: [UInt8], at offset: Int64, _ handle: UInt64
    ) async throws(FileSystemError) {
        let outcome = bytes.withUnsafeBytes {
            fileSystem.write(handle: handle, offset: offset, bytes: $0)
        }
        _ = try await outcome.value()
    }

    /// What a reader of a file sees that is being written; nil where it has to ask the driver.
    func seen(of handle: UInt64) throws(FileSystemError) -> String? {
        try kernel?.text(of: handle)
    }

    func flush(_ handle: UInt64) async throws(FileSystemError) {
        try await fileSystem.flush(handle: handle).value()
    }

    func fsync(_ handle: UInt64) async throws(FileSystemError) {
        try await fileSystem.fsync(handle: handle, dataOnly: false).value()
    }

    func release(_ handle: UInt64) async throws(FileSystemError) {
        kernel?.forget(writer: handle)
        if let reader = kernel?.takeReader(of: handle) {
            try await fileSystem.release(handle: reader.handle).value()
        }
        try await fileSystem.release(handle: handle).value()
    }

    func truncate(_ path: [String], to size: Int64) async throws(FileSystemError) {
        var changes = AttributeChanges()
        changes.size = size
        _ = try await fileSystem.setattr(
            node: try await node(path), changes: changes, handle: nil, caller: caller
        ).value()
    }

    func setTime(_ path: [String], _ time: FileTime) async throws(FileSystemError) {
        var changes = AttributeChanges()
        changes.modified = .time(time)
        _ = try await fileSystem.setattr(
            node: try await node(path), changes: changes, handle: nil, caller: caller
        ).value()
    }

    func modified(_ path: [String]) async throws(FileSystemError) -> FileTime {
        try await fileSystem.getattr(node: try await node(path), handle: nil).value().modified
    }

    func read(_ handle: UInt64) async throws(FileSystemError) -> String {
        let buffer = try await fileSystem.read(handle: handle, offset: 0, count: 1 << 16).get()
        return String(decoding: buffer.bytes[..<buffer.count], as: UTF8.self)
    }

    func read(_ path: [String]) async throws(FileSystemError) -> String {
        let handle = try await open(path, [.read])
        let result: Result<String, FileSystemError>
        do throws(FileSystemError) {
            result = .success(try await read(handle))
        } catch {
            result = .failure(error)
        }
        try await release(handle)
        return try result.get()
    }

    // MARK: Names of files and folders

    func mkdir(_ path: [String]) async throws(FileSystemError) {
        let (parent, name) = try await parent(of: path)
        let entry = try await fileSystem.mkdir(
            parent: parent, name: name, mode: 0o755, caller: caller
        ).value()
        fileSystem.forget(node: entry.node, count: 1)
    }

    func unlink(_ path: [String]) async throws(FileSystemError) {
        let (parent, name) = try await parent(of: path)
        try await fileSystem.unlink(parent: parent, name: name, caller: caller).value()
    }

    func rmdir(_ path: [String]) async throws(FileSystemError) {
        let (parent, name) = try await parent(of: path)
        try await fileSystem.rmdir(parent: parent, name: name, caller: caller).value()
    }

    func rename(
        _ from: [String], _ to: [String], _ mode: RenameMode
    ) async throws(FileSystemError) {
        let (parent, name) = try await parent(of: from)
        let (newParent, newName) = try await self.parent(of: to)
        try await fileSystem.rename(
            parent: parent, name: name, newParent: newParent, newName: newName, mode: mode,
            caller: caller
        ).value()
    }
}
