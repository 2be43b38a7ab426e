import FileSystemTypes
import FuseAdapter
import Glibc
import HTTPTransport
import Logging
package import ServiceLifecycle
import VirtualFileSystem

/// A running mount: every part of one account's driver, put together.
package struct MountedAccount: Sendable {
    private let settings: MountSettings
    private let account: AccountSettings
    private let folders: ProgramFolders
    private let resources: AccountResources
    private let fileSystem: VirtualFileSystem
    private let session: FuseSession
    private let ending = MountEnding()
    private let logger: Logger

    /// Mounts, and returns when it is unmounted and everything is closed: by `ordner unmount`, by
    /// umount(8), or by SIGINT, SIGTERM or SIGHUP.
    /// - Parameters:
    ///   - services: what the mount needs to run beside it; they are stopped after it.
    ///   - onReady: called once, when programs can use the mount.
    package static func run(
        _ settings: MountSettings, folders: ProgramFolders, services: [any Service] = [],
        onReady: @escaping @Sendable () -> Void
    ) async throws(ServiceFailure) {
        ProcessMemory.share()
        let shutdown = DriverShutdown()
        let signals = shutdown.handleSignals()
        defer { withExtendedLifetime(signals) {} }
        let mount = try await open(settings, folders: folders)
        let result: Result<Void, ServiceFailure>
        do throws(ServiceFailure) {
            result = .success(try await mount.serve(services, shutdown, onReady))
        } catch {
            result = .failure(error)
        }
        try await mount.resources.close()
        try result.get()
    }

    private static func open(
        _ settings: MountSettings, folders: ProgramFolders
    ) async throws(ServiceFailure) -> MountedAccount {
        let logger = Logger(label: "ordner.mount")
        let (account, resources) = try await BlockingWork.run { () throws(ServiceFailure) in
            let account = try AccountStore(folders: folders).settings(of: settings.account)
            try settings.location.prepare(ownFolders: [
                folders.state(of: settings.account),
                settings.cacheFolder ?? folders.cache(of: settings.account),
            ])
            let resources = try AccountResources.open(account, for: settings, folders: folders)
            return (account, resources)
        }
        do throws(ServiceFailure) {
            try await BlockingWork.run { () throws(ServiceFailure) in
                let cache = LastCache(
                    folder: settings.cacheFolder ?? folders.cache(of: settings.account),
                    limit: settings.cacheLimit)
                try cache.write(of: settings.account, folders: folders)
            }
            let fileSystem = VirtualFileSystem(
                cloud: resources.cloud, cache: resources.cache, store: resources.store,
                options: settings.fileSystemOptions, logger: logger)
            do throws(FileSystemError) { try await fileSystem.start() } catch {
                throw startFailure(error.message, account: account, name: settings.account)
            }
            let session = try ServiceFailure.translating { () throws(FuseMountError) in
                try FuseSession(
                    fileSystem: fileSystem, options: settings.fuseOptions(url: account.url),
                    logger: logger)
            }
            return MountedAccount(
                settings: settings, account: account, folders: folders, resources: resources,
                fileSystem: fileSystem, session: session, logger: logger)
        } catch {
            try await resources.close()
            throw error
        }
    }

    private func serve(
        _ others: [any Service], _ shutdown: DriverShutdown,
        _ onReady: @escaping @Sendable () -> Void
    ) async throws(ServiceFailure) {
        let control = MountControl(
            settings: settings, account: account, fileSystem: fileSystem, session: session,
            resources: resources, folders: folders,
            ending: ending)
        let socket = try ControlSocket(
            for: settings.location, folders: folders, handler: { await control.answer($0) })
        let mount = FuseService(session: session, logger: logger, onReady: onReady)
        let services =
            others + [
                FileSystemService(
                    fileSystem: fileSystem, transport: resources.transport, ending: ending), mount,
                socket,
            ]
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    // However one ends, the others end in order, the last first.
                    .init(
                        service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                }, logger: logger))
        shutdown.take(group) { [location = settings.location] in location.detach() }
        do {
            try await group.run()
        } catch let failure as ServiceFailure {
            throw failure
        } catch {
            throw ServiceFailure("the mount ended: \(error)")
        }
    }

    private static func startFailure(
        _ message: String, account: AccountSettings, name: AccountName
    ) -> ServiceFailure {
        ServiceFailure(
            "'\(name)' can't be mounted: \(message)",
            remedy: "Check that \(account.url) can be reached; "
                + "sign in again with: ordner login \(name) \(account.url)")
    }
}
