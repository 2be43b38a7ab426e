package import CloudStorage
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import Synchronization

// Source: RFC 6455.
extension HTTPTransport {
    private typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

    /// Of one message; a longer one ends the connection.
    private static let largestMessage = 1 << 20
    private static let maximumFragments = 64

    /// Opens a WebSocket and hands over every text message until the connection ends.
    /// - Parameter receive: what it throws ends the connection.
    /// - Returns: when the server has closed it in order.
    /// - Throws: `unreachable`, `timedOut`, `cancelled`, `temporarilyUnavailable` where the
    ///   server opens none.
    package func messages(
        of call: WebSocketCall,
        _ receive: @escaping @Sendable (String) throws(CloudStorageError) -> Void
    ) async throws(CloudStorageError) {
        do {
            guard let channel = try await open(call) else {
                // What stands before a server that is down answers like this too.
                throw CloudStorageError(
                    .temporarilyUnavailable, "the server opens no WebSocket there")
            }
            let life = WebSocketLife()
            try await channel.executeThenClose { inbound, outbound in
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        for text in call.greeting {
                            try await outbound.write(.client(.text, ByteBuffer(string: text)))
                        }
                        while true {
                            try await Task.sleep(for: call.pingInterval)
                            try await outbound.write(.client(.ping, ByteBuffer()))
                        }
                    }
                    group.addTask { try await life.watch(call) }
                    group.addTask {
                        for try await frame in inbound {
                            life.noteFrame()
                            switch frame.opcode {
                            case .text:
                                life.noteMessage()
                                try receive(String(buffer: frame.unmaskedData))
                            case .ping:
                                try await outbound.write(.client(.pong, frame.unmaskedData))
                            case .connectionClose: return
                            default: break
                            }
                        }
                    }
                    // The first to end ends the others.
                    try await group.next()
                    group.cancelAll()
                }
            }
        } catch let error as CloudStorageError {
            throw error
        } catch is CancellationError {
            throw CloudStorageError(.cancelled, "the WebSocket was given up")
        } catch {
            throw CloudStorageError(.unreachable, "the WebSocket ended: \(error)")
        }
        guard !Task.isCancelled else {
            throw CloudStorageError(.cancelled, "the WebSocket was given up")
        }
    }

    /// Nil where the server answers as if it were an ordinary request.
    private func open(_ call: WebSocketCall) async throws -> Frames? {
        let tls = call.address.scheme == "https" ? try tlsContext() : nil
        let deadline = NIODeadline.now() + TimeAmount(configuration.requestDeadline)
        let upgrade = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .connect(
                host: call.address.bareHost,
                port: call.address.port ?? (tls == nil ? 80 : 443)
            ) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Self.configure(channel, call, tls, deadline)
                }
            }
        return try await upgrade.get()
    }

    /// The pipeline up to the answer of the server; closes the channel where that takes too long.
    private static func configure(
        _ channel: any Channel, _ call: WebSocketCall, _ tls: NIOSSLContext?,
        _ deadline: NIODeadline
    ) throws -> EventLoopFuture<Frames?> {
        if let tls {
            let name = call.address.bareHost
            let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
            try channel.pipeline.syncOperations.addHandler(
                try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : name))
        }
        let upgrader = NIOTypedWebSocketClientUpgrader<Frames?>(maxFrameSize: largestMessage) {
            channel, _ in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    NIOWebSocketFrameAggregator(
                        minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: maximumFragments,
                        maxAccumulatedFrameSize: largestMessage))
                return try Frames(wrappingChannelSynchronously: channel)
            }
        }
        var headers = HTTPHeaders()
        let host = call.address.origin.split(separator: "/").last ?? ""
        headers.add(name: "Host", value: String(host))
        headers.add(name: "Content-Length", value: "0")
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: call.address.route, headers: headers)
        let configuration = NIOTypedHTTPClientUpgradeConfiguration<Frames?>(
            upgradeRequestHead: head, upgraders: [upgrader]
        ) { channel in
            channel.close(promise: nil)
            return channel.eventLoop.makeSucceededFuture(nil)
        }
        let result = try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
            configuration: .init(upgradeConfiguration: configuration))
        let limit = channel.eventLoop.scheduleTask(deadline: deadline) {
            channel.close(promise: nil)
        }
        result.whenComplete { _ in limit.cancel() }
        return result
    }
}

/// When something was last heard on a WebSocket.
private final class WebSocketLife: Sendable {
    private struct State {
        var heard = ContinuousClock.now
        var hasMessage = false
    }

    private let state = Mutex(State())

    func noteFrame() { state.withLock { $0.heard = .now } }

    func noteMessage() { state.withLock { $0.hasMessage = true } }

    /// Throws when the connection has been silent for too long.
    func watch(_ call: WebSocketCall) async throws {
        try await Task.sleep(for: call.firstMessageDeadline)
        guard state.withLock({ $0.hasMessage }) else {
            throw CloudStorageError(.timedOut, "the WebSocket's server says nothing")
        }
        while true {
            let end = state.withLock { $0.heard } + call.silenceLimit
            guard end > .now else {
                throw CloudStorageError(.timedOut, "the WebSocket's server is silent")
            }
            try await Task.sleep(until: end)
        }
    }
}

extension WebSocketFrame {
    /// A client's frames are masked (RFC 6455 section 5.3).
    fileprivate static func client(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> Self {
        WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
    }
}

extension ServerAddress {
    /// The path of a request for the address itself.
    fileprivate var route: String { prefix.isEmpty ? "/" : prefix }

    /// The host without the brackets of an IPv6 address.
    fileprivate var bareHost: String {
        host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    }
}
