import ArgumentParser
import MountService

/// `ordner unmount`
struct UnmountCommandLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmount",
        abstract: "Sends what is unsent, takes a mount away, and returns when its driver has ended."
    )

    @Argument(help: ArgumentHelp("The folder it is mounted on.", valueName: "dir"))
    var directory: String

    @Flag(
        help: """
            Leave what is unsent to the next mount, and detach even where programs still use it or \
            its driver is stuck.
            """)
    var now = false

    func run() async throws {
        let folders = try ProgramFolders()
        let now = now
        let directory = directory
        try await BlockingWork.run { () throws(ServiceFailure) in
            let bar = ProgressBar()
            defer { bar.clear() }
            try UnmountCommand.run(
                MountLocation(resolving: directory), now: now, folders: folders
            ) { bar.show($0) }
        }
    }
}
