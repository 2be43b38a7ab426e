import ArgumentParser
import MountService

/// `ordner group`
struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group", abstract: "Administers the groups of a cloud.",
        discussion: """
            Groups are named by name or number, their members as ordner user and ordner group do.

            Example: ordner group add work Sales --user carol@example.com --group Interns
            """,
        subcommands: [
            List.self, Show.self, Create.self, Rename.self, Members.self, Add.self, Remove.self,
            Delete.self, GroupAdminsCommand.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the groups.")

        @OptionGroup var options: AdministrationOptions
        @OptionGroup var part: ListOptions

        func run() async throws {
            try await options.administer { cloud in
                let groups = try cloud.part(cloud.groups, "groups")
                try await RecordOutput(isJSON: options.json).list(part, "groups") {
                    offset throws(ServiceFailure) in
                    try await groups.groups(from: offset)
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one group.")

        @OptionGroup var options: AdministrationOptions
        @Argument var group: String

        func run() async throws {
            try await options.administer { cloud in
                let groups = try cloud.part(cloud.groups, "groups")
                try RecordOutput(isJSON: options.json).show(try await groups.group(group))
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a group.")

        @OptionGroup var options: AdministrationOptions
        @Argument var name: String

        func run() async throws {
            try await options.administer { cloud in
                let groups = try cloud.part(cloud.groups, "groups")
                try RecordOutput(isJSON: options.json).show(try await groups.createGroup(name))
            }
        }
    }

    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Gives a group another name.")

        @OptionGroup var options: AdministrationOptions
        @Argument var group: String
        @Argument var name: String

        func run() async throws {
            try await options.administer { cloud in
                let groups = try cloud.part(cloud.groups, "groups")
                try RecordOutput(isJSON: options.json)
                    .show(try await groups.renameGroup(group, to: name))
            }
        }
    }

    struct Members: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists who is in a group.")

        @OptionGroup var options: AdministrationOptions
        @Argument var group: String
        @Flag(help: "Also those who are in by way of another group.") var deep = false

        func run() async throws {
            try await options.administer { cloud in
                let groups = try cloud.part(cloud.groups, "groups")
                try RecordOutput(isJSON: options.json)
                    .list(try await groups.members(of: group, deep: deep), "members")
            }
        }
    }

    /// Users and groups that come or go.
    struct Names: ParsableArguments {
        @Option(help: "A user; may be repeated.") var user: [String] = []
        @Option(help: "A group; may be repeated.") var group: [String] = []

        func validate() throws {
            if user.isEmpty && group.isEmpty {
                throw ValidationError("Name somebody with --user or --group.")
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes users and groups into a group.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: ArgumentHelp("The group.", valueName: "group")) var target: String
        @OptionGroup var names: Names

        func run() async throws {
            var change = MembershipChange()
            change.addedUsers = names.user
            change.addedGroups = names.group
            let ready = change
            try await options.administer { cloud in
                let groups = try cloud.part(cloud.groups, "groups")
                try await groups.changeMembers(of: target, ready)
                try RecordOutput(isJSON: options.json)
                    .list(try await groups.members(of: target, deep: false), "members")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes users and groups out of a group.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: ArgumentHelp("The group.", valueName: "group")) var target: String
        @OptionGroup var names: Names

        func run() async throws {
            var change = MembershipChange()
            change.removedUsers = names.user
            change.removedGroups = names.group
            let ready = change
            try await options.administer { cloud in
                let groups = try cloud.part(cloud.groups, "groups")
                try await groups.changeMembers(of: target, ready)
                try RecordOutput(isJSON: options.json)
                    .list(try await groups.members(of: target, deep: false), "members")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a group; its members stay.")

        @OptionGroup var options: AdministrationOptions
        @Argument var group: String
        @OptionGroup var confirmation: ConfirmationOptions

        func run() async throws {
            try await options.administer { cloud in
                let groups = try cloud.part(cloud.groups, "groups")
                let found = try await groups.group(group)
                let name = found.cells.first { $0.title == "NAME" }?.text ?? group
                try await confirmation.confirm("Delete the group \(name)")
                try await groups.deleteGroup(group)
                Message.say("Deleted \(name).")
            }
        }
    }
}
