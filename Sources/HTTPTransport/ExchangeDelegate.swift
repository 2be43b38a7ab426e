import AsyncHTTPClient
import CloudStorage
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// Follows one request through AsyncHTTPClient: notes how much of it was sent, collects the answer
/// or hands its bytes to a download.
///
/// AsyncHTTPClient calls it on one event loop, one call after the other; only `outcome(of:)` is
/// called from elsewhere, after the request has ended.
final class ExchangeDelegate: HTTPClientResponseDelegate {
    typealias Response = HTTPAnswer

    private struct State {
        var progress = RequestProgress.notSent
        var head: HTTPResponseHead?
        var body = ByteBuffer()
        /// Whether the body goes to the delivery.
        var isDelivered = false
        /// Bytes of the body that have arrived.
        var received: Int64 = 0
        /// When something was last sent or received.
        var lastActivity = NIODeadline.now()
    }

    /// How long the rest of an answer of unknown length may take that came before the request was
    /// sent.
    private static let earlyAnswerTime = TimeAmount.seconds(5)

    private let state = Mutex(State())
    private let maximumAnswerSize: Int
    private let delivery: (any BodyDelivery)?
    private let source: FileBodySource?

    /// - Parameters:
    ///   - delivery: where the bytes of the answers it takes go; nil keeps all in memory.
    ///   - source: where the request's body comes from, if that is a file.
    init(maximumAnswerSize: Int, delivery: (any BodyDelivery)?, source: FileBodySource?) {
        self.maximumAnswerSize = maximumAnswerSize
        self.delivery = delivery
        self.source = source
    }

    func didSendRequestHead(task: HTTPClient.Task<HTTPAnswer>, _ head: HTTPRequestHead) {
        state.withLock {
            $0.progress = .incomplete
            $0.lastActivity = .now()
        }
    }

    func didSendRequestPart(task: HTTPClient.Task<HTTPAnswer>, _ part: IOData) {
        state.withLock { $0.lastActivity = .now() }
    }

    func didSendRequest(task: HTTPClient.Task<HTTPAnswer>) {
        state.withLock {
            $0.progress = .complete
            $0.lastActivity = .now()
        }
    }

    func didReceiveHead(
        task: HTTPClient.Task<HTTPAnswer>, _ head: HTTPResponseHead
    ) -> EventLoopFuture<Void> {
        state.withLock {
            $0.head = head
            $0.lastActivity = .now()
        }
        if head.status.code >= 300, let source {
            task.eventLoop.scheduleTask(in: Self.earlyAnswerTime) { [weak source] in source?.stop()
            }
            stopSourceIfComplete()
        }
        guard let delivery else { return task.eventLoop.makeSucceededVoidFuture() }
        let announced = AnswerHead(
            status: Int(head.status.code), headers: head.headers.map { ($0.name, $0.value) })
        return settled(task) { () throws(CloudStorageError) in
            let isDelivered = try delivery.begin(announced)
            state.withLock { $0.isDelivered = isDelivered }
        }
    }

    func didReceiveBodyPart(
        task: HTTPClient.Task<HTTPAnswer>, _ buffer: ByteBuffer
    ) -> EventLoopFuture<Void> {
        state.withLock {
            $0.received += Int64(buffer.readableBytes)
            $0.lastActivity = .now()
        }
        defer { stopSourceIfComplete() }
        if let delivery, state.withLock({ $0.isDelivered }) {
            return settled(task) { () throws(CloudStorageError) in
                try delivery.receive(buffer)
            }
        }
        let limit = maximumAnswerSize
        let fits = state.withLock { state in
            guard state.body.readableBytes + buffer.readableBytes <= limit else { return false }
            var part = buffer
            state.body.writeBuffer(&part)
            return true
        }
        return fits
            ? task.eventLoop.makeSucceededVoidFuture()
            : task.eventLoop.makeFailedFuture(
                CloudStorageError(.invalidAnswer, "the answer is larger than \(limit) bytes"))
    }

    func didFinishRequest(task: HTTPClient.Task<HTTPAnswer>) throws -> HTTPAnswer {
        if let delivery, state.withLock({ $0.isDelivered }) { try delivery.finish() }
        guard let answer else {
            throw CloudStorageError(.invalidAnswer, "an answer without a head")
        }
        return answer
    }

    /// When something was last sent or received; the exchange's beginning where nothing was.
    var lastActivity: NIODeadline { state.withLock { $0.lastActivity } }

    /// Lets the request end whose refusal has arrived in full before all of it was sent.
    private func stopSourceIfComplete() {
        guard let source else { return }
        let (head, received) = state.withLock { ($0.head, $0.received) }
        guard let head, head.status.code >= 300,
            let length = head.headers.first(name: "Content-Length").flatMap({ Int64($0) }),
            received >= length
        else { return }
        source.stop()
    }

    /// What to make of an error that ended the request. An error status that came before counts
    /// more than the connection that broke behind it: servers refuse uploads that way.
    func outcome(of error: any Error) -> Result<HTTPAnswer, TransportFailure> {
        let classified = TransportFailure.classify(error)
        if let answer, answer.status >= 300, classified.kind != .cancelled {
            return .success(answer)
        }
        return .failure(
            TransportFailure(
                error: classified, progress: state.withLock { $0.progress },
                hasDelivered: delivery?.hasDelivered ?? false))
    }

    private var answer: HTTPAnswer? {
        let (head, body) = state.withLock { ($0.head, $0.body) }
        guard let head else { return nil }
        return HTTPAnswer(
            status: Int(head.status.code), headers: head.headers.map { ($0.name, $0.value) },
            body: Data(body.readableBytesView))
    }

    private func settled(
        _ task: HTTPClient.Task<HTTPAnswer>, _ work: () throws(CloudStorageError) -> Void
    ) -> EventLoopFuture<Void> {
        do throws(CloudStorageError) {
            try work()
            return task.eventLoop.makeSucceededVoidFuture()
        } catch {
            return task.eventLoop.makeFailedFuture(error)
        }
    }
}
