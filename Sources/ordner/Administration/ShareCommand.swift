import ArgumentParser
import MountService

/// `ordner share`
struct ShareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "share", abstract: "Administers the team shares of a cloud.",
        discussion: """
            Team shares are named by name or number. A share is a folder in the mounts of those
            who are subscribed to it.

            Example: ordner share create work Plans --group Sales
            """,
        subcommands: [
            List.self, Show.self, Create.self, Update.self, Subscribers.self, Subscribe.self,
            Unsubscribe.self, Delete.self, Link.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the team shares.")

        @OptionGroup var options: AdministrationOptions
        @OptionGroup var part: ListOptions

        func run() async throws {
            try await options.administer { cloud in
                let shares = try cloud.part(cloud.teamShares, "team shares")
                try await RecordOutput(isJSON: options.json).list(part, "team shares") {
                    offset throws(ServiceFailure) in
                    try await shares.teamShares(from: offset)
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one team share.")

        @OptionGroup var options: AdministrationOptions
        @Argument var share: String

        func run() async throws {
            try await options.administer { cloud in
                let shares = try cloud.part(cloud.teamShares, "team shares")
                try RecordOutput(isJSON: options.json).show(try await shares.teamShare(share))
            }
        }
    }

    /// Who comes or goes.
    struct Names: ParsableArguments {
        @Option(help: "A user; may be repeated.") var user: [String] = []
        @Option(help: "A group; may be repeated.") var group: [String] = []
        @Option(help: "The address of a user of another organization; may be repeated.")
        var external: [String] = []

        var isEmpty: Bool { user.isEmpty && group.isEmpty && external.isEmpty }

        func adding(role: String) -> SubscriptionChange {
            var change = SubscriptionChange()
            change.addedUsers = user
            change.addedGroups = group
            change.invited = external
            change.role = role.uppercased()
            return change
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a team share.")

        @OptionGroup var options: AdministrationOptions
        @Argument var name: String
        @Option var description: String?
        @Flag(help: "Clients lock files by themselves where they can.") var autoLock = false
        @Flag(help: "Don't tell the subscribers.") var quiet = false
        @OptionGroup var names: Names
        @Option(help: "What the subscribers may do, such as COLLABORATOR or VIEWER.")
        var role = "COLLABORATOR"

        func run() async throws {
            var draft = TeamShareDraft()
            draft.name = name
            draft.description = description
            draft.autoLock = autoLock ? true : nil
            draft.notify = quiet ? false : nil
            let ready = draft
            try await options.administer { cloud in
                let shares = try cloud.part(cloud.teamShares, "team shares")
                let made = try await shares.createTeamShare(ready)
                let number = made.cells.first { $0.title == "ID" }?.text ?? name
                if !names.isEmpty {
                    try await shares.changeSubscribers(of: number, names.adding(role: role))
                }
                try RecordOutput(isJSON: options.json).show(made)
            }
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a team share; what no option names stays.")

        @OptionGroup var options: AdministrationOptions
        @Argument var share: String
        @Option(help: "A new name.") var name: String?
        @Option var description: String?
        @Flag(inversion: .prefixedNo, help: "Whether clients lock files by themselves.")
        var autoLock: Bool?
        @Flag(inversion: .prefixedNo, help: "Whether new subscribers are told.")
        var notify: Bool?
        @Option(
            help: ArgumentHelp("The organization that the share goes to.", valueName: "number"))
        var moveTo: Int64?

        func run() async throws {
            var draft = TeamShareDraft()
            draft.name = name
            draft.description = description
            draft.autoLock = autoLock
            draft.notify = notify
            draft.organization = moveTo
            let ready = draft
            try await options.administer { cloud in
                let shares = try cloud.part(cloud.teamShares, "team shares")
                try RecordOutput(isJSON: options.json)
                    .show(try await shares.updateTeamShare(share, ready))
            }
        }
    }

    struct Subscribers: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists who is subscribed to a team share.")

        @OptionGroup var options: AdministrationOptions
        @Argument var share: String
        @Flag(help: "Also the members of subscribed groups.") var deep = false

        func run() async throws {
            try await options.administer { cloud in
                let shares = try cloud.part(cloud.teamShares, "team shares")
                try RecordOutput(isJSON: options.json)
                    .list(try await shares.subscribers(of: share, deep: deep), "subscribers")
            }
        }
    }

    struct Subscribe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Subscribes users and groups to a team share.")

        @OptionGroup var options: AdministrationOptions
        @Argument var share: String
        @OptionGroup var names: Names
        @Option(help: "What they may do, such as COLLABORATOR or VIEWER.")
        var role = "COLLABORATOR"

        func validate() throws {
            if names.isEmpty {
                throw ValidationError("Name somebody with --user, --group or --external.")
            }
        }

        func run() async throws {
            try await options.administer { cloud in
                let shares = try cloud.part(cloud.teamShares, "team shares")
                try await shares.changeSubscribers(of: share, names.adding(role: role))
                try RecordOutput(isJSON: options.json)
                    .list(try await shares.subscribers(of: share, deep: false), "subscribers")
            }
        }
    }

    struct Unsubscribe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends subscriptions to a team share.")

        @OptionGroup var options: AdministrationOptions
        @Argument var share: String
        @OptionGroup var names: Names

        func validate() throws {
            if names.isEmpty {
                throw ValidationError("Name somebody with --user, --group or --external.")
            }
        }

        func run() async throws {
            var change = SubscriptionChange()
            change.removedUsers = names.user
            change.removedGroups = names.group
            change.uninvited = names.external
            let ready = change
            try await options.administer { cloud in
                let shares = try cloud.part(cloud.teamShares, "team shares")
                try await shares.changeSubscribers(of: share, ready)
                try RecordOutput(isJSON: options.json)
                    .list(try await shares.subscribers(of: share, deep: false), "subscribers")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a team share with its files.")

        @OptionGroup var options: AdministrationOptions
        @Argument var share: String
        @OptionGroup var confirmation: ConfirmationOptions
        @Flag(help: "The subscribers' machines delete their copies.") var removeFiles = false

        func run() async throws {
            try await options.administer { cloud in
                let shares = try cloud.part(cloud.teamShares, "team shares")
                let found = try await shares.teamShare(share)
                let name = found.cells.first { $0.title == "NAME" }?.text ?? share
                try await confirmation.confirm("Delete the team share \(name) with its files")
                try await shares.deleteTeamShare(share, removesFiles: removeFiles)
                Message.say("Deleted \(name).")
            }
        }
    }
}
