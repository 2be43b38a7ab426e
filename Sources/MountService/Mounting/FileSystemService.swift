import HTTPTransport
import ServiceLifecycle
import VirtualFileSystem

/// The file system's background work as a service; it outlives the mount and ends in order.
struct FileSystemService: Service {
    let fileSystem: VirtualFileSystem
    let transport: HTTPTransport
    let ending: MountEnding

    /// How long the end of a mount waits for what is unsent, which the next mount takes up else.
    private static let drainSeconds = 20.0

    /// Runs until the graceful shutdown, then sends what is unsent for a bounded time, gives locks
    /// back and closes the connections, for which an embedded cloud would wait.
    func run() async throws {
        await cancelWhenGracefulShutdown { await fileSystem.run() }
        if !ending.leavesUnsent { _ = await fileSystem.drain(forSeconds: Self.drainSeconds) }
        await fileSystem.shutdown()
        await transport.shutdown()
    }
}
