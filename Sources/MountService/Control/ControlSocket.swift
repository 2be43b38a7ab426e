import Dispatch
import FoundationEssentials
import Glibc
import ServiceLifecycle
import Synchronization

/// The driver's side of `ordner status` and `ordner unmount`: a socket for this user only.
///
/// One request and one answer a connection, each a line of JSON, bounded in size, number and time.
final class ControlSocket: Service, Sendable {
    typealias Handler = @Sendable (ControlRequest) async -> ControlAnswer

    private static let maximumConnections = 16
    private static let requestSeconds = 5.0

    private let descriptor: Int32
    private let path: String
    private let handler: Handler
    private let connections = Atomic<Int>(0)
    /// Answers that are not sent yet.
    private let unanswered = DispatchGroup()
    private let queue = DispatchQueue(label: "ordner.control", attributes: .concurrent)

    /// Listens from now on; requests are answered while `run` runs.
    init(
        for mountPoint: MountLocation, folders: ProgramFolders, handler: @escaping Handler
    ) throws(ServiceFailure) {
        let name = Self.name(for: mountPoint)
        descriptor = try UnixSocket.listen(folder: folders.sockets, name: name)
        path = folders.sockets + "/" + name
        self.handler = handler
    }

    /// The socket's name: a hash of the mount point, as that may be of any length.
    static func name(for mountPoint: MountLocation) -> String {
        // FNV-1a, 64 bits.
        let hash = mountPoint.path.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + nameSuffix
    }

    static let nameSuffix = ".sock"

    /// Accepts until the graceful shutdown, then takes the name away and waits for the answers
    /// under way, which have deadlines.
    func run() async throws {
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { @Sendable [self] in accept() }
        source.setCancelHandler { @Sendable [descriptor] in close(descriptor) }
        source.resume()
        let shutdown: Result<Void, any Error>
        do { shutdown = .success(try await gracefulShutdown()) } catch {
            shutdown = .failure(error)
        }
        unlink(path)
        source.cancel()
        await withCheckedContinuation { waiting in
            unanswered.notify(queue: queue) { waiting.resume() }
        }
        try shutdown.get()
    }

    private func accept() {
        let connection = Glibc.accept(descriptor, nil, nil)
        guard connection >= 0 else { return }
        Descriptor.closeInChildren(connection)
        let others = connections.wrappingAdd(1, ordering: .relaxed).oldValue
        unanswered.enter()
        guard others < Self.maximumConnections else { return finish(connection) }
        queue.async { [self] in serve(connection) }
    }

    private func serve(_ connection: Int32) {
        UnixSocket.limitSends(of: connection, seconds: Int(Self.requestSeconds))
        let (line, end) = DescriptorReader.line(
            from: connection, limit: ControlRequest.limit, within: Self.requestSeconds)
        guard end == .newline else { return finish(connection) }
        let request: ControlRequest
        do {
            request = try JSONDecoder().decode(ControlRequest.self, from: Data(line))
        } catch {
            let failure = ServiceFailure("the driver doesn't know this request")
            return answer(ControlAnswer(failure: failure), to: connection)
        }
        Task {
            let reply = await handler(request)
            queue.async { [self] in answer(reply, to: connection) }
        }
    }

    private func answer(_ answer: ControlAnswer, to connection: Int32) {
        let line: Data
        do { line = try JSONEncoder().encode(answer) } catch { return finish(connection) }
        _ = UnixSocket.send(Array(line) + [UInt8(ascii: "\n")], to: connection)
        finish(connection, isKeptOpen: answer.isEnding == true)
    }

    /// - Parameter isKeptOpen: the end of the process ends the connection, and so tells the client.
    private func finish(_ connection: Int32, isKeptOpen: Bool = false) {
        if !isKeptOpen { close(connection) }
        connections.wrappingSubtract(1, ordering: .relaxed)
        unanswered.leave()
    }
}
