import ArgumentParser
import Glibc
import MountService

extension MountSettings.LockMode: ExpressibleByArgument {}
extension MountSettings.SyncMode: ExpressibleByArgument {}
extension MountSettings.SymbolicLinkMode: ExpressibleByArgument {}

/// `ordner mount`
struct MountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Mounts an account on a folder, and returns when it can be used.",
        discussion: """
            Each root of the account is a folder at the top. 'ordner mount work:Team/Plans DIR'
            begins at the folder 'Plans' of the root 'Team' instead.
            """)

    @Argument(help: ArgumentHelp("The account, or NAME:ROOT/PATH.", valueName: "name"))
    var source: String

    @Argument(help: ArgumentHelp("The folder to mount on.", valueName: "dir"))
    var directory: String

    @Flag(name: [.customShort("f"), .long], help: "Stay in the foreground; Ctrl-C unmounts.")
    var foreground = false

    @Option(
        name: [.customShort("o"), .customLong("options")],
        help: ArgumentHelp("Mount options, such as ro,allow_other.", valueName: "options"))
    var options: [String] = []

    @Option(
        help: """
            When programs are answered: none (when a change is safe on this machine), names (as none, \
            but mkdir, mv, rm when the server has done it), all (close too).
            """)
    var sync = MountSettings.SyncMode.none

    @Option(help: "Take the server's lock when a file is opened for writing: open, off, require.")
    var lock = MountSettings.LockMode.open

    @Option(help: "How long a lock is asked for at a time; it is renewed at half of that.")
    var lockDuration = TimeSpan(seconds: 1_800)

    @Option(help: "Symbolic links: store (as NAME.rclonelink files) or refuse.")
    var symlinks = MountSettings.SymbolicLinkMode.store

    @Option(help: ArgumentHelp("Where to keep content for fast reading.", valueName: "dir"))
    var cacheDir: String?

    @Option(help: "How much content to keep, such as 500M or 10G.")
    var cacheSize = ByteSize(bytes: 10 << 30)

    @Option(help: "Seconds between two questions for changes on the server.")
    var poll = 5.0

    @Option(help: .private)
    var entriesInMemory: Int?

    @Option(name: .customLong("ready-fd"), help: .private)
    var readyDescriptor: Int32?

    func validate() throws {
        guard (0.1...3600).contains(poll) else {
            throw ValidationError("--poll takes 0.1 to 3600 seconds.")
        }
        guard entriesInMemory.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--entries-in-memory takes a positive number.")
        }
        guard (60...86_400).contains(lockDuration.seconds) else {
            throw ValidationError("--lock-duration takes 1m to 1d.")
        }
        guard cacheSize.bytes > 0 else { throw ValidationError("--cache-size must be above 0.") }
    }

    func run() async throws {
        let signal = ReadySignal(descriptor: readyDescriptor)
        do throws(ServiceFailure) {
            let folders = try ProgramFolders()
            let settings = try settings()
            guard foreground else {
                try await startInBackground(settings, folders: folders)
                return
            }
            DriverLog.start()
            // So that the driver keeps no other folder in use.
            chdir("/")
            try await MountedAccount.run(settings, folders: folders) {
                signal.ready()
                if readyDescriptor == nil {
                    Message.say("\(source) is mounted on \(settings.location). Ctrl-C unmounts.")
                }
            }
        } catch {
            signal.failed(error)
            throw error
        }
    }

    private func settings() throws(ServiceFailure) -> MountSettings {
        let parts = source.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts.count == 2 && !parts[1].isEmpty ? String(parts[1]) : nil
        var settings = MountSettings(
            account: try AccountName(String(parts[0])), remotePath: path,
            location: MountLocation(resolving: directory))
        settings.syncMode = sync
        settings.lockMode = lock
        settings.lockSeconds = lockDuration.seconds
        settings.symbolicLinks = symlinks
        settings.cacheFolder = cacheDir.map(LocalPath.absolute)
        settings.cacheLimit = cacheSize.bytes
        settings.pollSeconds = poll
        settings.entriesInMemory = entriesInMemory
        settings.kernelOptions = try KernelMountOptions(list: options.joined(separator: ","))
        return settings
    }

    private func startInBackground(
        _ settings: MountSettings, folders: ProgramFolders
    ) async throws(ServiceFailure) {
        let arguments = Array(CommandLine.arguments.dropFirst())
        try await BlockingWork.run { () throws(ServiceFailure) in
            // Before a process is started for it.
            _ = try AccountStore(folders: folders).settings(of: settings.account)
            try BackgroundMount.start(
                arguments: arguments, account: settings.account, folders: folders)
        }
    }
}
