import Dispatch
import FuseAdapter
import Logging
import ServiceLifecycle

/// The mount as a service: from mount(2) to the end of the FUSE loop.
struct FuseService: Service {
    let session: FuseSession
    let logger: Logger
    /// Called once, when programs can use the mount.
    let onReady: @Sendable () -> Void

    private static let queue = DispatchQueue(label: "ordner.unmount")

    /// Mounts, and returns when it is unmounted; a graceful shutdown unmounts.
    func run() async throws {
        try await BlockingWork.run { () throws(ServiceFailure) in
            try ServiceFailure.translating { () throws(FuseMountError) in try session.mount() }
        }
        let end = await withGracefulShutdownHandler {
            await session.run(onReady: onReady)
        } onGracefulShutdown: {
            Self.queue.async { unmount() }
        }
        switch end {
        case .unmounted: return
        case .aborted: throw ServiceFailure("the mount was aborted")
        case .failed(let error): throw ServiceFailure(error.message)
        }
    }

    /// Where programs use the mount it is detached, so that the driver can end all the same.
    private func unmount() {
        do {
            try session.unmount(lazy: false)
        } catch {
            logger.warning("\(error.message) It is detached now.")
            do {
                try session.unmount(lazy: true)
            } catch {
                logger.error("\(error.message) The connection is aborted.")
                session.abort()
            }
        }
    }
}
