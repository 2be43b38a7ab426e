import HTTPTransport
import ServiceLifecycle
import VirtualFileSystem

/// The file system's background work as a service; it outlives the mount and ends in order.
struct FileSystemService: Service {
    let fileSystem: VirtualFileSystem
    let transport: HTTPTransport

    /// Runs until the graceful shutdown, then gives locks back, stores what is open and closes the
    /// connections, for which an embedded cloud would wait.
    func run() async throws {
        await cancelWhenGracefulShutdown { await fileSystem.run() }
        await fileSystem.shutdown()
        await transport.shutdown()
    }
}
