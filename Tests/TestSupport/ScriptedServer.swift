import NIOCore
package import NIOHTTP1
import NIOPosix
import Synchronization

/// A request as a test server got it.
package struct ScriptedRequest: Sendable {
    package var method: String
    /// As it was sent, escapes and all.
    package var path: String
    package var headers: HTTPHeaders
    package var body: [UInt8]

    /// `METHOD path`, as tests count them.
    package var line: String { "\(method) \(path)" }
    /// The first header of that name.
    package func header(_ name: String) -> String? { headers.first(name: name) }
}

/// What a test server does about a request.
package enum ScriptedAnswer: Sendable {
    case answer(Int, headers: [(String, String)] = [], body: [UInt8] = [])
    /// The connection ends without an answer.
    case hangUp

    /// An answer whose body is a text.
    package static func text(_ status: Int, _ body: String, _ headers: [(String, String)] = [])
        -> Self
    {
        .answer(status, headers: headers, body: Array(body.utf8))
    }
}

/// An HTTP server on loopback that answers as a closure says, and remembers what it was asked.
package final class ScriptedServer: Sendable {
    /// What to answer to a request; told how many of its method and path came before.
    package typealias Script = @Sendable (ScriptedRequest, Int) -> ScriptedAnswer

    private let channel: any Channel
    private let log: RequestLog

    /// `http://127.0.0.1:PORT`
    package var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
    /// What came so far.
    package var requests: [ScriptedRequest] { log.requests.withLock { $0 } }

    /// Requests of a method so far.
    package func count(_ method: String) -> Int { requests.filter { $0.method == method }.count }

    /// Starts a server, hands it over, and stops it again whatever happens.
    /// - Parameter script: gets the request and how many of its method and path came before.
    package static func with(
        _ script: @escaping Script, _ body: (ScriptedServer) async throws -> Void
    ) async throws {
        let log = RequestLog()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(
                        ScriptedHandler(script: script, log: log))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(ScriptedServer(channel: channel, log: log))
            try await channel.close()
        } catch {
            try await channel.close()
            throw error
        }
    }

    private init(channel: any Channel, log: RequestLog) {
        self.channel = channel
        self.log = log
    }
}

private final class RequestLog: Sendable {
    let requests = Mutex<[ScriptedRequest]>([])

    /// Remembers a request; answers how many like it came before.
    func add(_ request: ScriptedRequest) -> Int {
        requests.withLock { requests in
            defer { requests.append(request) }
            return requests.filter { $0.line == request.line }.count
        }
    }
}

private final class ScriptedHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let script: ScriptedServer.Script
    private let log: RequestLog
    private var request: ScriptedRequest?

    init(script: @escaping ScriptedServer.Script, log: RequestLog) {
        self.script = script
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            request = ScriptedRequest(
                method: head.method.rawValue, path: head.uri, headers: head.headers, body: [])
        case .body(let buffer): request?.body += buffer.readableBytesView
        case .end:
            guard let request else { return }
            let before = log.add(request)
            answer(script(request, before), to: request, context)
        }
    }

    private func answer(
        _ answer: ScriptedAnswer, to request: ScriptedRequest, _ context: ChannelHandlerContext
    ) {
        guard case .answer(let status, let fields, let body) = answer else {
            return context.close(promise: nil)
        }
        var headers = HTTPHeaders(fields)
        if status != 204, status != 304 {
            headers.replaceOrAdd(name: "Content-Length", value: String(body.count))
        }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !body.isEmpty {
            context.write(
                wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
