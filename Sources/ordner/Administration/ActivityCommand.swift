import ArgumentParser
import MountService

/// `ordner activity`
struct ActivityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activity", abstract: "Shows what has happened on a cloud.",
        subcommands: [List.self, Show.self, Types.self, Add.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists what has happened, the newest first.")

        @OptionGroup var options: AdministrationOptions
        @OptionGroup var part: ListOptions
        @Option(help: "Only what this user did or what was done to the account.")
        var user: String?

        func run() async throws {
            try await options.administer { cloud in
                let activity = try cloud.part(cloud.activity, "records of activity")
                try await RecordOutput(isJSON: options.json).list(part, "records") {
                    offset throws(ServiceFailure) in
                    try await activity.activity(of: user, from: offset)
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one record.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The record's number.") var record: Int64

        func run() async throws {
            try await options.administer { cloud in
                let activity = try cloud.part(cloud.activity, "records of activity")
                try RecordOutput(isJSON: options.json).show(try await activity.activity(record))
            }
        }
    }

    struct Types: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the kinds of activity.")

        @OptionGroup var options: AdministrationOptions

        func run() async throws {
            try await options.administer { cloud in
                let activity = try cloud.part(cloud.activity, "records of activity")
                try RecordOutput(isJSON: options.json)
                    .list(try await activity.activityTypes(), "kinds")
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Records something.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: "What happened.") var text: String
        @Option(help: "The user it is about; the organization where it is missing.")
        var user: String?

        func run() async throws {
            try await options.administer { cloud in
                let activity = try cloud.part(cloud.activity, "records of activity")
                try RecordOutput(isJSON: options.json)
                    .show(try await activity.recordActivity(text, user: user))
            }
        }
    }
}

/// `ordner usage`
struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage",
        abstract: "Shows what an organization and those below it use.")

    @OptionGroup var options: AdministrationOptions

    func run() async throws {
        try await options.administer { cloud in
            let usage = try await cloud.part(cloud.usage, "figures of usage").usage()
            let output = RecordOutput(isJSON: options.json)
            if !options.json {
                try output.list(usage.spaces, "roots")
                Message.say("")
            }
            try output.show(usage.whole)
        }
    }
}
