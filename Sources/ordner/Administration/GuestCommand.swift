import ArgumentParser
import MountService

/// `ordner guest`
struct GuestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guest", abstract: "Administers the guests of a cloud.",
        discussion: "Guests are named by e-mail address or number.",
        subcommands: [
            List.self, Show.self, Create.self, Update.self, Password.self, Shares.self,
            Convert.self, Delete.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the guests.")

        @OptionGroup var options: AdministrationOptions
        @OptionGroup var part: ListOptions

        func run() async throws {
            try await options.administer { cloud in
                let guests = try cloud.part(cloud.guests, "guests")
                try await RecordOutput(isJSON: options.json).list(part, "guests") {
                    offset throws(ServiceFailure) in
                    try await guests.guests(from: offset)
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one guest.")

        @OptionGroup var options: AdministrationOptions
        @Argument var guest: String

        func run() async throws {
            try await options.administer { cloud in
                let guests = try cloud.part(cloud.guests, "guests")
                try RecordOutput(isJSON: options.json).show(try await guests.guest(guest))
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a guest. The password is asked for where no option gives one.")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: "The e-mail address.") var email: String
        @Option var firstName: String
        @Option var lastName: String
        @OptionGroup var password: PasswordOptions
        @Flag(help: "The cloud sends a message of welcome.") var welcome = false

        func run() async throws {
            let (chosen, generated) = try await password.read(for: email)
            var draft = GuestDraft()
            draft.email = email
            draft.firstName = firstName
            draft.lastName = lastName
            draft.password = chosen
            draft.sendsWelcome = welcome ? true : nil
            let ready = draft
            try await options.administer { cloud in
                let guests = try cloud.part(cloud.guests, "guests")
                try RecordOutput(isJSON: options.json).show(try await guests.createGuest(ready))
            }
            if let generated { Message.show("Password: \(generated)", on: options.json ? 2 : 1) }
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a guest; what no option names stays.")

        @OptionGroup var options: AdministrationOptions
        @Argument var guest: String
        @Option var firstName: String?
        @Option var lastName: String?
        @Option(help: "A new e-mail address.") var email: String?

        func run() async throws {
            var draft = GuestDraft()
            draft.firstName = firstName
            draft.lastName = lastName
            draft.email = email
            let ready = draft
            try await options.administer { cloud in
                let guests = try cloud.part(cloud.guests, "guests")
                try RecordOutput(isJSON: options.json)
                    .show(try await guests.updateGuest(guest, ready))
            }
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sets a guest's password.")

        @OptionGroup var options: AdministrationOptions
        @Argument var guest: String
        @OptionGroup var password: PasswordOptions

        func run() async throws {
            let (chosen, generated) = try await password.read(for: guest)
            var draft = GuestDraft()
            draft.password = chosen
            let ready = draft
            try await options.administer { cloud in
                let guests = try cloud.part(cloud.guests, "guests")
                _ = try await guests.updateGuest(guest, ready)
            }
            Message.say(generated.map { "Password: \($0)" } ?? "The password of \(guest) is set.")
        }
    }

    struct Shares: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the files and folders that are shared with a guest.")

        @OptionGroup var options: AdministrationOptions
        @Argument var guest: String

        func run() async throws {
            try await options.administer { cloud in
                let guests = try cloud.part(cloud.guests, "guests")
                try RecordOutput(isJSON: options.json)
                    .list(try await guests.shares(ofGuest: guest), "shares")
            }
        }
    }

    struct Convert: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a guest a user.")

        @OptionGroup var options: AdministrationOptions
        @Argument var guest: String

        func run() async throws {
            try await options.administer { cloud in
                let guests = try cloud.part(cloud.guests, "guests")
                try RecordOutput(isJSON: options.json)
                    .show(try await guests.convertGuest(guest))
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Deletes a guest.")

        @OptionGroup var options: AdministrationOptions
        @Argument var guest: String
        @OptionGroup var confirmation: ConfirmationOptions

        func run() async throws {
            try await options.administer { cloud in
                let guests = try cloud.part(cloud.guests, "guests")
                let found = try await guests.guest(guest)
                let name = found.cells.first { $0.title == "EMAIL" }?.text ?? guest
                try await confirmation.confirm("Delete the guest \(name)")
                try await guests.deleteGuest(guest)
                Message.say("Deleted \(name).")
            }
        }
    }
}
