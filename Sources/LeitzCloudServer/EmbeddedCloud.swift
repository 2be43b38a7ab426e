import GRDB
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization

/// A server of the LeitzCloud API v2 with storage of its own, in this process.
///
/// Speaks HTTPS, with a certificate of its own authority (`certificatePath`). The same data has a
/// WebDAV face as well (`WebDAV.md`). All calls are
/// safe from any thread. One server per data folder.
package final class EmbeddedCloud: Sendable {
    /// Seconds that running calls may take to finish when the server stops.
    private static let stopSeconds = 10
    private static let maximumConnections = 1024
    /// Seconds without a byte from or to a client until its connection is closed.
    private static let stallSeconds: Int64 = 120
    private static let diskThreads = 8

    /// `https://HOST:PORT` with the real port.
    package let url: String
    /// The PEM file with the authority's certificate, for clients to trust.
    package let certificatePath: String
    let services: CloudServices
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    private init(
        url: String, certificatePath: String, services: CloudServices, group: ServiceGroup,
        running: Task<Void, any Error>
    ) {
        self.url = url
        self.certificatePath = certificatePath
        self.services = services
        self.group = group
        self.running = running
    }

    /// Starts a server and returns when it is listening.
    ///
    /// - Throws: `EmbeddedCloudError`, or the database's error where the data is damaged.
    package static func start(_ configuration: EmbeddedCloudConfiguration) async throws
        -> EmbeddedCloud
    {
        let isPlain = configuration.isPlain || configuration.hasPlainPush
        if isPlain, !EmbeddedCloudConfiguration.isLoopback(configuration.host) {
            throw EmbeddedCloudError.plainBeyondLoopback(host: configuration.host)
        }
        let threads = NIOThreadPool(numberOfThreads: diskThreads)
        threads.start()
        do {
            return try await start(configuration, threads)
        } catch {
            try await threads.shutdownGracefully()
            throw error
        }
    }

    private static func start(
        _ configuration: EmbeddedCloudConfiguration, _ threads: NIOThreadPool
    ) async throws -> EmbeddedCloud {
        let (services, tls) = try await threads.runIfActive {
            try openStorage(configuration, threads)
        }
        let handler = RequestHandler(services: services)
        let (ports, portSource) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let http1 = HTTPServerBuilder.http1(
            configuration: .init(
                additionalChannelHandlers: [
                    StalledConnectionHandler(limit: .seconds(stallSeconds))
                ], idleTimeout: .seconds(stallSeconds)))
        let builder =
            try configuration.isPlain
            ? http1 : HTTPServerBuilder.tls(http1, tlsConfiguration: tls)
        let server = try builder.buildServer(
            configuration: ServerConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                availableConnectionsDelegate: .maximum(
                    maximumConnections, logger: configuration.logger)),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: configuration.logger
        ) { request, writer, _ in
            try await handler.respond(request, writer)
        } onServerRunning: { channel in
            portSource.yield(channel.localAddress?.port ?? configuration.port)
        }
        var parts: [any Service] = [server, Retention(services: services)]
        if configuration.tellsChanges {
            parts.append(try await pushServer(configuration, services, tls))
        }
        var groupConfiguration = ServiceGroupConfiguration(
            services: parts, logger: configuration.logger)
        groupConfiguration.maximumGracefulShutdownDuration = .seconds(stopSeconds)
        let group = ServiceGroup(configuration: groupConfiguration)
        let running = Task {
            defer { portSource.finish() }
            do {
                try await group.run()
            } catch {
                portSource.finish()
                try await services.close()
                throw error
            }
            try await services.close()
        }
        guard let port = await ports.first(where: { _ in true }) else {
            do {
                try await running.value
            } catch {
                throw EmbeddedCloudError.cannotListen("\(error)")
            }
            throw EmbeddedCloudError.cannotListen("stopped")
        }
        return EmbeddedCloud(
            url: "\(services.scheme)://\(configuration.hostInURL):\(port)",
            certificatePath: configuration.dataFolder + "/ca.pem", services: services,
            group: group, running: running)
    }

    private static func pushServer(
        _ configuration: EmbeddedCloudConfiguration, _ services: CloudServices,
        _ tls: TLSConfiguration
    ) async throws -> PushServer {
        let isPlain = configuration.isPlain || configuration.hasPlainPush
        let server = try await PushServer.bind(
            services, host: configuration.host, tls: isPlain ? nil : tls)
        let scheme = isPlain ? "ws" : "wss"
        let address = "\(scheme)://\(configuration.hostInURL):\(server.port)\(PushServer.path)"
        services.pushAddress.withLock { $0 = address }
        return server
    }

    /// Opens what the data folder holds; blocks on the disk.
    private static func openStorage(
        _ configuration: EmbeddedCloudConfiguration, _ threads: NIOThreadPool
    ) throws -> (CloudServices, TLSConfiguration) {
        let folder = try DataFolder(path: configuration.dataFolder)
        let tls = try CertificateStore(
            folder: folder, host: configuration.host, now: configuration.clock()
        ).configuration()
        let database = try CloudDatabase(folder: folder)
        let last = try database.readBlocking {
            try Int64.fetchOne($0, sql: "SELECT max(id) FROM revisions") ?? 0
        }
        let chunks = try database.readBlocking {
            try String.fetchSet($0, sql: "SELECT content FROM dav_chunks")
        }
        try ChunkStore.sweep(folder, keeping: chunks)
        let content = try ContentStore(folder: folder, threads: threads, lastRevision: last)
        return (
            CloudServices(
                configuration: configuration, folder: folder, database: database,
                content: content), tls
        )
    }

    /// Takes no more connections, lets running calls finish for up to ten seconds, and gives the
    /// data folder free. Returns when that is done; a failure of the server itself is logged.
    package func stop() async {
        await group.triggerGracefulShutdown()
        do {
            try await waitUntilStopped()
        } catch {
            services.logger.error("the server failed", metadata: ["error": "\(error)"])
        }
    }

    /// Returns when the server has stopped; throws where it failed.
    package func waitUntilStopped() async throws { try await running.value }

    /// Where clients are told of changes; nil where the configuration does not ask for it.
    package var pushAddress: String? { services.pushAddress.withLock { $0 } }

    /// The fault rules, for tests.
    package var faults: FaultControl { services.faults }

    /// Requests so far by `METHOD kind`, such as `GET folder`, `GET download`, `POST upload`.
    package func requestCounts() -> [String: Int] { services.counts.all }

    /// The most requests of each kind that were under way at the same time.
    package func requestPeaks() -> [String: Int] { services.counts.peaks }

    /// The last requests (1024 at least) as `METHOD path`, in the order in which they arrived.
    package func latestRequests() -> [String] { services.counts.latest }

    /// Requests of a kind that are worked on now.
    package func requestsUnderWay(_ kind: String) -> Int { services.counts.running(kind) }

    package func resetRequestCounts() { services.counts.reset() }

    package var behaviour: ServerBehaviour { services.behaviour }

    /// Changes the switches for calls that begin from now on.
    package func setBehaviour(_ behaviour: ServerBehaviour) { services.behaviour = behaviour }
}
