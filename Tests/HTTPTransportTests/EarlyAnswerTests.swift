import CloudStorage
import HTTPTransport
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// Answers as soon as a request's head has arrived, and reads nothing of its body.
private final class HastyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: String
    private var received: [UInt8] = []
    private var hasAnswered = false

    init(answer: String) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasAnswered else { return }
        received += unwrapInboundIn(data).readableBytesView
        guard String(decoding: received, as: UTF8.self).contains("\r\n\r\n") else { return }
        hasAnswered = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
    }
}

@Suite struct EarlyAnswerTests {
    private func answer(
        to size: Int64, from server: String,
        _ configuration: TransportConfiguration = TransportConfiguration()
    ) async throws -> HTTPAnswer {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HastyHandler(answer: server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let folder = try TemporaryFolder()
        let path = try folder.write([], to: "content")
        try sparse(path, size: Int(size))
        let transport = try HTTPTransport(configuration)
        var call = HTTPCall(
            "upload", .put, url: "http://127.0.0.1:\(channel.localAddress?.port ?? 0)/a",
            isIdempotent: false)
        call.traffic = .bulk
        call.body = .file(LocalContent(path: path, size: size), type: "text/plain")
        let result: Result<HTTPAnswer, CloudStorageError>
        do throws(CloudStorageError) {
            result = .success(try await transport.send(call))
        } catch {
            result = .failure(error)
        }
        await transport.shutdown()
        try await channel.close()
        return try result.get()
    }

    /// The refusal of an upload counts, however much of the upload the server has read.
    @Test(arguments: [Int64(1), 64 << 20], ["", "the file is locked"])
    func aRefusalBeforeTheBodyIsRead(size: Int64, words: String) async throws {
        let answer = try await answer(
            to: size,
            from: "HTTP/1.1 423 Locked\r\nContent-Length: \(words.utf8.count)\r\n\r\n\(words)")
        #expect(answer.status == 423)
        #expect(String(decoding: answer.body, as: UTF8.self) == words)
    }

    @Test func aRefusalOfUnknownLength() async throws {
        let answer = try await answer(
            to: 64 << 20,
            from: "HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")
        #expect(answer.status == 409)
        #expect(String(decoding: answer.body, as: UTF8.self) == "no")
    }

    @Test func aServerThatReadsNothingAndSaysNothing() async throws {
        var configuration = TransportConfiguration()
        configuration.idleTimeout = .milliseconds(300)
        configuration.connectTimeout = .seconds(1)
        configuration.retry.maximumAttempts = 1
        let kind = try await failureKind {
            _ = try await answer(to: 64 << 20, from: "", configuration)
        }
        #expect(kind == .timedOut)
    }
}
