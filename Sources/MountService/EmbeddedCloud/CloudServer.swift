import LeitzCloudServer
import Logging
import ServiceLifecycle

/// The embedded cloud as a program of its own and as a part of the demo.
package enum CloudServer {
    /// Bytes each person may store.
    private static let quota: Int64 = 1 << 40
    private static let teamRoot = "Team"
    private static let permissions = ["FILE_VIEW", "FILE_READ", "FILE_WRITE"]

    /// Serves until SIGINT, SIGTERM or SIGHUP.
    /// - Parameter onReady: called once, with the server's URL and its certificate's file; nil where
    ///   it speaks HTTP without TLS.
    package static func run(
        _ settings: CloudServerSettings, onReady: @Sendable (_ url: String, _ ca: String?) -> Void
    ) async throws(ServiceFailure) {
        let shutdown = DriverShutdown()
        let signals = shutdown.handleSignals()
        defer { withExtendedLifetime(signals) {} }
        let administrator = settings.administrator
        let password: String? = try await BlockingWork.run { () throws(ServiceFailure) in
            guard let administrator else { return nil }
            return try PasswordSource.file(administrator.passwordFile).read(prompt: "")
        }
        let cloud = try await start(settings)
        if let administrator, let password {
            try await addPerson(to: cloud, email: administrator.email, password: password)
        }
        let logger = Logger(label: "ordner.server")
        let group = ServiceGroup(services: [EmbeddedCloudService(cloud: cloud)], logger: logger)
        shutdown.take(group) {}
        onReady(cloud.url, settings.isPlain ? nil : cloud.certificatePath)
        do { try await group.run() } catch {
            throw ServiceFailure("the server failed: \(error)")
        }
    }

    /// A server that listens.
    static func start(
        _ settings: CloudServerSettings
    ) async throws(ServiceFailure) -> EmbeddedCloud {
        var logger = Logger(label: "ordner.server")
        logger.logLevel = .notice
        var configuration = EmbeddedCloudConfiguration(
            dataFolder: settings.dataFolder, host: settings.host, port: settings.port,
            behaviour: settings.behaviour, logger: logger)
        configuration.isPlain = settings.isPlain
        do {
            return try await EmbeddedCloud.start(configuration)
        } catch EmbeddedCloudError.dataFolderInUse(let folder) {
            throw ServiceFailure(
                "another server uses \(folder)", remedy: "Stop it first, or choose another folder.")
        } catch {
            throw ServiceFailure("the server can't start: \(error)")
        }
    }

    /// Makes a person with a root of their own and one of the team's, where they are missing.
    /// The person administers the cloud's organization.
    /// - Parameter ownRoot: the root's name; nil names it after the person.
    static func addPerson(
        to cloud: EmbeddedCloud, email: String, password: String, ownRoot: String? = nil
    ) async throws(ServiceFailure) {
        do {
            let name = email.split(separator: "@").first.map(String.init) ?? email
            let person = try await cloud.ensurePerson(
                email: email, password: password, displayName: name, quota: quota,
                ownRoot: ownRoot == nil)
            try await cloud.setAdministrator(person: person)
            var roots = [try await cloud.ensureRoot(name: teamRoot, kind: "share")]
            if let ownRoot { roots.append(try await cloud.ensureRoot(name: ownRoot, kind: "sync")) }
            for root in roots {
                try await cloud.subscribe(person: person, root: root, permissions: permissions)
            }
        } catch {
            throw ServiceFailure("the person \(email) can't be made: \(error)")
        }
    }
}

/// A listening cloud as a service.
struct EmbeddedCloudService: Service {
    let cloud: EmbeddedCloud

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await cloud.waitUntilStopped()
        } onGracefulShutdown: {
            Task { await cloud.stop() }
        }
    }
}
