import ArgumentParser
import MountService

/// `ordner unmount`
struct UnmountCommandLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmount",
        abstract: "Takes a mount away, and returns when its driver has ended.")

    @Argument(help: ArgumentHelp("The folder it is mounted on.", valueName: "dir"))
    var directory: String

    @Flag(help: "Detach it even where programs still use it or its driver is stuck.")
    var now = false

    func run() async throws {
        let folders = try ProgramFolders()
        let lazily = now
        let directory = directory
        try await BlockingWork.run { () throws(ServiceFailure) in
            try UnmountCommand.run(
                MountLocation(resolving: directory), lazily: lazily, folders: folders)
        }
    }
}
