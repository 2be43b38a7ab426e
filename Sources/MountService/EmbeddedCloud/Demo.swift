import FoundationEssentials
import LeitzCloudServer

/// `ordner demo`: the embedded cloud, an account on it, and the account's mount, in one process.
package enum Demo {
    /// What the person can try, once it runs.
    package struct Tour: Sendable {
        package var location: MountLocation
        package var url: String
        package var user: String
        package var dataFolder: String
    }

    private static let accountName = "demo"
    private static let user = "demo@example.com"

    /// Runs until it is unmounted or a signal ends it; the cloud stops after the mount.
    package static func run(
        on location: MountLocation, folders: ProgramFolders,
        onReady: @escaping @Sendable (Tour) -> Void
    ) async throws(ServiceFailure) {
        let name = try AccountName(accountName)
        let dataFolder = folders.state(of: name) + "/cloud"
        try requireOwnAccount(name, folders: folders)
        let password = try await BlockingWork.run { () throws(ServiceFailure) in
            try prepare(dataFolder: dataFolder, name: name, folders: folders)
        }
        let cloud = try await CloudServer.start(CloudServerSettings(dataFolder: dataFolder))
        let result: Result<Void, ServiceFailure>
        do throws(ServiceFailure) {
            try await CloudServer.addPerson(
                to: cloud, email: user, password: password, ownRoot: "My Files")
            let account = AccountSettings(
                type: .leitzcloud, url: cloud.url, user: user,
                certificateAuthority: cloud.certificatePath)
            try await AccountLogin(folders: folders).signIn(to: account, name, password: password)
            let tour = Tour(
                location: location, url: cloud.url, user: user, dataFolder: dataFolder)
            let settings = MountSettings(account: name, remotePath: nil, location: location)
            try await MountedAccount.run(
                settings, folders: folders, services: [EmbeddedCloudService(cloud: cloud)]
            ) { onReady(tour) }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await cloud.stop()
        try result.get()
    }

    /// An account that somebody else's server gave this name keeps it.
    private static func requireOwnAccount(
        _ name: AccountName, folders: ProgramFolders
    ) throws(ServiceFailure) {
        guard let account = try AccountStore(folders: folders).existingSettings(of: name),
            account.user != user
        else { return }
        throw ServiceFailure(
            "you have an account named '\(name)' on \(account.url)",
            remedy: "The demo needs that name: rename \(folders.settingsFile(of: name)).")
    }

    /// The demo person's password, made at the first run.
    private static func prepare(
        dataFolder: String, name: AccountName, folders: ProgramFolders
    ) throws(ServiceFailure) -> String {
        let passwordFile = dataFolder + "/password"
        if let known = try LocalFile.read(passwordFile) {
            return String(decoding: known, as: UTF8.self)
        }
        // A new cloud numbers its files anew: what is kept of an older one must not be taken for
        // its content.
        try remove(folders.cache(of: name))
        try remove(folders.state(of: name) + "/state")
        try LocalFile.makePrivateFolder(dataFolder)
        let password = UUID().uuidString
        try LocalFile.replace(passwordFile, with: Array(password.utf8), mode: 0o600)
        return password
    }

    private static func remove(_ folder: String) throws(ServiceFailure) {
        guard FileManager.default.fileExists(atPath: folder) else { return }
        do { try FileManager.default.removeItem(atPath: folder) } catch {
            throw ServiceFailure("can't delete \(folder): \(error)")
        }
    }
}
