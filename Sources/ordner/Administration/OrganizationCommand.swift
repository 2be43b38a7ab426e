import ArgumentParser
import MountService

/// `ordner org`
struct OrganizationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org", abstract: "Administers the organizations of a cloud.",
        discussion: """
            Organizations are named by number or licence key.

            Example: ordner org create work "Widgets Ltd" --slug widgets --email it@widgets.example
            Example: ordner org policy work 2 --set user_lock_files=true --set max_file_size=500
            """,
        subcommands: [
            List.self, Show.self, Create.self, Update.self, PolicyCommand.self, Enable.self,
            Disable.self, Delete.self, Roots.self, Root.self, AuthSources.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the organizations below the account's own, or below --org.")

        @OptionGroup var options: AdministrationOptions
        @OptionGroup var part: ListOptions

        func run() async throws {
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "organizations")
                try await RecordOutput(isJSON: options.json).list(part, "organizations") {
                    offset throws(ServiceFailure) in
                    try await organizations.organizations(from: offset)
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one organization.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: "Number or licence key; the account's own where it is missing.")
        var organization: String?

        func run() async throws {
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "organizations")
                try RecordOutput(isJSON: options.json)
                    .show(try await organizations.organization(organization))
            }
        }
    }

    /// What can be said of an organization on the command line.
    struct Properties: ParsableArguments {
        @Option(help: "The contact address.") var email: String?
        @Option(help: "The name in addresses: lower case letters, digits, hyphens.")
        var slug: String?
        @Option(help: "The first part of the host name.") var hostname: String?
        @Option var description: String?

        @Option(
            help: ArgumentHelp(
                "A rule of the policy; may be repeated.", valueName: "rule=value"))
        var set: [Rule] = []

        var draft: OrganizationDraft {
            var draft = OrganizationDraft()
            draft.email = email
            draft.slug = slug
            draft.hostname = hostname
            draft.description = description
            draft.rules = set.map { ($0.name, $0.value) }
            return draft
        }
    }

    /// `user_lock_files=true`
    struct Rule: ExpressibleByArgument {
        let name: String
        let value: String

        init?(argument: String) {
            let parts = argument.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { return nil }
            name = String(parts[0])
            value = String(parts[1])
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an organization below the account's own, or below --org.")

        @OptionGroup var options: AdministrationOptions
        @Argument var name: String
        @OptionGroup var properties: Properties

        func validate() throws {
            if properties.email == nil || properties.slug == nil {
                throw ValidationError("A new organization needs --email and --slug.")
            }
        }

        func run() async throws {
            var draft = properties.draft
            draft.name = name
            let ready = draft
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "organizations")
                try RecordOutput(isJSON: options.json)
                    .show(try await organizations.createOrganization(ready))
            }
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes an organization; what no option names stays.")

        @OptionGroup var options: AdministrationOptions
        @Argument var organization: String
        @Option(help: "A new name.") var name: String?
        @OptionGroup var properties: Properties

        func run() async throws {
            var draft = properties.draft
            draft.name = name
            let ready = draft
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "organizations")
                try RecordOutput(isJSON: options.json)
                    .show(try await organizations.updateOrganization(organization, ready))
            }
        }
    }

    struct PolicyCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "policy", abstract: "Shows an organization's rules, or sets some.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: "Number or licence key; the account's own where it is missing.")
        var organization: String?

        @Option(help: ArgumentHelp("A rule; may be repeated.", valueName: "rule=value"))
        var set: [Rule] = []

        func run() async throws {
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "organizations")
                let policy =
                    set.isEmpty
                    ? try await organizations.policy(of: organization)
                    : try await organizations.updatePolicy(
                        of: organization, set.map { ($0.name, $0.value) })
                try RecordOutput(isJSON: options.json).show(policy)
            }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets the users of an organization sign in again.")

        @OptionGroup var options: AdministrationOptions
        @Argument var organization: String

        func run() async throws {
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "organizations")
                try await organizations.setActive(true, organization: organization)
                Message.say("Enabled \(organization).")
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets no user of an organization sign in, and ends what they have open.")

        @OptionGroup var options: AdministrationOptions
        @Argument var organization: String
        @OptionGroup var confirmation: ConfirmationOptions

        func run() async throws {
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "organizations")
                let found = try await organizations.organization(organization)
                let name = found.cells.first { $0.title == "NAME" }?.text ?? organization
                try await confirmation.confirm("Sign out and lock out everybody in \(name)")
                try await organizations.setActive(false, organization: organization)
                Message.say("Disabled \(name).")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes an organization with everything in it.")

        @OptionGroup var options: AdministrationOptions
        @Argument var organization: String
        @OptionGroup var confirmation: ConfirmationOptions

        func run() async throws {
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "organizations")
                let found = try await organizations.organization(organization)
                let name = found.cells.first { $0.title == "NAME" }?.text ?? organization
                try await confirmation.confirm(
                    "Delete the organization \(name) with all users, shares and files")
                try await organizations.deleteOrganization(organization)
                Message.say("Deleted \(name).")
            }
        }
    }

    struct Roots: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists all roots of an organization: users' own, team shares, backups.")

        @OptionGroup var options: AdministrationOptions
        @OptionGroup var part: ListOptions

        func run() async throws {
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "organizations")
                try await RecordOutput(isJSON: options.json).list(part, "roots") {
                    offset throws(ServiceFailure) in
                    try await organizations.roots(from: offset)
                }
            }
        }
    }

    struct Root: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one root of an organization.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The root's number.") var root: Int64

        func run() async throws {
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "organizations")
                try RecordOutput(isJSON: options.json).show(try await organizations.root(root))
            }
        }
    }

    struct AuthSources: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "auth-sources",
            abstract: "Lists the directory servers that users come from.")

        @OptionGroup var options: AdministrationOptions
        @OptionGroup var part: ListOptions

        func run() async throws {
            try await options.administer { cloud in
                let organizations = try cloud.part(cloud.organizations, "directory servers")
                try await RecordOutput(isJSON: options.json).list(part, "directory servers") {
                    offset throws(ServiceFailure) in
                    try await organizations.directoryServers(from: offset)
                }
            }
        }
    }
}
