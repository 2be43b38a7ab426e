import FoundationEssentials
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import ServiceLifecycle

/// A server of its own port that tells clients of changes, as Nextcloud's app notify_push does
/// (FACTS 2.13).
///
/// It says `notify_file` to everybody whosever file it is: clients have to look in any case.
struct PushServer: Service {
    private typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    private typealias Connections = NIOAsyncChannel<EventLoopFuture<Frames?>, Never>

    static let path = "/push/ws"
    private static let secondsToSignIn: Int64 = 30
    /// Clients send a ping twice a minute.
    private static let silentSeconds: Int64 = 120

    private let services: CloudServices
    private let connections: Connections

    /// Its real port.
    let port: Int

    /// Listens on a free port of the host.
    static func bind(
        _ services: CloudServices, host: String, tls: TLSConfiguration?
    ) async throws -> PushServer {
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        let connections: Connections = try await ServerBootstrap(
            group: MultiThreadedEventLoopGroup.singleton
        ).bind(host: host, port: 0) { channel in
            channel.eventLoop.makeCompletedFuture { try configure(channel, context) }
        }
        return PushServer(
            services: services, connections: connections,
            port: connections.channel.localAddress?.port ?? 0)
    }

    private static func configure(
        _ channel: any Channel, _ tls: NIOSSLContext?
    ) throws -> EventLoopFuture<Frames?> {
        if let tls {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
        }
        let upgrader = NIOTypedWebSocketServerUpgrader<Frames?>(
            shouldUpgrade: { channel, head in
                channel.eventLoop.makeSucceededFuture(head.uri == path ? HTTPHeaders() : nil)
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        IdleStateHandler(readTimeout: .seconds(silentSeconds)),
                        SilentConnectionHandler(),
                    ])
                    return try Frames(wrappingChannelSynchronously: channel)
                }
            })
        let configuration = NIOTypedHTTPServerUpgradeConfiguration<Frames?>(
            upgraders: [upgrader]
        ) { channel in
            channel.close(promise: nil)
            return channel.eventLoop.makeSucceededFuture(nil)
        }
        return try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
            configuration: .init(upgradeConfiguration: configuration))
    }

    /// Serves until the group shuts down.
    func run() async throws {
        let channel = connections.channel
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                try await connections.executeThenClose { inbound in
                    for try await upgrade in inbound {
                        group.addTask { await serve(upgrade) }
                    }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            channel.close(promise: nil)
        }
    }

    private func serve(_ upgrade: EventLoopFuture<Frames?>) async {
        do {
            guard let frames = try await upgrade.get() else { return }
            try await frames.executeThenClose { inbound, outbound in
                var iterator = inbound.makeAsyncIterator()
                let channel = frames.channel
                let limit = channel.eventLoop.scheduleTask(in: .seconds(Self.secondsToSignIn)) {
                    channel.close(promise: nil)
                }
                let isKnown = try await signIn(&iterator)
                limit.cancel()
                let answer = isKnown ? "authenticated" : "err: Invalid credentials"
                try await outbound.write(.text(answer))
                guard isKnown, let changes = services.changes.listen() else { return }
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        for await _ in changes { try await outbound.write(.text("notify_file")) }
                    }
                    while let frame = try await iterator.next() {
                        if frame.opcode == .connectionClose { break }
                        guard frame.opcode == .ping else { continue }
                        try await outbound.write(
                            WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData))
                    }
                    group.cancelAll()
                }
            }
        } catch {
            services.logger.debug("a push connection ended", metadata: ["error": "\(error)"])
        }
    }

    /// Whether the first two messages are a name and its password, or nothing and a token.
    private func signIn(
        _ frames: inout NIOAsyncChannelInboundStream<WebSocketFrame>.AsyncIterator
    ) async throws -> Bool {
        var texts: [String] = []
        while texts.count < 2, let frame = try await frames.next() {
            if frame.opcode == .connectionClose { return false }
            if frame.opcode == .text { texts.append(String(buffer: frame.unmaskedData)) }
        }
        guard texts.count == 2 else { return false }
        if texts[0].isEmpty { return services.pushTokens.take(texts[1], now: services.clock()) }
        let pair = Data((texts[0] + ":" + texts[1]).utf8).base64EncodedString()
        let check = AccountCheck(services: services, context: services.context(token: nil))
        do {
            _ = try await check.caller("Basic " + pair)
            return true
        } catch is DAVError {
            return false
        }
    }
}

extension WebSocketFrame {
    fileprivate static func text(_ text: String) -> Self {
        WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text))
    }
}

/// Closes a connection from which nothing has come for too long. Runs on its event loop.
private final class SilentConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = Any

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
