import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport

/// One run's way to the model cloud: it can be cut off, and ends a run in the middle of a call.
final class SessionCloud: CloudStorage {
    private struct State {
        var isCutOff = false
        var callsLeft: Int?
        var wasEnded = false
        var isEnding = false
    }

    private enum Way { case through, cutOff, endBefore, endAfter }

    private let cloud: ModelCloud
    private let state = Watched(State())
    /// What ends the run, as a crash does.
    private let crash = Mutex<(@Sendable () async -> Void)?>(nil)

    private let trace: @Sendable (String) -> Void

    /// - Parameter trace: is told of every call, before it is made.
    init(cloud: ModelCloud, trace: @escaping @Sendable (String) -> Void) {
        self.cloud = cloud
        self.trace = trace
    }

    /// Whether the run ended in a call.
    var wasEnded: Bool { state.withLock { $0.wasEnded } }

    private var willEndUnanswered: Bool { state.withLock { $0.wasEnded } }

    func setCutOff(_ isCutOff: Bool) { state.withLock { $0.isCutOff = isCutOff } }

    /// Ends the run in a later call: before the server has it where `calls` is even, else after.
    func crash(after calls: Int, _ body: @escaping @Sendable () async -> Void) {
        state.withLock { $0.callsLeft = calls }
        crash.withLock { $0 = body }
    }

    /// Waits for the end of a crash that has begun.
    func crashIsOver() async {
        _ = await state.wait(until: { !$0.isEnding })
    }

    private func end() async {
        await crash.withLock { $0 }?()
        state.withLock { $0.isEnding = false }
    }

    private func pass<Value>(
        _ name: String, _ call: () async throws(CloudStorageError) -> Value
    ) async throws(CloudStorageError) -> Value {
        let gone = CloudStorageError(.unreachable, "cut off", mayHaveHappened: false)
        let way: Way = state.withLock { state in
            if state.isCutOff { return .cutOff }
            guard let left = state.callsLeft else { return .through }
            state.callsLeft = left - 2
            guard left < 2 else { return .through }
            state.isCutOff = true
            state.wasEnded = true
            state.isEnding = true
            return left == 0 ? .endBefore : .endAfter
        }
        trace("\(name) \(way)")
        switch way {
        case .through:
            do throws(CloudStorageError) {
                return try await call()
            } catch {
                trace("\(name): \(error.kind) \(error.message)")
                throw error
            }
        case .cutOff: throw gone
        case .endBefore:
            await end()
            throw gone
        case .endAfter:
            do throws(CloudStorageError) {
                _ = try await call()
            } catch {
                await end()
                throw error
            }
            await end()
            throw CloudStorageError(.unreachable, "ended", mayHaveHappened: true)
        }
    }

    var capabilities: Capabilities { cloud.capabilities }

    func account() async throws(CloudStorageError) -> AccountDescription {
        try await pass("account") { () async throws(CloudStorageError) in
            try await self.cloud.account()
        }
    }

    func list(
        _ folder: ItemReference, validator: String?
    ) async throws(CloudStorageError) -> FolderListing {
        try await pass("list \(folder.path)") { () async throws(CloudStorageError) in
            try await self.cloud.list(folder, validator: validator)
        }
    }

    func item(_ reference: ItemReference) async throws(CloudStorageError) -> CloudItem {
        try await pass("item \(reference.path) \(reference.id ?? "")") {
            () async throws(CloudStorageError) in
            try await self.cloud.item(reference)
        }
    }

    func download(
        _ file: ItemReference, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        try await download(file, revision: nil, range: range, to: sink)
    }

    func download(
        _ file: ItemReference, revision: String?, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        try await pass("download \(file.path)") { () async throws(CloudStorageError) in
            try await self.cloud.download(file, revision: revision, range: range, to: sink)
        }
    }

    func upload(
        _ content: LocalContent, name: String, to folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        try await upload(content, name: name, to: folder, onto: .anything)
    }

    func upload(
        _ content: LocalContent, name: String, to folder: ItemReference, onto target: UploadTarget
    ) async throws(CloudStorageError) -> CloudItem {
        try await pass("upload \(name) to \(folder.path)") { () async throws(CloudStorageError) in
            let item = try await self.cloud.upload(content, name: name, to: folder, onto: target)
            if self.willEndUnanswered, let bytes = self.cloud.content(of: item) {
                self.cloud.noteUnanswered(bytes)
            }
            return item
        }
    }

    func createFolder(
        name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        try await pass("createFolder \(name) in \(folder.path)") {
            () async throws(CloudStorageError) in
            try await self.cloud.createFolder(name: name, in: folder)
        }
    }

    func relocate(
        _ item: ItemReference, to destination: RelocationTarget
    ) async throws(CloudStorageError) -> CloudItem {
        try await pass(
            "relocate \(item.path) \(item.id ?? "") to \(destination.folder?.path ?? "") \(destination.name ?? "")"
        ) { () async throws(CloudStorageError) in
            let moved = try await self.cloud.relocate(item, to: destination)
            if self.willEndUnanswered, item.path.contains("/.ordner-"),
                let bytes = self.cloud.content(of: moved)
            {
                self.cloud.noteUnansweredArrival(bytes)
            }
            return moved
        }
    }

    func setModificationTime(
        _ time: FileTime, of file: ItemReference, revision: String
    ) async throws(CloudStorageError) -> CloudItem {
        try await pass("time of \(file.path) \(time.seconds)") {
            () async throws(CloudStorageError) in
            try await self.cloud.setModificationTime(time, of: file, revision: revision)
        }
    }

    func delete(_ item: ItemReference) async throws(CloudStorageError) {
        try await delete(item, revision: nil)
    }

    func delete(_ item: ItemReference, revision: String?) async throws(CloudStorageError) {
        try await pass("delete \(item.path) \(item.id ?? "")") {
            () async throws(CloudStorageError) in
            try await self.cloud.delete(item, revision: revision)
        }
    }

    func lock(_ item: ItemReference, seconds: Int) async throws(CloudStorageError) {
        try await pass("lock") { () async throws(CloudStorageError) in
            try await self.cloud.lock(item, seconds: seconds)
        }
    }

    func unlock(_ item: ItemReference) async throws(CloudStorageError) {
        try await pass("unlock") { () async throws(CloudStorageError) in
            try await self.cloud.unlock(item)
        }
    }

    func changes(
        in root: RootIdentifier, since cursor: String?
    ) async throws(CloudStorageError) -> ChangePage {
        try await pass("changes") { () async throws(CloudStorageError) in
            try await self.cloud.changes(in: root, since: cursor)
        }
    }
}
