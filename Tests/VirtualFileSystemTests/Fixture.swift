import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization
import TestSupport
import Testing

import VirtualFileSystem

/// A file system over the model cloud, and the calls of a program on it.
final class Fixture: Sendable {
    let folder: TemporaryFolder
    let cloud: ModelCloud
    let fileSystem: VirtualFileSystem
    let store: StateStore
    let cache: BlockCache
    /// The nodes of what was looked up, by `FOLDER/NAME`.
    let lookedUp = Mutex<[String: UInt64]>([:])
    let caller = Caller(userID: 0, groupID: 0, processID: 1)

    /// - Parameter server: what the file system speaks with, where that is not `cloud` itself.
    static func make(
        cloud: ModelCloud = ModelCloud(), folder: TemporaryFolder? = nil,
        logger: Logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
        cacheLimit: Int64 = 1 << 30, cacheIsSequential: Bool = false,
        over server: (any CloudStorage)? = nil,
        options change: (inout MountOptions) -> Void = { _ in }
    ) async throws -> Fixture {
        let fixture = try Fixture(
            cloud: cloud, over: server ?? cloud, folder: folder ?? TemporaryFolder(), logger,
            cacheLimit, cacheIsSequential, change)
        try await fixture.fileSystem.start()
        // What a mount lists by itself is over before a test counts requests.
        await fixture.fileSystem.settleReadAhead()
        return fixture
    }

    private init(
        cloud: ModelCloud, over server: any CloudStorage, folder: TemporaryFolder,
        _ logger: Logger, _ cacheLimit: Int64, _ cacheIsSequential: Bool,
        _ change: (inout MountOptions) -> Void
    ) throws {
        self.folder = folder
        self.cloud = cloud
        var options = MountOptions()
        options.hostName = "host"
        options.staleSeconds = 3_600
        options.pollSeconds = 3_600
        options.synchronization = .all
        change(&options)
        var configuration = BlockCache.Configuration(
            folder: folder.file("cache"), sizeLimit: cacheLimit, minimumFreeBytes: 0)
        configuration.isSequential = cacheIsSequential
        cache = try BlockCache(configuration)
        store = try StateStore(folder: folder.file("state"))
        fileSystem = VirtualFileSystem(
            cloud: server, cache: cache, store: store, options: options,
            logger: logger)
    }

    // The folder is removed next: nothing may be written to it any more.
    deinit { cache.close() }

    /// A second run on the same state, as after an end or a crash of the first.
    func restart() async throws -> Fixture {
        await store.close()
        return try await Fixture.make(cloud: cloud, folder: folder)
    }

    /// One whose jobs are carried out by `work` alone, so that the order of events is the test's.
    static func makeByHand(
        cloud: ModelCloud = ModelCloud(), folder: TemporaryFolder? = nil
    ) async throws -> Fixture {
        try await make(cloud: cloud, folder: folder, cacheIsSequential: true) { options in
            options.synchronization = .none
            options.synchronizesInBackground = false
            options.readsAhead = false
            options.locking = .off
        }
    }

    /// Ends the run, so that nothing is left at work in its folder.
    func end() async {
        await fileSystem.settleListings()
        await store.close()
    }

    /// As `restart`, after a kill: what nobody waited for may be lost.
    /// - Parameter opened: programs that outlive the driver still have contents open; else nobody has.
    func restartByHand(opened: Bool = false) async throws -> Fixture {
        await store.close()
        cache.close()
        return try await Fixture.makeByHand(
            cloud: cloud, folder: opened ? folder : TemporaryFolder(copyOf: folder))
    }

    /// Carries out all jobs there are.
    func work() async {
        for _ in 0..<100 {
            guard await fileSystem.carryOutNextJob() else { return }
            await fileSystem.settleListings()
        }
    }

    /// Has an upload done without anybody here hearing of it.
    func loseUpload() async {
        cloud.fail(.upload, .answerLost)
        for _ in 0..<6 {
            cloud.fail(.item, .before(.unreachable))
            cloud.fail(.list, .before(.unreachable))
        }
        _ = await fileSystem.carryOutNextJob()
        cloud.removeFaults()
    }

    /// Has a folder listed as it is on the server now.
    func look(_ path: String) async throws(FileSystemError) {
        try await fileSystem.refreshAnew(try await node(path))
    }

    /// The contents the server has, sorted.
    func serverContents() -> [String] {
        cloud.snapshot().values.compactMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
            .sorted()
    }

    // MARK: A program's calls, by path below the account's root

