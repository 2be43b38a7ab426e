import ArgumentParser
import MountService

/// `ordner app`
struct AppCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app", abstract: "Administers the apps of an ownCloud or Nextcloud.",
        discussion: """
            Example: ordner app list files --disabled
            Example: ordner app enable files files_texteditor
            """,
        subcommands: [List.self, Show.self, Enable.self, Disable.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the apps.")

        @OptionGroup var options: AdministrationOptions
        @Flag(help: "Only those that are on.") var enabled = false
        @Flag(help: "Only those that are off.") var disabled = false

        func validate() throws {
            if enabled && disabled {
                throw ValidationError("Use only one of --enabled and --disabled.")
            }
        }

        func run() async throws {
            try await options.administer { cloud in
                let apps = try cloud.part(cloud.apps, "apps")
                let wanted: Bool? = enabled ? true : disabled ? false : nil
                try RecordOutput(isJSON: options.json)
                    .list(try await apps.apps(isEnabled: wanted), "apps")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one app.")

        @OptionGroup var options: AdministrationOptions
        @Argument var app: String

        func run() async throws {
            try await options.administer { cloud in
                let apps = try cloud.part(cloud.apps, "apps")
                try RecordOutput(isJSON: options.json).show(try await apps.app(app))
            }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Turns an app on for everybody.")

        @OptionGroup var options: AdministrationOptions
        @Argument var app: String

        func run() async throws {
            try await options.administer { cloud in
                try await cloud.part(cloud.apps, "apps").setEnabled(true, app: app)
                Message.say("Enabled \(app).")
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Turns an app off for everybody.")

        @OptionGroup var options: AdministrationOptions
        @Argument var app: String

        func run() async throws {
            try await options.administer { cloud in
                try await cloud.part(cloud.apps, "apps").setEnabled(false, app: app)
                Message.say("Disabled \(app).")
            }
        }
    }
}
