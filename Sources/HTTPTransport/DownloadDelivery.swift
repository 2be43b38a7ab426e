import CloudStorage
import FileSystemTypes
import NIOCore
import Synchronization

/// Takes the body of one answer as it arrives.
///
/// `begin`, `receive` and `finish` come from one event loop, one after the other.
protocol BodyDelivery: Sendable {
    /// Whether the receiver has heard of this answer and can't take another one.
    var hasDelivered: Bool { get }

    /// Says whether it takes the body of an answer; others are kept in memory.
    func begin(_ head: AnswerHead) throws(CloudStorageError) -> Bool
    func receive(_ buffer: ByteBuffer) throws(CloudStorageError)
    /// The body is complete. Called only where `begin` was true.
    func finish() throws(CloudStorageError)
}

/// Hands the body of one download answer to a sink and holds it against what the head announced.
///
/// `begin`, `receive` and `finish` come from one event loop, one after the other.
final class DownloadDelivery: BodyDelivery {
    private struct State {
        var plan: DownloadPlan?
        var hasBegun = false
        var received: Int64 = 0
    }

    private let sink: any DownloadSink
    private let requested: ByteRange?
    private let admission: DownloadAdmission?
    private let state = Mutex(State())

    init(sink: any DownloadSink, requested: ByteRange?, admission: DownloadAdmission? = nil) {
        self.sink = sink
        self.requested = requested
        self.admission = admission
    }

    /// Whether the sink has heard of this answer, so that it can't take another one.
    var hasDelivered: Bool { state.withLock { $0.hasBegun } }

    func begin(_ head: AnswerHead) throws(CloudStorageError) -> Bool {
        guard head.status == 200 || head.status == 206 else { return false }
        try admission?(head)
        guard
            let plan = DownloadPlan(
                status: head.status, contentLength: head.header("Content-Length"),
                contentRange: head.header("Content-Range"), requested: requested)
        else {
            throw CloudStorageError(.invalidAnswer, "the answer is not the range asked for")
        }
        state.withLock { $0.plan = plan }
        return true
    }

    func receive(_ buffer: ByteBuffer) throws(CloudStorageError) {
        guard buffer.readableBytes > 0 else { return }
        try beginSink()
        state.withLock { $0.received += Int64(buffer.readableBytes) }
        try buffer.withUnsafeReadableBytes(typed: sink.receive)
    }

    func finish() throws(CloudStorageError) {
        let (plan, received) = state.withLock { ($0.plan, $0.received) }
        if let length = plan?.length, received != length {
            throw CloudStorageError(
                .unreachable, "the answer ended after \(received) of \(length) bytes")
        }
        try beginSink()
    }

    /// The sink hears of the answer with its first byte (or its end), so that an attempt that
    /// brings none can be repeated.
    private func beginSink() throws(CloudStorageError) {
        let plan = state.withLock { state -> DownloadPlan? in
            guard !state.hasBegun else { return nil }
            state.hasBegun = true
            return state.plan
        }
        guard let plan else { return }
        try sink.begin(offset: plan.offset, totalSize: plan.totalSize)
    }
}

extension ByteBuffer {
    /// NIO's own function rethrows untyped.
    func withUnsafeReadableBytes(
        typed body: (UnsafeRawBufferPointer) throws(CloudStorageError) -> Void
    ) throws(CloudStorageError) {
        let result = withUnsafeReadableBytes { bytes -> Result<Void, CloudStorageError> in
            do throws(CloudStorageError) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
