import ArgumentParser
import MountService

extension ConflictCommand.Choice: ExpressibleByArgument {}

/// `ordner conflicts`
struct ConflictsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conflicts",
        abstract: "Shows files changed here and on the server at the same time, and decides them.",
        subcommands: [ListCommand.self, KeepCommand.self], defaultSubcommand: ListCommand.self)

    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists the copies, each with the server's version.")

        @Argument(help: ArgumentHelp("Only the mount on this folder.", valueName: "dir"))
        var directory: String?

        @Flag(help: "Print JSON for programs.")
        var json = false

        func run() async throws {
            let folders = try ProgramFolders()
            let directory = directory
            let conflicts = try await BlockingWork.run { () throws(ServiceFailure) in
                let location = directory.map { MountLocation(resolving: $0) }
                return try ConflictCommand.list(of: location, folders: folders)
            }
            guard !json else { return Message.say(try JSONLine.text(conflicts)) }
            guard !conflicts.isEmpty else { return Message.say("No conflicts.") }
            for conflict in conflicts {
                Message.say("\(conflict.copy)\n  the server's: \(conflict.original)")
            }
            Message.say("\nDecide with: ordner conflicts keep mine|theirs|both COPY")
        }
    }

    struct KeepCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "keep",
            abstract: "Keeps this machine's version, the server's, or both as two files.")

        @Argument(help: "mine, theirs or both.")
        var choice: ConflictCommand.Choice

        @Argument(help: ArgumentHelp("The copy, as listed.", valueName: "copy"))
        var copy: String

        func run() async throws {
            let folders = try ProgramFolders()
            let (choice, copy) = (choice, copy)
            try await BlockingWork.run { () throws(ServiceFailure) in
                try ConflictCommand.resolve(copy, choice, folders: folders)
            }
        }
    }
}
