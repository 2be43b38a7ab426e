import ArgumentParser
import MountService

/// `ordner cache`
struct CacheCommandLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Shows what is kept of your files for fast reading, and gives the space back.",
        subcommands: [ShowCommand.self, TrimCommand.self], defaultSubcommand: ShowCommand.self)

    struct ShowCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Shows the cache of every account, or changes its limit.")

        @Argument(
            help: ArgumentHelp("Only the mount on this folder, or an account.", valueName: "dir"))
        var directory: String?

        @Option(
            help: ArgumentHelp(
                "From now until it is unmounted, keep so much content, such as 10G.",
                valueName: "size"))
        var limit: ByteSize?

        @Flag(help: "Print JSON for programs.")
        var json = false

        func validate() throws {
            if let limit {
                guard limit.bytes > 0 else { throw ValidationError("--limit must be above 0.") }
                guard directory != nil else {
                    throw ValidationError("--limit belongs to one mount: name its folder.")
                }
            }
        }

        func run() async throws {
            let action = limit.map { CacheCommand.Action.limit($0.bytes) } ?? .show
            let results = try await CacheCommand.run(
                action, on: directory, folders: try ProgramFolders())
            if json { return Message.say(try JSONLine.text(results.map(\.report))) }
            if results.isEmpty {
                return Message.say("No account yet. Sign in with: ordner login NAME URL")
            }
            for result in results { Message.say(CacheText.text(result.report)) }
        }
    }

    struct TrimCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "trim",
            abstract: "Deletes what is kept, least recently used first, down to a size.",
            discussion: """
                What is open stays, and so does what is not on the server yet, which is kept elsewhere. \
                What is deleted is fetched again when it is read.
                """)

        @Argument(
            help: ArgumentHelp("Only the mount on this folder, or an account.", valueName: "dir"))
        var directory: String?

        @Option(
            help: ArgumentHelp(
                "How much may stay, such as 500M; else nothing that is not in use.",
                valueName: "size"))
        var to: ByteSize?

        @Flag(help: "Print JSON for programs.")
        var json = false

        /// What was freed, and what is left.
        private struct Line: Encodable {
            var account: String
            var freed: TrimReport?
            var cache: CacheReport
        }

        func run() async throws {
            let results = try await CacheCommand.run(
                .trim(to: to?.bytes ?? 0), on: directory, folders: try ProgramFolders())
            if json {
                let lines = results.map {
                    Line(account: $0.report.account, freed: $0.trimming, cache: $0.report)
                }
                Message.say(try JSONLine.text(lines))
            } else {
                for result in results {
                    if let trimming = result.trimming {
                        Message.say(CacheText.text(trimming, result.report))
                    }
                }
            }
            let problems = results.compactMap(\.report.problem)
            if !problems.isEmpty { throw ServiceFailure(problems.joined(separator: "\n")) }
        }
    }
}
