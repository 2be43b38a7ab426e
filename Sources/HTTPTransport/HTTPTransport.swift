import AsyncHTTPClient
package import CloudStorage
package import FileSystemTypes
package import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// Carries out HTTP/1.1 requests: TLS, deadlines, retries, and as many at once as the server bears.
///
/// One for each account. Calls may be made from any task and stop when their task is cancelled.
package final class HTTPTransport: Sendable {
    /// Whether the server can be reached.
    package let health = ConnectionHealth()

    private let client: HTTPClient
    let configuration: TransportConfiguration
    private let clock: RetryClock
    private let random: @Sendable () -> Double
    private let logger: Logger
    private let gates: [HTTPCall.Traffic: ConcurrencyGate]
    private let metrics = TransportMetrics()
    private let watch: ExchangeWatch

    /// - Parameters:
    ///   - clock: what the waits between attempts go by.
    ///   - random: 0 ..< 1, for their jitter.
    /// - Throws: `localFile` where the certificate file can't be read.
    package init(
        _ configuration: TransportConfiguration = TransportConfiguration(),
        clock: some Clock<Duration> = ContinuousClock(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        logger: Logger = Logger(label: "ordner.transport")
    ) throws(CloudStorageError) {
        self.client = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            configuration: try Self.clientConfiguration(configuration))
        self.configuration = configuration
        self.watch = ExchangeWatch(
            allowed: TimeAmount(configuration.idleTimeout + configuration.connectTimeout),
            on: MultiThreadedEventLoopGroup.singleton.any())
        self.clock = RetryClock(clock)
        self.random = random
        self.logger = logger
        self.gates = [
            .metadata: ConcurrencyGate(
                ConcurrencyLimit(initial: 8, maximum: configuration.maximumMetadataRequests)),
            .bulk: ConcurrencyGate(
                ConcurrencyLimit(initial: 4, maximum: configuration.maximumBulkRequests)),
            .parcel: ConcurrencyGate(
                ConcurrencyLimit(initial: 8, maximum: configuration.maximumParcelRequests)),
        ]
    }

    deinit {
        // The closure keeps the client alive until its connections are closed; a second shutdown
        // only reports that there was a first.
        client.shutdown { [client] _ in withExtendedLifetime(client) {} }
    }

    /// Closes all connections; calls under way fail with `cancelled`. Calls made later too.
    package func shutdown() async {
        await withCheckedContinuation { continuation in
            client.shutdown { _ in continuation.resume() }
        }
    }

    /// Sends a call until an answer comes that needs no repetition, whatever its status, or the
    /// retry policy gives up; then the last answer of 429, 502, 503 or 504 is returned as well.
    /// - Throws: `unreachable`, `timedOut`, `cancelled`, `invalidAnswer`, `localFile`,
    ///   `temporarilyUnavailable` (too many calls wait); with `mayHaveHappened` where the call is
    ///   not idempotent and all of it was sent.
    package func send(_ call: HTTPCall) async throws(CloudStorageError) -> HTTPAnswer {
        try await repeating(call) { call in await self.exchange(call, delivery: nil) }
    }

    /// Sends a call whose body goes to `sink` in pieces, as far as the sink takes the answer.
    package func stream(
        _ call: HTTPCall, to sink: any AnswerSink
    ) async throws(CloudStorageError) -> HTTPAnswer {
        try await repeating(call) { call in
            await self.exchange(call, delivery: StreamDelivery(sink: sink))
        }
    }

    /// Sends a GET whose 200 or 206 body goes to `sink`; other answers are returned as by `send`.
    ///
    /// Failures before the first byte are repeated inside; `unreachable` where the body is shorter
    /// than announced.
    /// - Parameter admission: looks at the head before the sink hears of the answer.
    package func download(
        _ call: HTTPCall, range: ByteRange?, to sink: any DownloadSink,
        admission: DownloadAdmission? = nil
    ) async throws(CloudStorageError) -> HTTPAnswer {
        var call = call
        if let range, !range.isEmpty {
            call.headers.append(("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
        }
        return try await repeating(call) { call in
            await self.exchange(
                call,
                delivery: DownloadDelivery(sink: sink, requested: range, admission: admission))
        }
    }

    // MARK: - Attempts

    private typealias AttemptResult = Result<HTTPAnswer, TransportFailure>

    private func repeating(
        _ call: HTTPCall, _ attempt: (HTTPCall) async -> AttemptResult
    ) async throws(CloudStorageError) -> HTTPAnswer {
        let elapsed = clock.startMeasuring()
        var call = call
        var number = 1
        var redirects = RedirectTrail(from: call.url)
        while true {
            let result = try await admitted(call, attempt)
            if case .success(let answer) = result, call.method.isSafe,
                let target = try redirects.target(of: answer)
            {
                call.url = target
                continue
            }
            let state = RetryPolicy.Attempt(
                number: number, elapsed: elapsed(), isIdempotent: call.isIdempotent)
            guard let wait = wait(after: result, of: call, state) else {
                return try Self.final(result, call, attempts: number)
            }
            metrics.retry(call)
            logger.debug(
                "Repeating a request",
                metadata: ["call": "\(call.name)", "attempt": "\(number)", "wait": "\(wait)"])
            do {
                try await clock.sleep(wait)
            } catch {
                throw CloudStorageError(.cancelled, "cancelled between two attempts")
            }
            number += 1
        }
    }

    private static func final(
        _ result: AttemptResult, _ call: HTTPCall, attempts: Int
    ) throws(CloudStorageError) -> HTTPAnswer {
        switch result {
        case .success(var answer):
            answer.attempts = attempts
            return answer
        case .failure(let failure): throw failure.final(isIdempotent: call.isIdempotent)
        }
    }

    private func wait(
        after result: AttemptResult, of call: HTTPCall, _ state: RetryPolicy.Attempt
    ) -> Duration? {
        switch result {
        case .success(let answer):
            let isBusy = answer.status == 429 || answer.status == 503
            guard call.repeatsWhenBusy || !isBusy else { return nil }
            return configuration.retry.wait(
                after: .answered(status: answer.status, retryAfter: answer.retryAfter), of: state,
                random: random())
        case .failure(let failure):
            // While nothing answers, one attempt a call is enough to notice that it is over.
            guard !health.isOffline, let outcome = failure.retryOutcome else { return nil }
            return configuration.retry.wait(after: outcome, of: state, random: random())
        }
    }

    /// One attempt within the concurrency limit, counted and timed.
    private func admitted(
        _ call: HTTPCall, _ attempt: (HTTPCall) async -> AttemptResult
    ) async throws(CloudStorageError) -> AttemptResult {
        let start = ContinuousClock.now
        let gate = gates[call.traffic]
        try await gate?.enter()
        let result = await attempt(call)
        gate?.leave(Self.sample(result))
        let outcome: String
        switch result {
        case .success(let answer):
            health.recordAnswer()
            outcome = String(answer.status)
        case .failure(let failure):
            if failure.isConnectivity { health.recordFailure(failure.error.message) }
            outcome = String(describing: failure.error.kind)
        }
        metrics.attempt(call, outcome: outcome, took: start.duration(to: .now))
        return result
    }

    private static func sample(_ result: AttemptResult) -> ConcurrencyLimit.Sample {
        switch result {
        case .success(let answer):
            answer.status == 429 || answer.status == 503 ? .overloaded : .good
        case .failure(let failure): failure.error.kind == .timedOut ? .overloaded : .neutral
        }
    }

    private func exchange(_ call: HTTPCall, delivery: (any BodyDelivery)?) async -> AttemptResult {
        let prepared: PreparedRequest
        switch await PreparedRequest.make(call, userAgent: configuration.userAgent) {
        case .success(let made): prepared = made
        case .failure(let error):
            return .failure(TransportFailure(error: error, progress: .notSent))
        }
        let delegate = ExchangeDelegate(
            maximumAnswerSize: call.maximumAnswerSize, delivery: delivery, source: prepared.source)
        let deadline: NIODeadline? =
            call.traffic == .metadata
            ? .now() + TimeAmount(call.deadline ?? configuration.requestDeadline) : nil
        let task = client.execute(
            request: prepared.request, delegate: delegate, eventLoop: .indifferent,
            deadline: deadline, logger: nil)
        let ticket = watch.begin(task, delegate)
        defer { watch.end(ticket) }
        return await withTaskCancellationHandler {
            do {
                return .success(try await task.get())
            } catch {
                return delegate.outcome(of: error)
            }
        } onCancel: {
            task.cancel()
        }
    }

    /// What TLS connections beside the client's go by.
    func tlsContext() throws -> NIOSSLContext {
        try NIOSSLContext(configuration: Self.tls(configuration))
    }

    private static func tls(
        _ configuration: TransportConfiguration
    ) throws(CloudStorageError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let file = configuration.certificateAuthorityFile {
            do {
                tls.additionalTrustRoots = [
                    .certificates(try NIOSSLCertificate.fromPEMFile(file))
                ]
            } catch {
                throw CloudStorageError(.localFile, "can't read the certificate file \(file)")
            }
        }
        return tls
    }

    private static func clientConfiguration(
        _ configuration: TransportConfiguration
    ) throws(CloudStorageError) -> HTTPClient.Configuration {
        var client = HTTPClient.Configuration(
            tlsConfiguration: try tls(configuration), redirectConfiguration: .disallow,
            timeout: .init(
                connect: TimeAmount(configuration.connectTimeout),
                read: TimeAmount(configuration.idleTimeout),
                write: TimeAmount(configuration.idleTimeout)))
        client.httpVersion = .http1Only
        client.connectionPool.retryConnectionEstablishment = false
        client.connectionPool.idleTimeout = .seconds(30)
        client.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
            configuration.maximumMetadataRequests + configuration.maximumBulkRequests
            + configuration.maximumParcelRequests
        return client
    }
}
