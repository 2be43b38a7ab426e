import CloudStorage
import FileSystemTypes
import TestSupport

/// A cloud with one file, whose downloads a test can hold, cut and watch.
final class FakeCloud: PartialCloud {
    enum Ranges: Sendable { case served, ignored }

    struct Settings: Sendable {
        var bytes: [UInt8]
        var revision = "1"
        var ranges = Ranges.served
        /// What the client says it knows.
        var supportsRanges: Bool?
        /// Whether the answer names the whole size.
        var tellsSize = true
        /// The next downloads break after so many bytes each.
        var cuts: [Int] = []
        var cutError = CloudStorageError.Kind.unreachable
        /// No byte from here on is sent before the test says so.
        var gate = Int.max
        var itemError: CloudStorageError?
        var holdsItem = false
    }

    private struct State {
        var settings: Settings
        var requests: [ByteRange?] = []
        var itemCalls = 0
        var questions: [[String?]] = []
        var cancelled = 0
        var running = 0
        var mostRunning = 0
    }

    private let state: Watched<State>
    static let piece = 5000

    init(_ settings: Settings) { state = Watched(State(settings: settings)) }

    var requests: [ByteRange?] { state.withLock { $0.requests } }
    var itemCalls: Int { state.withLock { $0.itemCalls } }
    /// The ids of the files of each question about revisions.
    var questions: [[String?]] { state.withLock { $0.questions } }
    var cancelled: Int { state.withLock { $0.cancelled } }
    var mostRunning: Int { state.withLock { $0.mostRunning } }

    func change(_ body: @Sendable (inout Settings) -> Void) {
        state.withLock { body(&$0.settings) }
    }

    var capabilities: Capabilities {
        Capabilities(
            supportsRanges: state.withLock { $0.settings.supportsRanges }, uploadOntoName: nil,
            relocatesInOneCall: true, setsModificationTime: false, movesBetweenRoots: false,
            isCaseSensitive: true, lockSeconds: nil)
    }

    func download(
        _ file: ItemReference, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        let (settings, cut) = state.withLock { state in
            state.requests.append(range)
            state.running += 1
            state.mostRunning = max(state.mostRunning, state.running)
            let cut = state.settings.cuts.isEmpty ? nil : state.settings.cuts.removeFirst()
            return (state.settings, cut)
        }
        defer { state.withLock { $0.running -= 1 } }
        let isRanged = settings.ranges == .served && range != nil
        var position = isRanged ? Int(range?.lowerBound ?? 0) : 0
        let end = isRanged ? Int(range?.upperBound ?? 0) : settings.bytes.count
        let stop = cut.map { min(end, position + $0) } ?? end
        if cut == 0 { throw CloudStorageError(settings.cutError, "cut") }
        try sink.begin(
            offset: Int64(position),
            totalSize: settings.tellsSize ? Int64(settings.bytes.count) : nil)
        while position < stop {
            try await pass(position)
            let count = min(Self.piece, stop - position)
            try deliver(settings.bytes[position..<(position + count)], to: sink)
            position += count
            await Task.yield()
        }
        if stop < end { throw CloudStorageError(settings.cutError, "cut") }
    }

    private func deliver(
        _ bytes: ArraySlice<UInt8>, to sink: any DownloadSink
    ) throws(CloudStorageError) {
        let result: Result<Void, CloudStorageError> = bytes.withUnsafeBytes { buffer in
            Result { () throws(CloudStorageError) in try sink.receive(buffer) }
        }
        try result.get()
    }

    /// Waits until the gate is behind the position.
    private func pass(_ position: Int) async throws(CloudStorageError) {
        guard await state.wait(until: { position < $0.settings.gate }) else {
            state.withLock { $0.cancelled += 1 }
            throw CloudStorageError(.cancelled, "cancelled")
        }
    }

    func revisions(of files: [ItemReference]) async -> [String?] {
        state.withLock { $0.questions.append(files.map(\.id)) }
        return await together(files) { file in
            do throws(CloudStorageError) { return try await self.item(file).revision } catch {
                return nil
            }
        }
    }

    func item(_ reference: ItemReference) async throws(CloudStorageError) -> CloudItem {
        state.withLock { $0.itemCalls += 1 }
        guard await state.wait(until: { !$0.settings.holdsItem }) else {
            throw CloudStorageError(.cancelled, "cancelled")
        }
        let settings = state.withLock { $0.settings }
        if let error = settings.itemError { throw error }
        return CloudItem(
            reference: reference, name: "file", size: Int64(settings.bytes.count),
            revision: settings.revision, modified: nil)
    }
}
