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
    }

    private let state = Mutex(State())
    private let maximumAnswerSize: Int
    private let delivery: (any BodyDelivery)?

    /// - Parameter delivery: where the bytes of the answers it takes go; nil keeps all in memory.
    init(maximumAnswerSize: Int, delivery: (any BodyDelivery)?) {
        self.maximumAnswerSize = maximumAnswerSize
        self.delivery = delivery
    }

    func didSendRequestHead(task: HTTPClient.Task<HTTPAnswer>, _ head: HTTPRequestHead) {
        state.withLock { $0.progress = .incomplete }
    }

    func didSendRequest(task: HTTPClient.Task<HTTPAnswer>) {
        state.withLock { $0.progress = .complete }
    }

    func didReceiveHead(
        task: HTTPClient.Task<HTTPAnswer>, _ head: HTTPResponseHead
    ) -> EventLoopFuture<Void> {
        state.withLock { $0.head = head }
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

    /// What to make of an error that ended the request. An error status that came before counts
    /// more than the connection that broke behind it: servers refuse uploads that way.
    func outcome(of error: any Error) -> Result<HTTPAnswer, TransportFailure> {
        let classified = TransportFailure.classify(error)
        if let answer, answer.status >= 400, classified.kind != .cancelled {
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
