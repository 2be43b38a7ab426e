import ArgumentParser
import MountService

/// `ordner group admins`
struct GroupAdminsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admins",
        abstract: "Says who administers a group (ownCloud, Nextcloud), and changes it.",
        discussion: """
            Example: ordner group admins add files Sales --user carol
            Example: ordner group admins list files --user carol
            """,
        subcommands: [List.self, Add.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists who administers a group, or which groups a user administers.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: ArgumentHelp("The group.", valueName: "group")) var target: String?
        @Option(help: "A user, instead of a group.") var user: String?

        func validate() throws {
            if (target == nil) == (user == nil) {
                throw ValidationError("Name a group, or a user with --user.")
            }
        }

        func run() async throws {
            try await options.administer { cloud in
                let part = try cloud.part(cloud.groupAdministrators, "administrators of groups")
                let output = RecordOutput(isJSON: options.json)
                if let target {
                    try output.list(try await part.administrators(of: target), "administrators")
                } else if let user {
                    try output.list(try await part.administeredGroups(of: user), "groups")
                }
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets a user administer a group: its users, and who is in it.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: ArgumentHelp("The group.", valueName: "group")) var target: String
        @Option(help: "The user.") var user: String

        func run() async throws {
            try await options.administer { cloud in
                try await cloud.part(cloud.groupAdministrators, "administrators of groups")
                    .setAdministrator(user, of: target, true)
                Message.say("\(user) administers \(target).")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes the right to administer a group from a user.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: ArgumentHelp("The group.", valueName: "group")) var target: String
        @Option(help: "The user.") var user: String

        func run() async throws {
            try await options.administer { cloud in
                try await cloud.part(cloud.groupAdministrators, "administrators of groups")
                    .setAdministrator(user, of: target, false)
                Message.say("\(user) does not administer \(target) any more.")
            }
        }
    }
}