    func node(_ path: String) async throws(FileSystemError) -> UInt64 {
        var current: UInt64 = 1
        for part in "/Files\(path)".split(separator: "/") {
            let parent = current
            current = try await fileSystem.lookup(
                parent: parent, name: String(part), caller: caller
            ).value().node
            lookedUp.withLock { [current] in $0["\(parent)/\(part)"] = current }
        }
        return current
    }

    private func split(_ path: String) async throws(FileSystemError) -> (UInt64, String) {
        let parts = path.split(separator: "/")
        let parent = try await node("/" + parts.dropLast().joined(separator: "/"))
        return (parent, String(parts.last ?? ""))
    }

    func open(
        _ path: String, _ options: OpenOptions
    ) async throws(FileSystemError) -> UInt64 {
        let node = try await node(path)
        return try await fileSystem.open(node: node, options: options, caller: caller)
            .value().handle
    }

    func create(_ path: String) async throws(FileSystemError) -> UInt64 {
        let (parent, name) = try await split(path)
        let made = try await fileSystem.create(
            parent: parent, name: name, mode: 0o644, options: [.write, .read], caller: caller
        ).value()
        lookedUp.withLock { $0["\(parent)/\(name)"] = made.entry.node }
        return made.file.handle
    }

    func write(_ text: String, at offset: Int64 = 0, handle: UInt64) async throws(FileSystemError) {
        let bytes = Array(text.utf8)
        let outcome = bytes.withUnsafeBytes {
            fileSystem.write(handle: handle, offset: offset, bytes: $0)
        }
        _ = try await outcome.value()
    }

    func close(_ handle: UInt64) async throws(FileSystemError) {
        let result: Result<Void, FileSystemError>
        do throws(FileSystemError) {
            try await fileSystem.flush(handle: handle).value()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await fileSystem.release(handle: handle).value()
        try result.get()
    }

    /// Creates or replaces a file's content the way `cp` does.
    func save(_ text: String, to path: String) async throws(FileSystemError) {
        let handle: UInt64
        do throws(FileSystemError) {
            handle = try await open(path, [.write, .truncate])
        } catch {
            guard error.code == .notFound else { throw error }
            handle = try await create(path)
        }
        let result: Result<Void, FileSystemError>
        do throws(FileSystemError) {
            try await write(text, handle: handle)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await close(handle)
        try result.get()
    }

    func read(handle: UInt64, count: Int = 1 << 20) async throws(FileSystemError) -> String {
        let buffer = try await fileSystem.read(handle: handle, offset: 0, count: count).get()
        return String(decoding: buffer.bytes[..<buffer.count], as: UTF8.self)
    }

    func read(_ path: String) async throws(FileSystemError) -> String {
        let handle = try await open(path, [.read])
        let text = try await read(handle: handle)
        try await close(handle)
        return text
    }

    func mkdir(_ path: String) async throws(FileSystemError) {
        let (parent, name) = try await split(path)
        _ = try await fileSystem.mkdir(parent: parent, name: name, mode: 0o755, caller: caller)
            .value()
    }

    func unlink(_ path: String) async throws(FileSystemError) {
        let (parent, name) = try await split(path)
        try await fileSystem.unlink(parent: parent, name: name, caller: caller).value()
    }

    func rmdir(_ path: String) async throws(FileSystemError) {
        let (parent, name) = try await split(path)
        try await fileSystem.rmdir(parent: parent, name: name, caller: caller).value()
    }

    func rename(
        _ from: String, _ to: String, _ mode: RenameMode = .replace
    ) async throws(FileSystemError) {
        let (parent, name) = try await split(from)
        let (newParent, newName) = try await split(to)
        try await fileSystem.rename(
            parent: parent, name: name, newParent: newParent, newName: newName, mode: mode,
            caller: caller
        ).value()
    }

    func names(_ path: String) async throws(FileSystemError) -> [String] {
        let handle = try await fileSystem.opendir(node: try await node(path)).value().handle
        var names: [String] = []
        var cookie: UInt64 = 0
        while let (line, next) = fileSystem.directoryEntry(handle: handle, after: cookie) {
            cookie = next
            if [".", ".."].contains(line.name) { continue }
            names.append(line.name)
        }
        fileSystem.releasedir(handle: handle)
        return names.sorted()
    }

    func attributes(_ path: String) async throws(FileSystemError) -> FileAttributes {
        try await fileSystem.getattr(node: try await node(path), handle: nil).value()
    }
}

/// The error code a call ends with.
func code(
    _ body: () async throws(FileSystemError) -> Void
) async -> FileSystemError.Code? {
    do throws(FileSystemError) {
        try await body()
        return nil
    } catch {
        return error.code
    }
}
