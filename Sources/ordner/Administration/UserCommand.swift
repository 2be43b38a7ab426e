import ArgumentParser
import MountService

/// `ordner user`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Administers the users of a cloud.",
        discussion: """
            Users are named by e-mail address or number.

            Example: ordner user create work carol@example.com --first-name Carol --quota 10G
            """,
        subcommands: [
            List.self, Show.self, Create.self, Update.self, Password.self, MakeRoot.self,
            Delete.self, UserImportCommand.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the users.")

        @OptionGroup var options: AdministrationOptions
        @OptionGroup var part: ListOptions

        func run() async throws {
            try await options.administer { cloud in
                let users = try cloud.part(cloud.users, "users")
                try await RecordOutput(isJSON: options.json).list(part, "users") {
                    offset throws(ServiceFailure) in
                    try await users.users(from: offset)
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one user.")

        @OptionGroup var options: AdministrationOptions
        @Argument var user: String

        func run() async throws {
            try await options.administer { cloud in
                let users = try cloud.part(cloud.users, "users")
                try RecordOutput(isJSON: options.json).show(try await users.user(user))
            }
        }
    }

    /// What can be said of a user on the command line.
    struct Properties: ParsableArguments {
        @Option var firstName: String?
        @Option var lastName: String?
        @Option(help: "A second name to sign in with.") var username: String?
        @Option(help: "How much the user may store, such as 10G.") var quota: ByteSize?
        @Option(help: "The mobile phone's number.") var phone: String?

        @Option(
            help: ArgumentHelp(
                "A group of the user's, by name or number; may be repeated. The groups given "
                    + "replace the present ones."))
        var group: [String] = []

        @Flag(inversion: .prefixedNo, help: "Whether the user administers the organization.")
        var admin: Bool?

        var draft: UserDraft {
            var draft = UserDraft()
            draft.firstName = firstName
            draft.lastName = lastName
            draft.username = username
            draft.quota = quota?.bytes
            draft.mobilePhone = phone
            draft.groups = group.isEmpty ? nil : group
            draft.isAdministrator = admin
            return draft
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a user. The password is asked for where no option gives one.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The e-mail address.") var email: String
        @OptionGroup var properties: Properties
        @OptionGroup var password: PasswordOptions
        @Flag(help: "The user gets no folder of their own yet.") var noRoot = false
        @Flag(help: "The cloud sends a message of welcome.") var welcome = false

        func run() async throws {
            let (chosen, generated) = try await password.read(for: email)
            var draft = properties.draft
            draft.email = email
            draft.password = chosen
            draft.makesRoot = !noRoot
            draft.sendsWelcome = welcome ? true : nil
            let ready = draft
            try await options.administer { cloud in
                let users = try cloud.part(cloud.users, "users")
                let made = try await users.createUser(ready)
                try RecordOutput(isJSON: options.json).show(made)
            }
            if let generated { Message.show("Password: \(generated)", on: options.json ? 2 : 1) }
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a user; what no option names stays.")

        @OptionGroup var options: AdministrationOptions
        @Argument var user: String
        @OptionGroup var properties: Properties
        @Option(help: "A new e-mail address.") var email: String?

        @Flag(inversion: .prefixedEnableDisable, help: "Whether the user may sign in.")
        var signIn: Bool?

        func run() async throws {
            var draft = properties.draft
            draft.email = email
            draft.isActive = signIn
            let ready = draft
            try await options.administer { cloud in
                let users = try cloud.part(cloud.users, "users")
                try RecordOutput(isJSON: options.json)
                    .show(try await users.updateUser(user, ready))
            }
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets a user's password, and ends what they are signed in with.")

        @OptionGroup var options: AdministrationOptions
        @Argument var user: String
        @OptionGroup var password: PasswordOptions

        func run() async throws {
            let (chosen, generated) = try await password.read(for: user)
            var draft = UserDraft()
            draft.password = chosen
            let ready = draft
            try await options.administer { cloud in
                let users = try cloud.part(cloud.users, "users")
                _ = try await users.updateUser(user, ready)
            }
            Message.say(generated.map { "Password: \($0)" } ?? "The password of \(user) is set.")
        }
    }

    struct MakeRoot: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "make-root", abstract: "Gives a user a folder of their own.")

        @OptionGroup var options: AdministrationOptions
        @Argument var user: String

        func run() async throws {
            try await options.administer { cloud in
                let users = try cloud.part(cloud.users, "users")
                try RecordOutput(isJSON: options.json).show(try await users.createRoot(of: user))
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes a user's account.")

        @OptionGroup var options: AdministrationOptions
        @Argument var user: String
        @OptionGroup var confirmation: ConfirmationOptions
        @Flag(help: "The user's own files and those in team shares are deleted too.")
        var removeFiles = false

        func run() async throws {
            let files = removeFiles ? " with all files" : ""
            try await options.administer { cloud in
                let users = try cloud.part(cloud.users, "users")
                let found = try await users.user(user)
                let name = found.cells.first { $0.title == "EMAIL" }?.text ?? user
                try await confirmation.confirm("Delete the user \(name)\(files)")
                try await users.deleteUser(user, removesFiles: removeFiles)
                Message.say("Deleted \(name).")
            }
        }
    }
}
