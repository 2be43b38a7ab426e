import ServiceLifecycle
import VirtualFileSystem

/// The file system's background work as a service; it outlives the mount and ends in order.
struct FileSystemService: Service {
    let fileSystem: VirtualFileSystem

    /// Runs until the graceful shutdown, then gives locks back and stores what is open.
    func run() async throws {
        await cancelWhenGracefulShutdown { await fileSystem.run() }
        await fileSystem.shutdown()
    }
}
